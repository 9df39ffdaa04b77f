"""Reads what a database holds: its collections with options and indexes, its version, its newest oplog entry.

A restored copy lies beside the database's own collections, under names with a prefix. All functions block: they use
PyMongo in the calling thread, because operations run in commands and in threads of their own.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bson import Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database as PyMongoDatabase
from pymongo.read_concern import ReadConcern

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.names import DATABASE, STAGING

Spec = dict[str, Any]  # a document of MongoDB, of any shape
Client = MongoClient[Spec]
Database = PyMongoDatabase[Spec]
MIN_MONGODB_VERSION = 6
CONNECT_SECONDS = 5
MAX_INDEXES = 64  # of a collection, by MongoDB
Kind = Literal["collection", "view", "timeseries"]
EXACT: CodecOptions[Spec] = CodecOptions(
    document_class=dict, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
RAW: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


@dataclass
class CollectionInfo:
    """What a database says of one collection. `indexes` are as listIndexes returns them."""

    name: str
    kind: Kind = "collection"
    options: Spec = field(default_factory=dict)
    indexes: list[Spec] = field(default_factory=list)
    uuid: str = ""

    @property
    def data_name(self) -> str:
        """The name of the collection that holds the documents."""
        return f"system.buckets.{self.name}" if self.kind == "timeseries" else self.name


@dataclass(slots=True)
class Tally:
    """The number and size of a collection's documents, and a hash of them that does not depend on their order."""

    count: int = 0
    size: int = 0
    digest: int = 0

    def add(self, documents: Iterable[bytes]) -> "Tally":
        """Count more documents. Returns itself."""
        digest = self.digest
        for document in documents:
            self.count += 1
            self.size += len(document)
            digest += int.from_bytes(hashlib.sha256(document).digest(), "little")
        self.digest = digest % 2**256
        return self


def connect(url: str, seconds: float = CONNECT_SECONDS) -> Client:
    """Return a client for long operations, which waits with a limit only for the server to be found."""
    wait = int(seconds * 1000)
    return MongoClient(url, appname="tutordesk", serverSelectionTimeoutMS=wait, connectTimeoutMS=wait)


def connect_to_follow(url: str) -> Client:
    """Return a client for short operations, which leaves a hanging primary for its successor."""
    return MongoClient(
        url,
        appname="tutordesk",
        serverSelectionTimeoutMS=CONNECT_SECONDS * 1000,
        socketTimeoutMS=8_000,
        connectTimeoutMS=2_000,
        heartbeatFrequencyMS=2_000,
    )


def database_name(client: Client) -> str:
    """Return the name of the database in the URL's path."""
    return client.get_default_database(DATABASE).name


def version(client: Client) -> str:
    """Return the server's version. Raises OperatorError for one that is too old."""
    number: str = client.server_info()["version"]
    if int(number.split(".")[0]) < MIN_MONGODB_VERSION:
        raise OperatorError(f"This MongoDB is {number}; Tutordesk needs {MIN_MONGODB_VERSION}.0 or newer.")
    return number


def list_collections(database: Database, prefix: str = "") -> list[CollectionInfo]:
    """Return the collections under `prefix`, which is cut off; without one, those that are not staged."""
    exact = database.with_options(codec_options=EXACT)
    collections = []
    for row in exact.list_collections():
        name = row["name"]
        is_meant = name.startswith(prefix) if prefix else not name.startswith(STAGING)
        if not is_meant or name.startswith("system."):
            continue
        kind = row["type"]
        indexes = _list_indexes(exact, name) if kind == "collection" else []
        uuid = row["info"]["uuid"].hex() if "uuid" in row["info"] else ""
        collections.append(CollectionInfo(name[len(prefix) :], kind, dict(row["options"]), indexes, uuid))
    return sorted(collections, key=lambda collection: collection.name)


def _list_indexes(database: Database, collection: str) -> list[Spec]:
    """Return the indexes of a collection. By command, because the driver refuses some names that MongoDB takes."""
    command = {"listIndexes": collection, "cursor": {"batchSize": MAX_INDEXES}}
    return [dict(spec) for spec in database.command(command, codec_options=EXACT)["cursor"]["firstBatch"]]


@dataclass(frozen=True, slots=True)
class Position:
    """The place of an oplog entry: its time, and the term of the replica set (None: unknown)."""

    ts: Timestamp
    term: int | None = None


def newest_entry(client: Client) -> Position:
    """Return the newest entry that a majority holds and that is not inside a transaction. Raises OperatorError."""
    oplog = client["local"].get_collection("oplog.rs", read_concern=ReadConcern("majority"))
    for entry in oplog.find(projection={"ts": 1, "t": 1, "o.partialTxn": 1}).sort("$natural", -1):
        if not entry.get("o", {}).get("partialTxn"):
            return Position(entry["ts"], entry["t"])
    raise OperatorError("This MongoDB keeps no oplog: it is not a replica set.")


def read_batches(database: Database, collection: str, at: Timestamp | None = None) -> Iterator[list[bytes]]:
    """Yield all documents of a collection as raw bytes, now or as they were `at` an instant of the last minutes."""
    concern: Spec = {"level": "snapshot", "atClusterTime": at} if at else {"level": "local"}
    with database.client.start_session(causal_consistency=False) as session:
        find = {"find": collection, "batchSize": 10_000, "noCursorTimeout": False, "readConcern": concern}
        cursor = database.command(find, session=session, codec_options=RAW)["cursor"]
        batch, cursor_id = cursor["firstBatch"], cursor["id"]
        while True:
            if batch:
                yield [document.raw for document in batch]
            if not cursor_id:
                return
            more = {"getMore": cursor_id, "collection": collection, "batchSize": 100_000}
            cursor = database.command(more, session=session, codec_options=RAW)["cursor"]
            batch, cursor_id = cursor["nextBatch"], cursor["id"]


def tally(database: Database, collection: str, at: Timestamp | None = None) -> Tally:
    """Count a collection's documents, now or as they were `at` an instant of the last minutes."""
    total = Tally()
    for batch in read_batches(database, collection, at):
        total.add(batch)
    return total
