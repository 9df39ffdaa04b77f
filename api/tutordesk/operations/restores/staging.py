"""Builds a copy of a database beside it, in collections named `restoring.…`, and checks it there.

They are in the same database, because renaming within one moves no data and needs no rights on another. Documents come
first, then what is replayed, then the indexes. Remains of an interrupted restore are dropped first.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

import pymongo.errors
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import RAW, CollectionInfo, Database, Spec, list_collections, tally
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.names import NOT_REPLACED, NOT_RESTORED, STAGING

THREADS = 4
BATCH_BYTES, BATCH_COUNT = 4 * 2**20, 5_000


def clear_staging(database: Database) -> None:
    """Drop the staged collections."""
    for collection in list_collections(database, STAGING):
        database.drop_collection(STAGING + collection.name)


def load(dump: Dump, database: Database, progress: Callable[[int, int], None]) -> dict[str, CollectionInfo]:
    """Create the dump's collections under their staging names and fill them. Returns them by name, without indexes.

    Views are returned but not created, because they refer to final names. `dump` was checked. Raises OperatorError when
    a collection differs from the dump's.
    """
    clear_staging(database)
    staged: dict[str, CollectionInfo] = {}
    total, done = sum(tally.size for tally in dump.tallies.values()), 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        progress(total, done)

    for collection in dump.collections:
        if collection.kind == "timeseries":
            raise OperatorError(
                f"{collection.name} is a time series, which Tutordesk does not restore; use mongorestore."
            )
        if collection.name in NOT_REPLACED:
            continue
        staged[collection.name] = collection
        if collection.kind == "view":
            continue
        database.create_collection(STAGING + collection.name, check_exists=False, **collection.options)
        if collection.name in NOT_RESTORED:
            continue
        threads = 1 if collection.options.get("capped") else THREADS
        _fill(database, STAGING + collection.name, dump.documents(collection.name), threads, count)
        if tally(database, STAGING + collection.name) != dump.tallies[collection.name]:
            raise OperatorError(f"{collection.name} differs from the dump after it was copied. Nothing was changed.")
    return staged


def _fill(
    database: Database, name: str, documents: Iterable[bytes], threads: int, count: Callable[[int], None]
) -> None:
    collection = database.get_collection(name, write_concern=WriteConcern(w=1))
    free = Semaphore(threads * 2)

    def insert(batch: list[bytes]) -> None:
        try:
            rows = [RawBSONDocument(document, RAW) for document in batch]
            collection.insert_many(rows, ordered=threads == 1, bypass_document_validation=True)
        finally:
            free.release()

    running = []
    with ThreadPoolExecutor(threads) as pool:
        for batch in _batches(documents):
            free.acquire()
            running.append(pool.submit(insert, batch))
            count(sum(map(len, batch)))
            if running[0].done():
                running.pop(0).result()
    for insertion in running:
        insertion.result()


def _batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if size >= BATCH_BYTES or len(batch) == BATCH_COUNT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def build_indexes(database: Database, staged: Iterable[CollectionInfo]) -> None:
    """Build the indexes of the staged collections, and check them. Raises OperatorError."""
    for collection in staged:
        missing = [spec for spec in collection.indexes if not _is_built_in(spec)]
        if collection.kind == "collection" and missing:
            try:
                database.command("createIndexes", STAGING + collection.name, indexes=missing)
            except pymongo.errors.OperationFailure as error:
                reason = (error.details or {}).get("codeName", error.code)
                raise OperatorError(f"The indexes of {collection.name} cannot be built: {reason}.") from None
    built = {collection.name: collection for collection in list_collections(database, STAGING)}
    for collection in staged:
        if collection.kind == "collection":
            copy = built.get(collection.name)
            if not copy or _by_name(copy.indexes) != _by_name(collection.indexes):
                raise OperatorError(f"The indexes of {collection.name} are not those of the dump. Nothing was changed.")


def _is_built_in(spec: Spec) -> bool:
    return spec["name"] == "_id_" or bool(spec.get("clustered"))


def _by_name(indexes: list[Spec]) -> dict[str, Spec]:
    """Return the specs by name. Numbers of different types are equal."""
    return {spec["name"]: {**spec, "v": 2} for spec in indexes if not spec.get("clustered")}
