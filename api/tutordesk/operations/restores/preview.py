"""Compares a staged copy with the database: what a restore would add, change and remove in each collection."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import bson

from tutordesk.operations.catalog import EXACT, CollectionInfo, Database, list_collections, read_batches
from tutordesk.operations.names import DATA_EPOCH, TRANSIENT, staged_name

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


def preview(database: Database, staged: Iterable[CollectionInfo]) -> list[Difference]:
    """Return the differences between the staged copy and the database, of collections that differ."""
    left_out = (*TRANSIENT, DATA_EPOCH)
    existing = {collection.name for collection in list_collections(database) if collection.kind == "collection"}
    restored = {collection.name for collection in staged if collection.kind == "collection"}
    names = sorted((existing | restored) - set(left_out))
    differences = [_compare(database, name, name in existing, name in restored) for name in names]
    return [difference for difference in differences if difference.appear or difference.change or difference.vanish]


def _compare(database: Database, name: str, exists: bool, is_staged: bool) -> Difference:
    difference = Difference(name)
    before = {_key(document): hash(document) for document in _documents(database, name, exists)}
    for document in _documents(database, staged_name(name), is_staged):
        earlier = before.pop(_key(document), None)
        if earlier is None:
            difference.appear += 1
            difference.note("+", document)
        elif earlier != hash(document):
            difference.change += 1
            difference.note("~", document)
    difference.vanish = len(before)
    if before:
        for document in _documents(database, name, exists):
            if _key(document) in before:
                difference.note("-", document)
    return difference


def _documents(database: Database, name: str, exists: bool) -> Iterator[bytes]:
    if exists:
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
