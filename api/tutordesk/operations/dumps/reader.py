"""Opens dumps from anywhere, and refuses those that lead out of their folder, are damaged, or are too new.

`open_dump` checks names, metadata and versions. `Dump.check` reads every document once, before anything is written.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bson
from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, CollectionInfo, Tally
from tutordesk.operations.dumps.format import (
    MAX_BYTES,
    OPLOG,
    PRELUDE,
    collection_of,
    file_name,
    open_file,
    read_documents,
)

MAX_METADATA_BYTES, MAX_PRELUDE_BYTES = MAX_BYTES, 4096


@dataclass
class Dump:
    """An opened dump of one database. `tallies`: of each collection, once the dump was checked."""

    folder: Path
    database: str
    server_version: str = ""
    collections: list[CollectionInfo] = field(default_factory=list)
    data: dict[str, Path] = field(default_factory=dict)
    oplog: Path | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)

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
            for document in self.documents(collection.name):
                batch.append(document)
                if len(batch) == 1000:
                    tally.add(batch)
                    progress(0, done + tally.size)
                    batch.clear()
            self.tallies[collection.name] = tally.add(batch)
            done += tally.size
        for _ in self.entries():
            pass


def open_dump(folder: Path, database: str) -> Dump:
    """Open the dump in `folder`, which is the folder of a database or holds it; of several, that of `database`.

    Raises OperatorError.
    """
    if not folder.is_dir():
        raise OperatorError(f"{folder} is not a folder.")
    top = folder.resolve()
    for path in top.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise OperatorError(
                f"{folder} holds {path.relative_to(top)}, which is a link or no file; a dump holds none."
            )
    inside = _find_database(top, folder, database)
    dump = Dump(top, inside.name)
    dump.server_version = _server_version([inside, top])
    for path in sorted(inside.glob("*.metadata.json*")):
        try:
            collection = _read_collection(path)
        except OperatorError as error:
            raise OperatorError(f"{folder} cannot be restored: of {path.name}, {error}.") from None
        dump.collections.append(collection)
        names = [f"{file_name(collection.data_name)}.bson{end}" for end in ("", ".gz")]
        files = [inside / name for name in names if (inside / name).exists()]
        if collection.kind != "view" and len(files) != 1:
            raise OperatorError(
                f"{folder} cannot be restored: it holds {len(files)} files of {collection.name}, not one."
            )
        if files:
            dump.data[collection.name] = files[0]
    if strays := set(inside.glob("*.bson*")) - set(dump.data.values()) - {inside / OPLOG}:
        raise OperatorError(f"{folder} cannot be restored: {min(strays).name} has no metadata.")
    oplogs = [path for path in (top / OPLOG, top / f"{OPLOG}.gz") if path.exists()]
    dump.oplog = oplogs[0] if oplogs else None
    return dump


def _find_database(top: Path, folder: Path, database: str) -> Path:
    if any(top.glob("*.metadata.json*")):
        return top
    folders = [
        path for path in top.iterdir() if any(path.glob("*.metadata.json*")) and path.name not in ("admin", "config")
    ]
    if len(folders) > 1:
        folders = [path for path in folders if path.name == database] or folders
    if len(folders) != 1:
        content = f"several databases, none of them {database}" if folders else "no dump"
        raise OperatorError(f"{folder} holds {content}.")
    return folders[0]


def _read_collection(path: Path) -> CollectionInfo:
    try:
        with open_file(path) as file:
            text = file.read(MAX_METADATA_BYTES + 1)
        if len(text) > MAX_METADATA_BYTES:
            raise OperatorError("its metadata is too long")
        collection = collection_of(text.decode())
    except (OSError, EOFError, ValueError) as error:
        raise OperatorError(f"its metadata cannot be read ({type(error).__name__})") from None
    if path.name.removesuffix(".gz") != f"{file_name(collection.name)}.metadata.json":
        raise OperatorError(f"the metadata is that of another collection, {collection.name!r}")
    return collection


def _server_version(folders: list[Path]) -> str:
    for path in (folder / f"{PRELUDE}{end}" for folder in folders for end in ("", ".gz")):
        if path.exists():
            try:
                with open_file(path) as file:
                    return str(json.loads(file.read(MAX_PRELUDE_BYTES))["ServerVersion"])
            except (OSError, EOFError, ValueError, KeyError, TypeError):
                raise OperatorError(f"{path.name} cannot be read.") from None
    return ""


def refuse_newer(made_by: str, running: str) -> None:
    """Raise OperatorError when a dump was made by a newer major version of MongoDB than the running one."""
    numbers = made_by.split(".")[0], running.split(".")[0]
    if made_by and not numbers[0].isdigit():
        raise OperatorError(f"The dump is of an unknown version of MongoDB: {made_by!r}.")
    if made_by and int(numbers[0]) > int(numbers[1]):
        raise OperatorError(f"The dump was made by MongoDB {made_by}, which is newer than this one, {running}.")
