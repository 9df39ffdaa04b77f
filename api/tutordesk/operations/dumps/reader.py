"""Opens a dump that comes from anywhere: refuses what leads out of its folder, what is damaged, and what is too new.

`open_dump` looks at names, metadata and versions; `Dump.check` reads every document once, before anything is written.
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

MAX_METADATA_BYTES = MAX_BYTES


@dataclass
class Dump:
    """`at`: the instant that it shows, when one of ours. `tallies` are there once it was checked."""

    folder: Path
    database: str
    server_version: str = ""
    collections: list[CollectionInfo] = field(default_factory=list)
    data: dict[str, Path] = field(default_factory=dict)
    oplog: Path | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of its files, packed as they may be."""
        return sum(path.stat().st_size for path in self.data.values())

    def documents(self, name: str) -> Iterator[bytes]:
        return read_documents(self.data[name]) if name in self.data else iter(())

    def entries(self) -> Iterator[bytes]:
        return read_documents(self.oplog) if self.oplog else iter(())

    def at(self) -> Timestamp | None:
        """The instant that a dump of ours shows: its oplog holds nothing but that."""
        first = next(self.entries(), None)
        entry = bson.decode(first, EXACT) if first else {}
        return entry["ts"] if entry.get("o", {}).get("msg") == "tutordesk dump" else None

    def check(self, progress: Callable[[int, int], None] = lambda total, done: None) -> None:
        """Read all of it, and count. Raises OperatorError at the first damage."""
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
    """`folder` holds the folder of one database, or is it. Of several, `database` is meant. Raises OperatorError."""
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
        found = [inside / name for name in names if (inside / name).exists()]
        if collection.kind != "view" and len(found) != 1:
            raise OperatorError(
                f"{folder} cannot be restored: it holds {len(found)} files of {collection.name}, not one."
            )
        if found:
            dump.data[collection.name] = found[0]
    if strays := set(inside.glob("*.bson*")) - set(dump.data.values()) - {inside / OPLOG}:
        raise OperatorError(f"{folder} cannot be restored: {min(strays).name} has no metadata.")
    oplogs = [path for path in (top / OPLOG, top / f"{OPLOG}.gz") if path.exists()]
    dump.oplog = oplogs[0] if oplogs else None
    return dump


def _find_database(top: Path, folder: Path, database: str) -> Path:
    if any(top.glob("*.metadata.json*")):
        return top
    found = [
        path for path in top.iterdir() if any(path.glob("*.metadata.json*")) and path.name not in ("admin", "config")
    ]
    if len(found) > 1:
        found = [path for path in found if path.name == database] or found
    if len(found) != 1:
        what = f"several databases, none of them {database}" if found else "no dump"
        raise OperatorError(f"{folder} holds {what}.")
    return found[0]


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
                    return str(json.loads(file.read(CHUNK_OF_PRELUDE))["ServerVersion"])
            except (OSError, EOFError, ValueError, KeyError, TypeError):
                raise OperatorError(f"{path.name} cannot be read.") from None
    return ""


CHUNK_OF_PRELUDE = 4096


def refuse_newer(made_by: str, running: str) -> None:
    """Raises OperatorError when a dump was made by a newer major version than the one that is to take it."""
    numbers = made_by.split(".")[0], running.split(".")[0]
    if made_by and not numbers[0].isdigit():
        raise OperatorError(f"The dump is of an unknown version of MongoDB: {made_by!r}.")
    if made_by and int(numbers[0]) > int(numbers[1]):
        raise OperatorError(f"The dump was made by MongoDB {made_by}, which is newer than this one, {running}.")
