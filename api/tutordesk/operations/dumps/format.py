"""The folder that mongodump writes and mongorestore reads: its names, its metadata, and its documents.

    DIR/<database>/prelude.json                  versions of the server and the tool
    DIR/<database>/<collection>.metadata.json    options, indexes, uuid, name and type, as Extended JSON in one line
    DIR/<database>/<collection>.bson             the documents, one after another; none for a view
    DIR/oplog.bson                               oplog entries, one after another

With gzip every file gets `.gz`, but oplog.bson keeps its name and is compressed too. Depends on nothing but bson.
"""

import base64
import gzip
import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast
from urllib.parse import quote_plus

from bson import Timestamp, json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.json_util import CANONICAL_JSON_OPTIONS

from tutordesk.ground.operator_error import OperatorError

MAX_NAME_CHARACTERS, KEPT_OF_LONG_NAME = 238, 208
MAX_BYTES = 16 * 2**20 + 16 * 2**10
CHUNK = 2**20
PRELUDE, OPLOG = "prelude.json", "oplog.bson"
Kind = Literal["collection", "view", "timeseries"]
Spec = dict[str, Any]
EXACT: CodecOptions[Spec] = CodecOptions(
    document_class=dict, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


@dataclass
class CollectionInfo:
    """What a database tells of one collection. `indexes` are as listIndexes gives them."""

    name: str
    kind: Kind = "collection"
    options: Spec = field(default_factory=dict)
    indexes: list[Spec] = field(default_factory=list)
    uuid: str = ""

    @property
    def data_name(self) -> str:
        """The collection that holds its documents."""
        return f"system.buckets.{self.name}" if self.kind == "timeseries" else self.name

    def as_metadata(self) -> str:
        fields: Spec = {"options": self.options} if self.options else {}
        fields["indexes"] = self.indexes
        if self.uuid:
            fields["uuid"] = self.uuid
        fields |= {"collectionName": self.name, "type": self.kind}
        text: str = json_util.dumps(fields, json_options=CANONICAL_JSON_OPTIONS, separators=(",", ":"))
        return text

    @classmethod
    def from_metadata(cls, text: str) -> "CollectionInfo":
        """Raises OperatorError."""
        try:
            fields = json_util.loads(text, json_options=CANONICAL_JSON_OPTIONS)
            indexes = [{key: index[key] for key in index if key != "ns"} for index in fields.get("indexes", [])]
            found = cls(
                name=fields["collectionName"],
                kind=fields.get("type", "collection"),
                options=fields.get("options", {}),
                indexes=indexes,
                uuid=fields.get("uuid", ""),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise OperatorError(f"its metadata cannot be read ({type(error).__name__})") from None
        is_whole = isinstance(found.name, str) and isinstance(found.options, dict)
        if not is_whole or found.kind not in ("collection", "view", "timeseries"):
            raise OperatorError("its metadata is not what mongodump writes")
        if not found.name or re.search(r"[$\0]", found.name) or found.name.startswith(("system.", ".")):
            raise OperatorError(f"{found.name!r} is no name of a collection")
        return found


def file_name(collection: str) -> str:
    """How mongodump names the files of a collection, without their ending."""
    escaped = quote_plus(collection)
    if len(escaped) <= MAX_NAME_CHARACTERS:
        return escaped
    digest = base64.urlsafe_b64encode(hashlib.sha1(collection.encode()).digest()).rstrip(b"=").decode()
    return f"{escaped[:KEPT_OF_LONG_NAME]}%24{digest}"


def open_file(path: Path) -> IO[bytes]:
    """The bytes of a file of a dump, unpacked if it is packed, whatever its name."""
    with path.open("rb") as start:
        is_packed = start.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if is_packed else path.open("rb")


def read_documents(path: Path) -> Iterator[bytes]:
    """The documents of a .bson file, each checked to be as long as it says. Raises OperatorError."""
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


@dataclass(slots=True)
class Tally:
    """How many documents a collection holds, and a hash of them that their order does not change."""

    count: int = 0
    size: int = 0
    digest: int = 0

    def add(self, documents: Iterable[bytes]) -> "Tally":
        digest = self.digest
        for document in documents:
            self.count += 1
            self.size += len(document)
            digest += int.from_bytes(hashlib.sha256(document).digest(), "little")
        self.digest = digest % 2**256
        return self


def marker(at: Timestamp) -> Spec:
    """The entry that does nothing, in the oplog.bson of a dump that holds the database as it was at this instant."""
    return {"ts": at, "v": 2, "op": "n", "ns": "", "o": {"msg": "tutordesk dump"}}
