"""Migration 3: chats of before there was a history get the marks that lists look for; indexes of then are dropped."""

import pymongo.errors

from tutordesk.operations.catalog import Database

MARKS = {"is_deleted": False, "deleted_at": None, "first": 0, "titled_by": "question"}
OLD_INDEXES = (("chat_sessions", "list"), ("replies", "leased_until_1"))
INDEX_NOT_FOUND = 27


def apply(database: Database) -> None:
    for field, value in MARKS.items():
        database["chat_sessions"].update_many({field: {"$exists": False}}, {"$set": {field: value}})
    for collection, index in OLD_INDEXES:
        try:
            database[collection].drop_index(index)
        except pymongo.errors.OperationFailure as error:
            if error.code != INDEX_NOT_FOUND:
                raise
