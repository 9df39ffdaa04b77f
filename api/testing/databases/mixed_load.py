"""Makes every kind of change that goes into an oplog, in random order."""

import contextlib
from random import Random
from typing import Any

import pymongo
import pymongo.errors
from pymongo import DeleteOne, InsertOne, ReturnDocument, UpdateOne

from tutordesk.operations.catalog import Client, Database

WORDS = ("red", "green", "blue", "ü", "日本", "")
NAMES = ("tickets", "chats", "users")


class MixedLoad:
    def __init__(self, client: Client, database: Database, chance: Random) -> None:
        self._client, self._database, self._chance, self._count = client, database, chance, 0
        self._steps = [self._update] * 12 + [self._insert] * 4 + [self._delete, self._bulk, self._transaction] * 2
        self._steps += [self._replace, self._find_and_modify, self._aborted, self._rename, self._index, self._out]
        self._steps += [self._options, self._view, self._big_transaction]

    def step(self) -> None:
        with contextlib.suppress(pymongo.errors.WriteError):  # a change that does not fit the document is none
            self._chance.choice(self._steps)()

    def _collection(self) -> Any:
        return self._database[self._chance.choice(NAMES)]

    def _id(self) -> int:
        return self._chance.randrange(60)

    def _document(self) -> dict[str, Any]:
        chance = self._chance
        return {
            "title": chance.choice(WORDS),
            "n": chance.randrange(9),
            "list": [chance.randrange(9) for _ in range(chance.randrange(5))],
            "rows": [{"k": number, "v": chance.choice(WORDS)} for number in range(chance.randrange(4))],
            "in": {"a": {"b": chance.random()}, "0": 1, "c.d": 2},
        }

    def _insert(self) -> None:
        self._collection().update_one({"_id": self._id()}, {"$setOnInsert": self._document()}, upsert=True)

    def _update(self) -> None:
        chance = self._chance
        change, options = chance.choice(
            [
                ({"$set": {"in.a.b": chance.random(), f"in.{chance.randrange(3)}": chance.choice(WORDS)}}, {}),
                ({"$push": {"list": {"$each": [3, 1], "$sort": 1, "$slice": -6, "$position": 1}}}, {}),
                ({"$push": {"rows": {"k": chance.randrange(9), "v": "new"}}}, {}),
                ({"$pull": {"list": {"$gt": 5}}}, {}),
                ({"$pop": {"rows": -1}}, {}),
                ({"$set": {"rows.$[row].v": "x"}}, {"array_filters": [{"row.k": {"$lt": 2}}]}),
                ({"$inc": {"list.$[]": 1}}, {}),
                ({"$unset": {"title": 1}, "$set": {"late": 1}}, {}),
                ({"$rename": {"late": "later"}}, {}),
                ([{"$set": {"n": {"$add": [{"$ifNull": ["$n", 0]}, 1]}, "sum": {"$sum": "$list"}}}], {}),
            ]
        )
        if chance.random() < 0.2:
            self._collection().update_many({"n": {"$lt": 4}}, change, **options)
        else:
            self._collection().update_one({"_id": self._id()}, change, **options)

    def _replace(self) -> None:
        self._collection().replace_one({"_id": self._id()}, self._document(), upsert=True)

    def _delete(self) -> None:
        self._collection().delete_many({"_id": {"$in": [self._id(), self._id()]}})

    def _find_and_modify(self) -> None:
        change = {"$inc": {"n": 1}}
        self._collection().find_one_and_update({"_id": self._id()}, change, return_document=ReturnDocument.AFTER)

    def _bulk(self) -> None:
        first = 1000 + self._count
        self._count += 1
        rows = [InsertOne({"_id": first, **self._document()}), UpdateOne({"_id": self._id()}, {"$set": {"b": 1}})]
        self._collection().bulk_write([*rows, DeleteOne({"_id": self._id()})])

    def _transaction(self) -> None:
        with self._client.start_session() as session, session.start_transaction():
            for name in NAMES:
                self._database[name].update_one({"_id": self._id()}, {"$inc": {"t": 1}}, upsert=True, session=session)
            self._database["owners"].update_one({"_id": "x"}, {"$inc": {"beat": 1}}, upsert=True, session=session)

    def _big_transaction(self) -> None:
        """Write more than one oplog entry holds, so a chain of them. Once is enough."""
        self._steps.remove(self._big_transaction)
        with self._client.start_session() as session, session.start_transaction():
            for number in range(3):
                row = {"_id": f"big {number}", "fill": "x" * 7_000_000}
                self._database["chats"].replace_one({"_id": row["_id"]}, row, upsert=True, session=session)
        self._database["chats"].delete_many({"_id": {"$regex": "^big"}})

    def _aborted(self) -> None:
        with self._client.start_session() as session:
            session.start_transaction()
            self._collection().insert_one({"_id": "never"}, session=session)
            session.abort_transaction()

    def _rename(self) -> None:
        self._database["fresh"].insert_many([self._document() for _ in range(3)])
        self._database["fresh"].create_index([("n", 1)])
        if self._chance.random() < 0.5:
            self._database["users"].insert_one({"_id": "old"})
            self._database["fresh"].rename("users", dropTarget=True)
        else:
            self._database["fresh"].drop()

    def _out(self) -> None:
        self._collection().aggregate([{"$match": {"n": {"$gt": 2}}}, {"$out": "report"}])

    def _index(self) -> None:
        collection, keys = self._collection(), [("n", 1), ("title", -1)]
        if "by n" in collection.index_information():
            collection.drop_index("by n")
        else:
            collection.create_index(keys, name="by n", sparse=True)

    def _options(self) -> None:
        collection = self._collection()
        collection.insert_one({"n": 5})
        level = self._chance.choice(["off", "moderate"])
        self._database.command("collMod", collection.name, validator={"n": {"$ne": 99}}, validationLevel=level)
        if "ttl" not in collection.index_information():
            collection.create_index([("gone", 1)], name="ttl", expireAfterSeconds=10**6)
        elif level == "off":
            index = {"name": "ttl", "expireAfterSeconds": 10**6 + self._chance.randrange(9)}
            self._database.command("collMod", collection.name, index=index)

    def _view(self) -> None:
        if "view" in self._database.list_collection_names():
            self._database.drop_collection("view")
        else:
            self._database.create_collection("view", viewOn="tickets", pipeline=[{"$match": {"n": 1}}])


def start(database: Database) -> None:
    for name in NAMES:
        database.create_collection(name)
        database[name].create_index([("n", pymongo.ASCENDING)])
