"""The format of mongodump's folders: names of files, and documents.

    DIR/<database>/prelude.json                  versions of the server and the tool
    DIR/<database>/<collection>.metadata.json    options, indexes, uuid, name and type, as Extended JSON in one line
    DIR/<database>/<collection>.bson             the documents, one after another; none for a view
    DIR/oplog.bson                               oplog entries, one after another

With gzip every file name ends with `.gz`, but oplog.bson, which is compressed too, keeps its name.
"""

import base64
import gzip
import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote_plus, unquote_plus

from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Spec

MAX_NAME_CHARACTERS, KEPT_OF_LONG_NAME = 238, 208
MAX_BYTES = 16 * 2**20 + 16 * 2**10
CHUNK = 2**20
PRELUDE, OPLOG = "prelude.json", "oplog.bson"
METADATA, DATA = ".metadata.json", ".bson"


def file_name(collection: str) -> str:
    """Return mongodump's name for the files of a collection, without the ending."""
    escaped = quote_plus(collection)
    if len(escaped) <= MAX_NAME_CHARACTERS:
        return escaped
    digest = base64.urlsafe_b64encode(hashlib.sha1(collection.encode()).digest()).rstrip(b"=").decode()
    return f"{escaped[:KEPT_OF_LONG_NAME]}%24{digest}"


def name_of_file(escaped: str) -> str:
    """Return the collection's name by the name of its files without the ending. Old tools did not escape it."""
    name = unquote_plus(escaped)
    return name if quote_plus(name) == escaped else escaped


def open_file(path: Path) -> IO[bytes]:
    """Open a file of a dump, decompressed if it is compressed, whatever its name."""
    with path.open("rb") as start:
        is_packed = start.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if is_packed else path.open("rb")


def read_documents(path: Path) -> Iterator[bytes]:
    """Yield the documents of a .bson file, each checked to have the length it states. Raises OperatorError."""
    offset = 0
    try:
        with open_file(path) as file:
            rest = b""
            while chunk := file.read(CHUNK):
                rest += chunk
                start = 0
                while start + 4 <= len(rest):
                    length = struct.unpack_from("<i", rest, start)[0]
                    if not 5 <= length <= MAX_BYTES:
                        raise OperatorError(f"{path.name} is damaged at byte {offset + start}.")
                    if start + length > len(rest):
                        break
                    if rest[start + length - 1]:
                        raise OperatorError(f"{path.name} is damaged at byte {offset + start}.")
                    yield rest[start : start + length]
                    start += length
                rest, offset = rest[start:], offset + start
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise OperatorError(f"{path.name} cannot be read ({type(error).__name__}).") from None
    if rest:
        raise OperatorError(f"{path.name} ends in the middle of a document, at byte {offset}.")


def marker(at: Timestamp) -> Spec:
    """Return the entry, without effect, that tells a dump's instant in its oplog.bson."""
    return {"ts": at, "v": 2, "op": "n", "ns": "", "o": {"msg": "tutordesk dump"}}
