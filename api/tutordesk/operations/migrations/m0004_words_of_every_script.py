"""Migration 4: makes tags and search terms again by the present rules, which know every script.

Unlike other migrations it uses the living rules (ground/words.py): terms that follow older ones find nothing. When the
rules change, another migration calls `apply` again.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pymongo import UpdateOne

from tutordesk.ground.words import MAX_TERMS, is_blank, one_spelling, search_terms, terms_of
from tutordesk.operations.catalog import Database

BATCH = 200
PARTS = {"title": 1, "description": 1, "category": 1, "tags": 1, "ai_summary": 1, "terms": 1}
Row = dict[str, Any]


def apply(database: Database) -> None:
    for name, parts, change in (("tickets", PARTS, _of_ticket), ("message_words", None, _of_message)):
        collection = database[name]
        for batch in _batches(collection.find({}, parts, batch_size=BATCH)):
            updates = [UpdateOne({"_id": row["_id"]}, {"$set": new}) for row in batch if (new := change(row))]
            if updates:
                collection.bulk_write(updates, ordered=False)


def _of_ticket(row: Row) -> Row:
    """Return the fields that change. Imported tickets may lack some of them."""
    tags = [tag for tag in dict.fromkeys(map(one_spelling, row.get("tags") or [])) if not is_blank(tag)]
    title, description, category = (row.get(name) or "" for name in ("title", "description", "category"))
    terms = terms_of(title, description, category, tags, row.get("ai_summary"))
    new: Row = {"tags": tags, "terms": terms}
    return {name: value for name, value in new.items() if value != row.get(name)}


def _of_message(row: Row) -> Row:
    """Return the terms with those of the stored text, which is the beginning of the message, added."""
    mark = "=" if row["_id"] == row["session_id"] else ""
    added = (f"{mark}{term}" for term in search_terms(row["text"]))
    terms = list(dict.fromkeys([*row["terms"], *added]))[:MAX_TERMS]
    return {"terms": terms} if terms != row["terms"] else {}


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
