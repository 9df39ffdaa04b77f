"""Compares a staged copy with the database: what a restore would add, change and remove in each collection."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import bson

from tutordesk.operations.catalog import EXACT, Database, list_collections, read_batches
from tutordesk.operations.names import DATA_EPOCH, STAGING, TRANSIENT

MAX_TITLES = 10
TITLE_KEYS = ("title", "display_name", "name", "text", "content")
MAX_TITLE_CHARACTERS = 70
OBJECT_ID_FIRST, OBJECT_ID = b"\x07_id\0", 12


@dataclass
class Difference:
    """How many documents of a collection differ, and the titles of the first few, each after `+`, `~` or `-`."""

    collection: str
    appear: int = 0
    change: int = 0
    vanish: int = 0
    titles: list[str] = field(default_factory=list)

    def note(self, sign: str, document: bytes) -> None:
        """Add the document's title, while there are few."""
        if sum(title.startswith(sign) for title in self.titles) < MAX_TITLES:
            self.titles.append(f"{sign} {_title(document)}")


def preview(database: Database) -> list[Difference]:
    """Return the differences between the staged copy and the database, of collections that differ."""
    left_out = (*TRANSIENT, DATA_EPOCH)
    existing = {collection.name for collection in list_collections(database) if collection.kind == "collection"}
    staged = {collection.name for collection in list_collections(database, STAGING)}
    names = sorted((existing | staged) - set(left_out))
    differences = [_compare(database, name, existing, staged) for name in names]
    return [difference for difference in differences if difference.appear or difference.change or difference.vanish]


def _compare(database: Database, name: str, existing: set[str], staged: set[str]) -> Difference:
    difference = Difference(name)
    before = {_key(document): hash(document) for document in _documents(database, name, existing)}
    for document in _documents(database, STAGING + name, {STAGING + document for document in staged}):
        earlier = before.pop(_key(document), None)
        if earlier is None:
            difference.appear += 1
            difference.note("+", document)
        elif earlier != hash(document):
            difference.change += 1
            difference.note("~", document)
    difference.vanish = len(before)
    if before:
        for document in _documents(database, name, existing):
            if _key(document) in before:
                difference.note("-", document)
    return difference


def _documents(database: Database, name: str, known: set[str]) -> Iterator[bytes]:
    if name in known:
        for batch in read_batches(database, name):
            yield from batch


def _key(document: bytes) -> bytes:
    """Return the bytes of the document's _id."""
    if document[4:9] == OBJECT_ID_FIRST:
        return document[9 : 9 + OBJECT_ID]
    return bson.encode({"_id": bson.decode(document, EXACT)["_id"]})


def _title(document: bytes) -> str:
    fields = bson.decode(document, EXACT)
    if isinstance(fields.get("question"), dict):
        fields |= fields["question"]
    text = next((fields[key] for key in TITLE_KEYS if isinstance(fields.get(key), str) and fields[key]), "")
    title = " ".join(text.split()) or str(fields["_id"])
    title = title if len(title) <= MAX_TITLE_CHARACTERS else f"{title[: MAX_TITLE_CHARACTERS - 1]}…"
    return title if title.isprintable() else title.encode("unicode_escape").decode()
