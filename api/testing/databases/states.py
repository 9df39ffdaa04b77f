"""Databases for tests of operations: odd ones to dump, and how two of them are compared, to the byte and in order."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from tutordesk.operations.catalog import Client, Database, list_collections, read_batches
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.names import NOT_RESTORED
from tutordesk.operations.restores.restore import restore


@contextmanager
def fresh_database(mongod_url: str) -> Iterator[tuple[str, Client, Database]]:
    """A URL, a client and a database that is dropped at the end."""
    name = f"test_{secrets.token_hex(4)}"
    url = mongod_url.replace("/tutordesk?", f"/{name}?")
    with pymongo.MongoClient[Any](url, tz_aware=True) as client:
        try:
            yield url, client, client[name]
        finally:
            client.drop_database(name)


def fill(database: Database, documents: int = 300) -> None:
    """Collections with validators, options and indexes of all kinds, and documents of all types."""
    tickets = database.create_collection(
        "tickets", validator={"$jsonSchema": {"required": ["title"]}}, validationLevel="moderate"
    )
    tickets.create_index([("title", 1)], unique=True, name="one title")
    tickets.create_index([("tags", 1), ("created_at", -1)], partialFilterExpression={"tags": {"$exists": True}})
    tickets.create_index([("created_at", 1)], expireAfterSeconds=10**8)
    tickets.create_index([("title", "text")])
    tickets.insert_many(
        {
            "_id": ObjectId(),
            "title": f"Ticket {number}",
            "tags": ["a", {"b": number}],
            "created_at": datetime(2026, 1, 1, 12, number % 60, tzinfo=UTC),
            "n": Int64(number),
            "x": number / 3,
        }
        for number in range(documents)
    )
    odd = {"nan": float("nan"), "dec": Decimal128("1.10"), "min": MinKey(), "max": MaxKey(), "re": Regex("^a", "i")}
    database["we/ird name é"].insert_one({"_id": {"a": 1}, **odd, "ts": Timestamp(1, 2), "bin": b"\0\1", "none": None})
    database["l" * 200 + "ö" * 5].insert_one({"_id": 1})
    database.create_collection("capped", capped=True, size=4096).insert_many({"n": n} for n in range(20))
    database.create_collection("sorted", collation={"locale": "de"}).insert_one({"_id": "ä"})
    database.create_collection("clustered", clusteredIndex={"key": {"_id": 1}, "unique": True}).insert_one({"_id": 5})
    database.create_collection("empty")
    database.create_collection("view", viewOn="tickets", pipeline=[{"$match": {"n": {"$gt": 3}}}])


def put_back(client: Client, folder: Path, into: str, drop: str | None = None) -> int:
    """Restore the dump in `folder`. Returns the number of documents."""
    return restore(client, open_dump(folder, into), into, drop, lambda step, total, done: None).documents


def state_of(database: Database, at: Timestamp | None = None) -> dict[str, Any]:
    """Return options, indexes and documents of all collections, byte for byte, except those that are never restored."""
    state: dict[str, Any] = {}
    for info in list_collections(database):
        if info.name in NOT_RESTORED:
            continue
        indexes = {spec["name"]: spec for spec in info.indexes}
        batches = [] if info.kind == "view" else list(read_batches(database, info.name, at))
        rows = [bytes(row) for batch in batches for row in batch]
        state[info.name] = (info.kind, info.options, indexes, rows if info.options.get("capped") else sorted(rows))
    return state
