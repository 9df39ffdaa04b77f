"""Migration 6: makes the ids that clients give to new tickets unique for their author."""

from pymongo import ASCENDING, IndexModel

from tutordesk.operations.catalog import Database


def apply(database: Database) -> None:
    keys = [("author_id", ASCENDING), ("client_ticket_id", ASCENDING)]
    a_string = {"client_ticket_id": {"$type": "string"}}
    database["tickets"].create_indexes([IndexModel(keys, unique=True, partialFilterExpression=a_string)])
