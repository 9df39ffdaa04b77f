"""An opened dump: its collections and documents, which `Dump.check` reads once before anything is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bson
from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, CollectionInfo, Tally
from tutordesk.operations.dumps.format import (
    read_documents,
)

# Text that is not UTF-8 is no damage: MongoDB takes it.
LENIENT = EXACT.with_options(unicode_decode_error_handler="replace")


@dataclass
class Dump:
    """An opened dump of one database.

    `tallies`: of each collection, once the dump was checked. `notes`: sentences on what a restore leaves out.
    """

    folder: Path
    database: str
    server_version: str = ""
    collections: list[CollectionInfo] = field(default_factory=list)
    data: dict[str, Path] = field(default_factory=dict)
    oplog: Path | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of its files, as they are on the disk."""
        return sum(path.stat().st_size for path in self.data.values())

    def documents(self, name: str) -> Iterator[bytes]:
        return read_documents(self.data[name]) if name in self.data else iter(())

    def entries(self) -> Iterator[bytes]:
        return read_documents(self.oplog) if self.oplog else iter(())

    def at(self) -> Timestamp | None:
        """Return the instant of a dump made by `tutordesk dump`, whose oplog has nothing else."""
        first = next(self.entries(), None)
        entry = bson.decode(first, EXACT) if first else {}
        return entry["ts"] if entry.get("o", {}).get("msg") == "tutordesk dump" else None

    def check(self, progress: Callable[[int, int], None] = lambda total, done: None) -> None:
        """Read and count all documents. Raises OperatorError at the first damage."""
        done = 0
        for collection in self.collections:
            tally = Tally()
            batch: list[bytes] = []
            for number, document in enumerate(self.documents(collection.name), 1):
                if reason := _fault(document):
                    raise OperatorError(f"{self.data[collection.name].name}: document {number} {reason}.")
                batch.append(document)
                if len(batch) == 1000:
                    tally.add(batch)
                    progress(0, done + tally.size)
                    batch.clear()
            self.tallies[collection.name] = tally.add(batch)
            done += tally.size
        for _ in self.entries():
            pass


def _fault(document: bytes) -> str:
    """Return why MongoDB would refuse or change the document, or an empty text."""
    try:
        fields = bson.decode(document, LENIENT)
    except bson.errors.InvalidBSON:
        return "is damaged"
    return "" if next(iter(fields), "") == "_id" else "does not begin with its _id, as those of mongodump do"


def refuse_newer(made_by: str, running: str) -> None:
    """Raise OperatorError when a dump was made by a newer major version of MongoDB than the running one."""
    numbers = made_by.split(".")[0], running.split(".")[0]
    if made_by and not numbers[0].isdigit():
        raise OperatorError(f"The dump is of an unknown version of MongoDB: {made_by!r}.")
    if made_by and int(numbers[0]) > int(numbers[1]):
        raise OperatorError(f"The dump was made by MongoDB {made_by}, which is newer than this one, {running}.")
