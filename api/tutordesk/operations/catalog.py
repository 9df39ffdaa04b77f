"""What a database holds: its collections with options and indexes, its version, and the instant it is at.

Collections are named with a prefix where a restored copy lies beside the database's own (see restore.py). PyMongo, in
the calling thread; depends on dump_format alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bson import Timestamp
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database as PyMongoDatabase
from pymongo.read_concern import ReadConcern

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.dumps.format import EXACT, CollectionInfo, Tally

Client = MongoClient[Any]
Database = PyMongoDatabase[Any]
MIN_MONGODB_VERSION = 6
CONNECT_SECONDS = 5
# The beats of running servers and what they call to each other: of no worth to another server or another day.
PASSING = ("owners", "room_signals", "leases")
STAGING = "restoring."
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def connect(url: str, seconds: float = CONNECT_SECONDS) -> Client:
    """A client for long operations: it waits only for the server to be found."""
    wait = int(seconds * 1000)
    return MongoClient(url, appname="tutordesk", serverSelectionTimeoutMS=wait, connectTimeoutMS=wait)


def connect_to_follow(url: str) -> Client:
    """A client for short operations, that leaves a primary which hangs for the one that takes its place."""
    return MongoClient(
        url,
        appname="tutordesk",
        serverSelectionTimeoutMS=CONNECT_SECONDS * 1000,
        socketTimeoutMS=8_000,
        connectTimeoutMS=2_000,
        heartbeatFrequencyMS=2_000,
    )


def database_name(client: Client) -> str:
    """The database that the URL's path names."""
    return client.get_default_database("tutordesk").name


def version(client: Client) -> str:
    """Raises OperatorError for one that is too old."""
    found: str = client.server_info()["version"]
    if int(found.split(".")[0]) < MIN_MONGODB_VERSION:
        raise OperatorError(f"This MongoDB is {found}; Tutordesk needs {MIN_MONGODB_VERSION}.0 or newer.")
    return found


def list_collections(database: Database, prefix: str = "") -> list[CollectionInfo]:
    """The collections whose names begin with `prefix`, which is cut off; without one, none that are being restored."""
    exact = database.with_options(codec_options=EXACT)
    found = []
    for row in exact.list_collections():
        name = row["name"]
        is_meant = name.startswith(prefix) if prefix else not name.startswith(STAGING)
        if not is_meant or name.startswith("system."):
            continue
        kind = row["type"]
        indexes = [] if kind != "collection" else [dict(spec) for spec in exact[name].list_indexes()]
        uuid = row["info"]["uuid"].hex() if "uuid" in row["info"] else ""
        found.append(CollectionInfo(name[len(prefix) :], kind, dict(row["options"]), indexes, uuid))
    return sorted(found, key=lambda one: one.name)


@dataclass(frozen=True, slots=True)
class Position:
    """An entry of the oplog: when, and in which term of the replica set (None: not known)."""

    ts: Timestamp
    term: int | None = None


def newest_entry(client: Client) -> Position:
    """The newest one that a majority holds and that lies in no transaction's middle."""
    oplog = client["local"].get_collection("oplog.rs", read_concern=ReadConcern("majority"))
    for entry in oplog.find(projection={"ts": 1, "t": 1, "o.partialTxn": 1}).sort("$natural", -1):
        if not entry.get("o", {}).get("partialTxn"):
            return Position(entry["ts"], entry["t"])
    raise OperatorError("This MongoDB keeps no oplog: it is not a replica set.")


def read_batches(database: Database, collection: str, at: Timestamp | None = None) -> Iterator[list[bytes]]:
    """All documents of a collection as they lie there, now or as they were `at` an instant of the last minutes."""
    concern: dict[str, Any] = {"level": "snapshot", "atClusterTime": at} if at else {"level": "local"}
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
    found = Tally()
    for batch in read_batches(database, collection, at):
        found.add(batch)
    return found
