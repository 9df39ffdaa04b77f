"""Migration 5: creates the collection of the limits' counts, which MongoDB deletes when they no longer matter."""

from pymongo import ASCENDING, IndexModel

from tutordesk.operations.catalog import Database


def apply(database: Database) -> None:
    database["counts"].create_indexes(
        [IndexModel([("expires_at", ASCENDING)], name="expires_at", expireAfterSeconds=0)]
    )
