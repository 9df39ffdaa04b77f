"""Opens dumps from anywhere: checks names, metadata and versions, and refuses what leads out of the folder.

It takes what mongodump has written since its first versions. What a restore leaves out is told by a note.
"""

import json
import re
import zlib
from pathlib import Path

import bson

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, Spec
from tutordesk.operations.dumps.format import (
    DATA,
    MAX_BYTES,
    METADATA,
    OPLOG,
    PRELUDE,
    file_name,
    name_of_file,
    open_file,
    read_documents,
)
from tutordesk.operations.dumps.metadata import collection_of
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.names import STAGING

MAX_METADATA_BYTES, MAX_PRELUDE_BYTES = MAX_BYTES, 4096


def open_dump(folder: Path, database: str, shown: str = "") -> Dump:
    """Open the dump in `folder`, which is the folder of a database or holds it; of several, that of `database`.

    Raises OperatorError, which names the folder as `shown`.
    """
    shown = shown or str(folder)
    if not folder.is_dir():
        raise OperatorError(f"{shown} is not a folder.")
    top = folder.resolve()
    for path in top.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise OperatorError(
                f"{shown} holds {path.relative_to(top)}, which is a link or no file; a dump holds none."
            )
    inside = _find_database(top, shown, database)
    dump = Dump(top, inside.name, server_version=_server_version([inside, top]))
    metadata, data = _files(inside, METADATA, shown), _files(inside, DATA, shown)
    if inside == top and "oplog" not in metadata:
        data.pop("oplog", None)
    for escaped in sorted({*metadata, *data}):
        try:
            _add(dump, escaped, metadata, data)
        except OperatorError as error:
            named = metadata.get(escaped, data.get(escaped, inside)).name
            raise OperatorError(f"{shown} cannot be restored: of {named}, {error}.") from None
    oplogs = [path for path in (top / OPLOG, top / f"{OPLOG}.gz") if path.exists() and path not in dump.data.values()]
    dump.oplog = oplogs[0] if oplogs else None
    return dump


def _add(dump: Dump, escaped: str, metadata: dict[str, Path], data: dict[str, Path]) -> None:
    """Add a collection by the name of its files, or a note why it is left out. Raises OperatorError."""
    name = name_of_file(escaped)
    if name.startswith(("system.", "$admin.")):
        series = name.removeprefix("system.buckets.")
        if series == name or series not in map(name_of_file, metadata):  # else the note on the time series tells it
            dump.notes.append(f"{name} is left out, because it belongs to MongoDB itself.")
        return
    text = _read_text(metadata[escaped]) if escaped in metadata else ""
    collection, notes = collection_of(text, name, lambda: _former_indexes(name, data.get("system.indexes")))
    name = collection.name
    if not name or re.search(r"[$\0]", name) or name.startswith(("system.", ".")):
        raise OperatorError(f"{name!r} is not a valid collection name")
    if escaped not in (file_name(name), name):
        raise OperatorError(f"the metadata is that of another collection, {name!r}")
    if name.startswith(STAGING):
        notes = [f"{name} is left out, because it remained from an interrupted restore."]
    elif collection.kind == "timeseries":
        tool = f"`mongorestore --nsInclude={dump.database}.{name}`"
        notes = [f"{name} is a time series. `tutordesk restore` leaves it out; {tool} restores it."]
    else:
        if escaped in data:
            dump.data[name] = data[escaped]
        if collection.kind == "view" and name in dump.data:
            collection.kind, collection.options = "collection", {}
            notes.append(f"{name} is a view, and restored as a collection, because the dump holds its documents.")
        elif collection.kind == "collection" and name not in dump.data:
            raise OperatorError("there is no .bson file of its documents")
        dump.collections.append(collection)
    dump.notes += notes


def _files(folder: Path, ending: str, shown: str) -> dict[str, Path]:
    """Return the files with this ending, packed or plain, by the rest of their names. Raises OperatorError."""
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.removesuffix(".gz")
        if name.endswith(ending):
            escaped = name.removesuffix(ending)
            if escaped in files:
                raise OperatorError(f"{shown} cannot be restored: it holds {name} twice, packed and plain.")
            files[escaped] = path
    return files


def _holds_collections(folder: Path) -> bool:
    return folder.is_dir() and any(
        path.name.removesuffix(".gz").endswith((METADATA, DATA)) and path.name.removesuffix(".gz") != OPLOG
        for path in folder.iterdir()
    )


def _find_database(top: Path, shown: str, database: str) -> Path:
    if _holds_collections(top):
        return top
    folders = [path for path in top.iterdir() if _holds_collections(path) and path.name not in ("admin", "config")]
    if len(folders) > 1:
        folders = [path for path in folders if path.name == database] or folders
    if len(folders) != 1:
        content = f"several databases, none of them {database}" if folders else "no dump"
        raise OperatorError(f"{shown} holds {content}.")
    return folders[0]


def _read_text(path: Path) -> str:
    """Return the text of a .metadata.json. Raises OperatorError."""
    try:
        with open_file(path) as file:
            text = file.read(MAX_METADATA_BYTES + 1)
        if len(text) > MAX_METADATA_BYTES:
            raise OperatorError("its metadata is too long")
        return text.decode("utf-8-sig")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise OperatorError(f"its metadata cannot be read ({type(error).__name__})") from None


def _former_indexes(name: str, path: Path | None) -> list[Spec] | None:
    """Return the collection's indexes that a mongodump without metadata wrote to system.indexes, or None."""
    if not path:
        return None
    indexes = [bson.decode(document, EXACT) for document in read_documents(path)]
    return [index for index in indexes if str(index.get("ns")).partition(".")[2] == name]


def _server_version(folders: list[Path]) -> str:
    for path in (folder / f"{PRELUDE}{end}" for folder in folders for end in ("", ".gz")):
        if path.exists():
            try:
                with open_file(path) as file:
                    return str(json.loads(file.read(MAX_PRELUDE_BYTES))["ServerVersion"])
            except (OSError, EOFError, ValueError, KeyError, TypeError):
                raise OperatorError(f"{path.name} cannot be read.") from None
    return ""
