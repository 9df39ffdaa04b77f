"""Writes documents as they are, where MongoDB would change them.

MongoDB replaces an empty Timestamp(0, 0) at the top level of what is inserted, or replaces a document, by the time.
An update by a pipeline keeps it.
"""

import re
from collections.abc import Mapping
from typing import Any

from bson import Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateOne

from tutordesk.operations.catalog import RAW, Spec

# The type's byte, a name, the end of the name, and eight bytes of zeros. A match may also be inside another value.
EMPTY_TIMESTAMP = re.compile(rb"\x11[^\0]*\0{9}")


def writing(document: bytes) -> InsertOne[RawBSONDocument] | UpdateOne:
    """Return the write that makes this new document."""
    row = RawBSONDocument(document, RAW)
    if is_changed_by_insert(row):
        return UpdateOne({"_id": row["_id"]}, replacing(row), upsert=True)
    return InsertOne(row)


def is_changed_by_insert(document: RawBSONDocument) -> bool:
    """Return whether MongoDB would replace an empty timestamp in the document."""
    if not EMPTY_TIMESTAMP.search(document.raw):
        return False
    return any(document[name] == Timestamp(0, 0) for name in document if name != "_id")


def replacing(document: Mapping[str, Any]) -> list[Spec]:
    """Return the update after which the document is exactly this one. As an upsert, it also creates the document."""
    return [{"$replaceWith": {"$literal": document}}]
