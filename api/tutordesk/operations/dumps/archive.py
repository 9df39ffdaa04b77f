"""Unpacks an archive of `mongodump --archive` to the folder that mongodump would have written.

    6d e2 99 81, a header, {db, collection, metadata, type} of each collection, ff ff ff ff
    then {db, collection, EOF: false}, documents, ff ff ff ff   of one collection after another, in turns
    and  {db, collection, EOF: true, CRC}, ff ff ff ff          when a collection is complete

With gzip, all of it is one compressed stream. A restore reads a dump twice, so an archive cannot be restored as it
arrives. Every collection has to be complete and to have its CRC.
"""

import contextlib
import gzip
import json
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import bson
from fastcrc import crc64

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, Spec
from tutordesk.operations.dumps.format import DATA, MAX_BYTES, METADATA, OPLOG, PRELUDE, file_name
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.names import INVALID_IN_DATABASE, OF_MONGODB

MAGIC, GZIP_MAGIC = b"\x6d\xe2\x99\x81", b"\x1f\x8b"
END = b"\xff\xff\xff\xff"
# What readers raise for bytes that mongodump did not write.
DAMAGE = (
    *(EOFError, gzip.BadGzipFile, zlib.error, struct.error, bson.errors.BSONError),
    *(ValueError, KeyError, TypeError, AttributeError),
)
# A namespace of the archive: its database (none: the oplog) and collection.
Namespace = tuple[str, str]


@contextlib.contextmanager
def opened(source: IO[bytes], shown: str, database: str, scratch: Path) -> Iterator[Dump]:
    """Yield the dump in an archive, unpacked below the folder `scratch` until the end. Raises OperatorError."""
    with contextlib.ExitStack() as stack:
        try:
            scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-", dir=scratch)))
            unpack(source, folder, shown)
        except DAMAGE:
            raise OperatorError(
                f"{shown} is damaged or cut off. Nothing was changed; make the archive again."
            ) from None
        except OSError as error:
            raise OperatorError(f"{shown} cannot be unpacked in {scratch} ({error.strerror}).") from None
        yield open_dump(folder, database, shown)


def unpack(source: IO[bytes], folder: Path, shown: str) -> None:
    """Write the collections of an archive to `folder`. Raises OperatorError, and what reading damage raises."""
    if _peek(source).startswith(GZIP_MAGIC):
        source = cast(IO[bytes], gzip.GzipFile(fileobj=source))
    if source.read(len(MAGIC)) != MAGIC:
        raise OperatorError(f"{shown} is neither a folder nor an archive of mongodump.")
    header, *infos = map(_decode, _documents(source))
    collections = {(info["db"], info["collection"]): Collection(folder, info) for info in infos}
    prelude = {"ServerVersion": header["server_version"], "ToolVersion": header["tool_version"]}
    (folder / PRELUDE).write_text(json.dumps(prelude))
    with contextlib.ExitStack() as stack:
        while (start := source.read(4)) != b"":
            _read_block(source, start, folder, collections, stack)
    if any(not collection.is_complete for collection in collections.values()):
        raise EOFError


class Collection:
    """One collection of the archive: its files, and the CRC of the documents so far."""

    def __init__(self, folder: Path, info: Spec) -> None:
        database, self.name = info["db"], info["collection"]
        fields = json.loads(info.get("metadata") or "{}")
        if INVALID_IN_DATABASE.search(database) or not self.name or "\0" in self.name or not isinstance(fields, dict):
            raise ValueError
        is_without_data = "viewOn" in (fields.get("options") or {}) or info.get("type") in ("view", "timeseries")
        self.crc, self.is_complete = 0, is_without_data
        self.is_written = database not in OF_MONGODB
        self._inside = folder / database
        self._path = self._inside / f"{file_name(self.name)}{DATA}" if database else folder / OPLOG
        if database and self.is_written:
            self._inside.mkdir(mode=0o700, exist_ok=True)
            if info.get("type") or fields:
                text = json.dumps({"collectionName": self.name, **fields}, ensure_ascii=False)
                (self._inside / f"{file_name(self.name)}{METADATA}").write_text(text)
        self._file: IO[bytes] | None = None
        if self.is_written and not is_without_data:
            self._path.touch()

    def write(self, document: bytes, stack: contextlib.ExitStack) -> None:
        """Add a document."""
        self.crc = crc64.xz(document, self.crc)
        if self.is_written:
            self._file = self._file or stack.enter_context(self._path.open("ab", buffering=2**20))
            self._file.write(document)

    def complete(self, crc: int) -> None:
        """Check the CRC at the end of the collection. Raises ValueError."""
        if self.crc != crc % 2**64:
            raise ValueError
        if self._file:
            self._file.close()
        self.is_complete = True


def _read_block(
    source: IO[bytes], start: bytes, folder: Path, collections: dict[Namespace, Collection], stack: contextlib.ExitStack
) -> None:
    header = _decode(_document(source, start))
    namespace = header["db"], header["collection"]
    if namespace not in collections:  # the buckets of a time series, and the oplog, may be missing in the list
        collections[namespace] = Collection(folder, header)
    collection = collections[namespace]
    for document in _documents(source):
        collection.write(document, stack)
    if header["EOF"]:
        collection.complete(header["CRC"])


def _documents(source: IO[bytes]) -> Iterator[bytes]:
    """Yield documents up to the mark that ends them."""
    while (start := source.read(4)) != END:
        yield _document(source, start)


def _document(source: IO[bytes], start: bytes) -> bytes:
    (length,) = struct.unpack("<i", start)
    if not 5 <= length <= MAX_BYTES:
        raise ValueError
    rest = source.read(length - 4)
    if len(rest) != length - 4 or rest[-1]:
        raise EOFError
    return start + rest


def _decode(document: bytes) -> Spec:
    return bson.decode(document, EXACT)


def _peek(source: IO[bytes]) -> bytes:
    return cast(bytes, source.peek(len(GZIP_MAGIC)))  # type: ignore[attr-defined]  # of every buffered reader
