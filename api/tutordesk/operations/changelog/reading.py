"""Reads the change log of a folder: the records after an instant for a replay, or all of them to verify the log.

Each record vouches for the one before it, also across files, so a missing record is always noticed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bson import Timestamp
from bson.raw_bson import RawBSONDocument

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import RAW
from tutordesk.operations.changelog.files import segments, ts_of
from tutordesk.operations.changelog.records import MARK, Damage, is_torn, mark_of, scan


@dataclass(frozen=True, slots=True)
class Record:
    """A record: its oplog entry in bytes, and decoded."""

    entry: bytes
    document: RawBSONDocument

    @property
    def ts(self) -> Timestamp:
        ts: Timestamp = self.document["ts"]
        return ts


def read_log(folder: Path, after: Timestamp) -> Iterator[Record]:
    """Yield the records after an instant, marks included, without a torn tail at the end.

    Raises OperatorError for damage, for a missing file, and when the log begins later.
    """
    files = segments(folder)
    first = max((place for place, path in enumerate(files) if ts_of(path) <= after), default=None)
    if first is None:
        raise OperatorError(f"The change log in {folder} does not reach back to {after.time}:{after.inc}.")
    previous: bytes | None = None
    last = Timestamp(0, 0)
    for path in files[first:]:
        data = path.read_bytes()
        try:
            for _, entry, record_hash in scan(data, previous):
                previous = record_hash
                record = Record(entry, RawBSONDocument(entry, RAW))
                if record.ts < last:
                    raise OperatorError(f"The change log is not in order: {path.name} holds {record.ts} after {last}.")
                last = record.ts
                if last > after:
                    yield record
        except Damage as damage:
            if path != files[-1] or not is_torn(data, damage.offset):
                raise OperatorError(
                    f"The change log is damaged: {path.name}, byte {damage.offset}: {damage}."
                ) from None


@dataclass
class Verdict:
    """The result of `verify`: sentences about damage, and the torn tail as (file, offset, bytes)."""

    records: int = 0
    files: int = 0
    first: Timestamp | None = None
    last: Timestamp | None = None
    gaps: int = 0
    damage: tuple[str, ...] = ()
    torn: tuple[str, int, int] | None = None


def verify(folder: Path) -> Verdict:
    """Check every record of every file, and their chain."""
    verdict = Verdict()
    previous: bytes | None = None
    files = segments(folder)
    for path in files:
        verdict.files += 1
        data = path.read_bytes()
        try:
            for _, entry, record_hash in scan(data, previous):
                previous = record_hash
                document = RawBSONDocument(entry, RAW)
                if verdict.last and document["ts"] < verdict.last:
                    verdict.damage += (f"{path.name}: entries are not in order",)
                verdict.records += 1
                verdict.first = verdict.first or document["ts"]
                verdict.last = document["ts"]
                verdict.gaps += bool((mark := mark_of(document)) and mark[MARK] == "gap")
        except Damage as damage:
            if path == files[-1] and is_torn(data, damage.offset):
                verdict.torn = (path.name, damage.offset, len(data) - damage.offset)
            else:
                verdict.damage += (f"{path.name}, byte {damage.offset}: {damage}",)
                previous = None
    return verdict
