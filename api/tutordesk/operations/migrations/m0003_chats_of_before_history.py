"""Migration 3: gives chats from before the history the marks that lists query, and drops the indexes of that time."""

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
