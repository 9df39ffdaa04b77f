"""`tutordesk restore`: replaces the database by a dump, or by a base of the change log replayed to an instant.

A copy is built beside the database and checked first. `preview` builds the same copy, compares it and drops it.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bson.raw_bson import RawBSONDocument

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import RAW, Client, CollectionInfo, Database, list_collections, version
from tutordesk.operations.dumps.reader import Dump, refuse_newer
from tutordesk.operations.migrations.run import refuse_newer_schema
from tutordesk.operations.names import NOT_REPLACED, OWNERS, STAGING
from tutordesk.operations.restores import preview as previews
from tutordesk.operations.restores.replay import Replay
from tutordesk.operations.restores.rewind import Rewind
from tutordesk.operations.restores.staging import build_indexes, clear_staging, load
from tutordesk.operations.restores.switch import finish_switch, is_switching, switch

# A step's name, the total of what is expected (0: unknown), and what is done.
Report = Callable[[str, int, int], None]
BEAT_SECONDS = 4.5


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """How many documents were restored and operations replayed, in how many seconds."""

    documents: int
    operations: int
    seconds: float


def restore(
    client: Client, dump: Dump, into: str, drop: str | None, report: Report, rewind: Rewind | None = None
) -> RestoreSummary:
    """Replace the content of the database `into` by that of `dump`, with what `rewind` replays on it.

    A database that is not empty has to be named by `drop`. Raises OperatorError, after which nothing has changed.
    """
    started = time.monotonic()
    database = client[into]
    refuse_full(database, drop)
    refuse_served(database)
    with staged(database, dump, report, rewind) as (collections, operations):
        names = [collection.name for collection in collections.values() if collection.kind == "collection"]
        switch(database, collections.values())
    documents = sum(database.command("count", name)["n"] for name in names)
    return RestoreSummary(documents, operations, time.monotonic() - started)


def preview(
    client: Client, dump: Dump, into: str, report: Report, rewind: Rewind | None = None
) -> list[previews.Difference]:
    """Return what `restore` would change in the database `into`. A server may run on it. Raises OperatorError."""
    database = client[into]
    if is_switching(database):
        raise OperatorError(
            "A restore broke off while it put its copy in place; call it again first, without --dry-run."
        )
    with staged(database, dump, report, rewind) as (collections, _):
        report("Comparing", 0, 0)
        return previews.preview(database, collections.values())


@contextlib.contextmanager
def staged(
    database: Database, dump: Dump, report: Report, rewind: Rewind | None
) -> Iterator[tuple[dict[str, CollectionInfo], int]]:
    """Yield the copy's collections by name, and the number of operations replayed. Drops the copy in the end.

    Raises OperatorError.
    """
    refuse_newer(dump.server_version, version(database.client))
    if not dump.collections:
        raise OperatorError("The dump holds no collections.")
    count = rewind.check() if rewind else 0
    dump.check(lambda total, done: report("Checking", total, done))
    try:
        collections = load(dump, database, lambda total, done: report("Copying", total, done))
        replay = Replay(database, collections, dump.database)
        for entry in dump.entries():
            replay.take(RawBSONDocument(entry, RAW))
        for done, record in enumerate(rewind.records() if rewind else ()):
            replay.take(record.document)
            if done % 1000 == 0:
                report("Replaying", count, done)
        replay.finish()
        dump.notes += replay.notes
        refuse_newer_schema(database, STAGING)
        report("Indexes", 0, 0)
        build_indexes(database, collections.values())
        yield collections, replay.operations
    finally:
        if not is_switching(database):
            clear_staging(database)


def refuse_full(database: Database, drop: str | None) -> None:
    """Raise OperatorError for a database that holds something and is not named by `drop`."""
    full = [collection.name for collection in list_collections(database) if collection.name not in NOT_REPLACED]
    if full and drop != database.name:
        raise OperatorError(
            f"The database {database.name} is not empty. What it holds is replaced with --yes-drop {database.name}; "
            "--dry-run shows what would change."
        )


def refuse_served(database: Database) -> None:
    """Raise OperatorError when a server uses this database, by its beats."""
    before = _beats(database)
    if before:
        time.sleep(BEAT_SECONDS)
    if any(before.get(name) != beat for name, beat in _beats(database).items()):
        raise OperatorError(f"A server runs on the database {database.name}. Stop it first.")


def _beats(database: Database) -> dict[str, int]:
    return {row["_id"]: row["beat"] for row in database[OWNERS].find()}


def finish_earlier(client: Client, into: str) -> bool:
    """Finish a restore that was interrupted while it switched. Returns False when there was none."""
    return finish_switch(client[into])
