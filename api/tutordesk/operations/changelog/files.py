"""Writes the change log to disk: files of records in a private folder. reading.py reads them.

    changelog/lock                  held by the one writer
    changelog/log/<S>-<I>.oplog     records, named after the instant before the first: seconds-increment
    changelog/bases/<S>-<I>/        dumps of the database as it was at that instant

A record counts once it is on the disk. An interrupted write leaves a torn tail, which the next writer cuts off, because
MongoDB's oplog still has it. Damage anywhere else is left alone, and a new file begins after a gap.
"""

import errno
import fcntl
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from bson import Timestamp
from bson.raw_bson import RawBSONDocument

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import RAW, Position
from tutordesk.operations.changelog.records import NO_RECORD, Damage, hash_of, is_torn, mark, scan, seal
from tutordesk.operations.dumps.dump import sync

log = logging.getLogger(__name__)
SEGMENT_BYTES = 16 * 2**20
NAME = re.compile(r"(\d{10})-(\d{10})")


def name_of(ts: Timestamp) -> str:
    return f"{ts.time:010}-{ts.inc:010}"


def ts_of(path: Path) -> Timestamp:
    """Return the instant in the name of a file or folder of the log."""
    match = NAME.match(path.name)
    assert match
    return Timestamp(int(match[1]), int(match[2]))


def segments(folder: Path) -> list[Path]:
    """Return the log's files, oldest first."""
    return sorted(path for path in (folder / "log").glob("*.oplog") if NAME.fullmatch(path.stem))


def log_size(folder: Path) -> int:
    """Return the bytes of the log's files."""
    return sum(path.stat().st_size for path in segments(folder))


class Writer:
    """Appends to the log of `folder` while it is open. Raises OperatorError when another process does, and OSError.

    `position`: that of the last entry on the disk, None before `begin`. `damage`: a sentence about damage that is no
    torn tail; then `mark_gap` has to come first.
    """

    def __init__(self, folder: Path) -> None:
        self.position: Position | None = None
        self.damage = ""
        self._folder, self._file, self._size, self._is_dirty = folder, -1, 0, False
        self._hash = NO_RECORD
        for path in (folder, folder / "log"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._recover()
        except BlockingIOError:
            self.close()
            raise OperatorError(f"another process writes the change log in {folder}") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1

    def begin(self, position: Position) -> None:
        """Begin a new file, whose first record follows `position`. Raises OSError."""
        path = self._folder / "log" / f"{name_of(position.ts)}.oplog"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(file).st_size:  # names grow with the records, so only an empty file can exist
                raise FileExistsError(errno.EEXIST, "holds records", str(path))
            sync(path.parent)
        except OSError:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size, self._is_dirty, self.position = file, 0, False, position

    def append(self, entries: Sequence[bytes], last: Position) -> None:
        """Write entries to the disk, all or none. `last`: the position of the last entry.

        Raises OSError (a full disk), after which the log is unchanged and the call may be repeated.
        """
        assert self.position
        if self._is_dirty:
            self._cut()
        if self._size >= SEGMENT_BYTES:
            self.begin(self.position)
        records, last_hash = [], self._hash
        for entry in entries:
            records.append(seal(entry, last_hash))
            last_hash = hash_of(records[-1])
        data = b"".join(records)
        self._is_dirty = True
        try:
            _write_all(self._file, data)
            os.fdatasync(self._file)
        except OSError:
            self._cut()
            raise
        self._is_dirty = False
        self._size += len(data)
        self._hash, self.position = last_hash, last

    def mark_gap(self, since: Position, to: Position, reason: str) -> None:
        """Record that entries from `since` to `to` are missing, and continue after them. Raises OSError."""
        before = self.position
        try:
            if self.damage:
                self.begin(to)
            self.append([mark(to.ts, to.term or 0, "gap", since=since.ts, to=to.ts, reason=reason)], to)
        except OSError:
            self.position = before
            raise
        self.damage = ""

    def _cut(self) -> None:
        os.ftruncate(self._file, self._size)
        self._is_dirty = False

    def _recover(self) -> None:
        """Find the last whole record, and cut off what an interrupted write left behind it."""
        for path in reversed(segments(self._folder)):
            data = path.read_bytes()
            try:
                for _, entry, record_hash in scan(data, None):
                    last, self._hash = entry, record_hash
                torn = 0
            except Damage as damage:
                if not is_torn(data, damage.offset):
                    self.damage = f"{path.name} is damaged at byte {damage.offset}: {damage}"
                torn = len(data) - damage.offset
            whole = len(data) - torn
            if not self.position:
                self._open(path, data, whole, torn)
            if whole:
                document = RawBSONDocument(last, RAW)
                self.position = Position(document["ts"], document["t"])
                return

    def _open(self, path: Path, data: bytes, whole: int, torn: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        self._size, self.position = whole, Position(ts_of(path))
        if torn and not self.damage:
            self._cut()
            os.fsync(self._file)
            log.warning("the change log's tail was torn: %s was cut at byte %s, %s bytes", path.name, whole, torn)


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
