"""`tutordesk dump`: writes the database, as it is at one instant, to a folder that mongorestore reads too.

All collections are read at one timestamp (snapshot reads, MongoDB 5+), so no change is half in the dump; only capped
collections cannot be read so. When a collection or an index changes in the meantime, the dump starts again. The folder
appears when it is complete.
"""

import gzip
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import bson
import orjson
import pymongo.errors
from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import (
    Client,
    CollectionInfo,
    Database,
    database_name,
    list_collections,
    newest_entry,
    read_batches,
    version,
)
from tutordesk.operations.dumps.format import OPLOG, PRELUDE, file_name, marker
from tutordesk.operations.dumps.metadata import metadata_of

TRIES = 20
SNAPSHOT_UNAVAILABLE, SNAPSHOT_TOO_OLD = 246, 239
# Called with the total of bytes that are expected, and the bytes that are done.
Progress = Callable[[int, int], None]


def dump_database(client: Client, folder: Path, is_packed: bool = False, progress: Progress | None = None) -> Timestamp:
    """Write the URL's database to `folder`, which must not exist or be empty. Returns the instant of the dump.

    Raises OperatorError, and pymongo.errors.PyMongoError when the server goes away.
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise OperatorError(f"{folder} exists and is not an empty folder.")
    running_version = version(client)
    part = folder.with_name(f".{folder.name}.part")
    for attempt in range(TRIES):
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(mode=0o700, parents=True)
            at = _try_dump(client, running_version, part, is_packed, progress or (lambda total, done: None))
            if at:
                _settle(part, folder)
                return at
        except OSError as error:
            raise OperatorError(f"{folder} cannot be written ({error.strerror}).") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
        time.sleep(min(2.0, 0.05 * 2**attempt))
    raise OperatorError("Collections or indexes keep changing, so the dump was given up. Try again later.")


def _try_dump(client: Client, version: str, part: Path, is_packed: bool, progress: Progress) -> Timestamp | None:
    """Return the instant of the dump, or None when collections changed in the meantime."""
    database = client[database_name(client)]
    before = list_collections(database)
    at = newest_entry(client).ts
    if not before:
        raise OperatorError(f"The database {database.name} is empty: there is nothing to dump.")
    try:
        files = Files(part, part / database.name, is_packed)
        files.write_text(PRELUDE, orjson.dumps({"ServerVersion": version, "ToolVersion": "100.13.0"}).decode())
        total, done = _size(database, before), 0
        for collection in before:
            name = file_name(collection.name)
            files.write_text(f"{name}.metadata.json", metadata_of(collection))
            if collection.kind == "view":
                continue
            with files.open(f"{file_name(collection.data_name)}.bson") as file:
                instant = None if collection.options.get("capped") else at
                for batch in read_batches(database, collection.data_name, instant):
                    data = b"".join(batch)
                    file.write(data)
                    done += len(data)
                    progress(total, done)
        files.write_oplog(bson.encode(marker(at)))
    except pymongo.errors.OperationFailure as error:
        if error.code in (SNAPSHOT_UNAVAILABLE, SNAPSHOT_TOO_OLD):
            return None
        raise
    return at if before == list_collections(database) else None


class Files:
    """The files of a dump in the making: private, and compressed if `is_packed`."""

    def __init__(self, top: Path, folder: Path, is_packed: bool) -> None:
        folder.mkdir(mode=0o700)
        self._top, self._folder, self._is_packed = top, folder, is_packed

    def open(self, name: str) -> IO[bytes]:
        return _create(self._folder / (f"{name}.gz" if self._is_packed else name), self._is_packed)

    def write_text(self, name: str, text: str) -> None:
        with self.open(name) as file:
            file.write(text.encode())

    def write_oplog(self, entries: bytes) -> None:
        with _create(self._top / OPLOG, self._is_packed) as file:
            file.write(entries)


def _create(path: Path, is_packed: bool) -> IO[bytes]:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    opened = os.fdopen(file, "wb", buffering=2**20)
    return cast(IO[bytes], _Packed(opened)) if is_packed else opened


class _Packed(gzip.GzipFile):
    """A gzip file that closes the file it writes to."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0)
        self._file = file

    def close(self) -> None:
        super().close()
        self._file.close()


def _size(database: Database, collections: list[CollectionInfo]) -> int:
    """Return the bytes of all documents, as MongoDB counts them."""
    stored = [collection.data_name for collection in collections if collection.kind != "view"]
    return sum(int(database.command("collStats", name)["size"]) for name in stored)


def _settle(part: Path, folder: Path) -> None:
    """Sync the dump to the disk, and give it its name."""
    for path in [*part.rglob("*"), part]:
        sync(path)
    if folder.exists():
        folder.rmdir()
    part.rename(folder)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Sync a file, or a folder's list of files, to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
