"""Archives as `mongodump --archive` writes them: made from the folder of a dump, by the format's description."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
from bson import Int64
from fastcrc import crc64

from tutordesk.operations.dumps.format import read_documents

END = b"\xff\xff\xff\xff"


def archive_of(folder: Path, is_old: bool = False) -> bytes:
    """Return the archive of a dump. Its collections take turns, document by document, as several writers do.

    An old archive tells no types, and its metadata no names.
    """
    infos: list[dict[str, Any]] = []
    streams: list[Iterator[bytes]] = []
    for path in sorted(folder.glob("*/*.metadata.json")):
        fields = json.loads(path.read_text())
        name, kind = fields["collectionName"], fields["type"]
        if is_old:
            del fields["collectionName"], fields["type"]
        info = {"db": path.parent.name, "collection": name, "metadata": json.dumps(fields), "size": 0}
        infos.append(info if is_old else {**info, "type": kind})
        data = path.with_name(path.name.replace(".metadata.json", ".bson"))
        if data.exists():
            streams.append(_blocks(info["db"], name, data))
    if (folder / "oplog.bson").exists():
        streams.append(_blocks("", "oplog", folder / "oplog.bson"))
    header = {"concurrent_collections": 4, "version": "0.1", "server_version": "6.0.5", "tool_version": "100.13.0"}
    turns = itertools.chain.from_iterable(itertools.zip_longest(*streams, fillvalue=b""))
    return b"\x6d\xe2\x99\x81" + b"".join(map(bson.encode, [header, *infos])) + END + b"".join(turns)


def _blocks(database: str, collection: str, path: Path) -> Iterator[bytes]:
    crc = 0
    for document in read_documents(path):
        crc = crc64.xz(document, crc)
        yield block(database, collection, document)
    yield block(database, collection, crc=crc)


def block(database: str, collection: str, document: bytes = b"", crc: int | None = None) -> bytes:
    """Return a block with a document, or with the end of a collection and its CRC."""
    signed = (crc or 0) - (2**64 if (crc or 0) >= 2**63 else 0)
    header = {"db": database, "collection": collection, "EOF": crc is not None, "CRC": Int64(signed)}
    return bson.encode(header) + document + END
