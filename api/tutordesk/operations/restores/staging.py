"""Builds a copy of a database beside it, in collections named `restoring.…`, and checks it there.

They are in the same database, because renaming within one moves no data and needs no rights on another. Documents come
first, then what is replayed, then the indexes. Remains of an interrupted restore are dropped first.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Any

import pymongo.errors
from pymongo import WriteConcern
from pymongo.collection import Collection

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import CollectionInfo, Database, Spec, list_collections, tally
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.names import NOT_REPLACED, NOT_RESTORED, STAGING, staged_name
from tutordesk.operations.restores.exact import writing

THREADS = 4
MAX_NAMESPACE_BYTES = 255
DUPLICATE_KEY = 11_000
BATCH_BYTES, BATCH_COUNT = 4 * 2**20, 5_000


def clear_staging(database: Database) -> None:
    """Drop the staged collections."""
    for collection in list_collections(database, STAGING):
        database.drop_collection(STAGING + collection.name)


def load(dump: Dump, database: Database, progress: Callable[[int, int], None]) -> dict[str, CollectionInfo]:
    """Create the dump's collections under their staging names and fill them. Returns them by name, without indexes.

    Views are returned but not created, because they refer to final names. `dump` was checked. All collections
    and indexes are tried before the first document is copied. Raises OperatorError when MongoDB takes one not, or not
    as it is in the dump.
    """
    clear_staging(database)
    total, done = sum(tally.size for tally in dump.tallies.values()), 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        progress(total, done)

    staged = {info.name: info for info in dump.collections if info.name not in NOT_REPLACED}
    _refuse_names(database, staged)
    for collection in staged.values():
        _create(database, collection)
    for collection in staged.values():
        if collection.kind == "view" or collection.name in NOT_RESTORED:
            continue
        name = staged_name(collection.name)
        threads = 1 if collection.options.get("capped") else THREADS
        try:
            _fill(database, name, dump.documents(collection.name), threads, count)
        except pymongo.errors.BulkWriteError as error:
            reason = error.details["writeErrors"][0]["errmsg"]
            raise OperatorError(f"{collection.name} cannot be copied: {reason}. Nothing was changed.") from None
        if tally(database, name) != dump.tallies[collection.name]:
            raise OperatorError(f"{collection.name} differs from the dump after it was copied. Nothing was changed.")
    return staged


def _refuse_names(database: Database, names: Iterable[str]) -> None:
    """Raise OperatorError for a name that the switch could not give to its collection."""
    series = {collection.name for collection in list_collections(database) if collection.kind == "timeseries"}
    for name in names:
        if len(f"{database.name}.{name}".encode()) > MAX_NAMESPACE_BYTES:
            raise OperatorError(
                f"{name} is too long for a collection of the database {database.name}: MongoDB allows "
                f"{MAX_NAMESPACE_BYTES} bytes for both names. Restore into a database with a shorter name."
            )
        if name in series:
            raise OperatorError(f"{name} is a time series in {database.name}. Rename or drop it first.")


def _create(database: Database, collection: CollectionInfo) -> None:
    """Create a collection under its staging name, and try whether MongoDB takes its indexes. Drop a view again.

    Raises OperatorError.
    """
    name = staged_name(collection.name)
    try:
        database.command({"create": name, **collection.options})
        if collection.kind == "view":
            database.drop_collection(name)
            return
    except pymongo.errors.OperationFailure as error:
        raise OperatorError(f"{collection.name} cannot be created: {_reason(error)}. Nothing was changed.") from None
    specs = _missing_indexes(collection)
    for spec in specs:
        _build(database, collection, [spec])
    if specs:
        database.command("dropIndexes", name, index=[spec["name"] for spec in specs])


def _fill(
    database: Database, name: str, documents: Iterable[bytes], threads: int, count: Callable[[int], None]
) -> None:
    collection: Collection[Any] = database.get_collection(name, write_concern=WriteConcern(w=1))
    free = Semaphore(threads * 2)

    def insert(batch: list[bytes]) -> None:
        try:
            writes = [writing(document) for document in batch]
            collection.bulk_write(writes, ordered=threads == 1, bypass_document_validation=True)
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
        if collection.kind == "collection" and (missing := _missing_indexes(collection)):
            _build(database, collection, missing)
    built = {STAGING + collection.name: collection for collection in list_collections(database, STAGING)}
    for collection in staged:
        if collection.kind == "collection":
            copy = built.get(staged_name(collection.name))
            if not copy or _keys(copy) != _keys(collection):
                raise OperatorError(f"The indexes of {collection.name} are not those of the dump. Nothing was changed.")


def _build(database: Database, collection: CollectionInfo, specs: list[Spec]) -> None:
    """Build indexes of a staged collection. Raises OperatorError with the index, and a value that it has twice."""
    try:
        database.command("createIndexes", staged_name(collection.name), indexes=specs)
    except pymongo.errors.OperationFailure as error:
        details = error.details or {}
        if error.code == DUPLICATE_KEY and "keyValue" in details:
            names = [spec["name"] for spec in specs if spec.get("unique") and spec["key"] == details["keyPattern"]]
            reason = f"two documents have the value {details['keyValue']}, and the index is unique"
        else:
            names, reason = [spec["name"] for spec in specs], _reason(error)
        raise OperatorError(
            f"The index {', '.join(names)} of {collection.name} cannot be built: {reason}. Nothing was changed."
        ) from None


def _reason(error: pymongo.errors.OperationFailure) -> str:
    """Return MongoDB's sentence, without those that only lead to it."""
    return str((error.details or {}).get("errmsg", error)).rsplit(" :: caused by :: ", 1)[-1].rstrip(".")


def _missing_indexes(collection: CollectionInfo) -> list[Spec]:
    """Return the indexes that MongoDB does not create with the collection."""
    return [spec for spec in collection.indexes if spec["key"] != {"_id": 1} and not spec.get("clustered")]


def _keys(collection: CollectionInfo) -> dict[str, list[tuple[str, object]]]:
    """Return names and keys of the indexes. MongoDB completes their options when it builds them."""
    return {spec["name"]: list(spec["key"].items()) for spec in _missing_indexes(collection)}
