"""`tutordesk restore`: a dump becomes the database, after a copy was built beside it and found to be whole."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from api.operations.catalog import Client, Database, list_collections, version
from api.operations.dump_format import Collection, DumpError
from api.operations.dump_reader import Dump, refuse_newer
from api.operations.staging import DATA_EPOCH, LEFT_OUT, build_indexes, clear_staging, load
from api.operations.switch import finish_switch, switch

# A step's name, the total of bytes that are expected (0: unknown), and the bytes that are done.
Report = Callable[[str, int, int], None]
BEAT_SECONDS = 4.5


@dataclass
class Restored:
    documents: int
    seconds: float


def restore(client: Client, dump: Dump, into: str, drop: str | None, report: Report) -> Restored:
    """Let the database `into` hold what `dump` holds. One that is not empty has to be named by `drop`.

    Raises DumpError, after which the database is as it was.
    """
    started = time.monotonic()
    database = client[into]
    refuse_unfit(client, dump)
    refuse_full(database, drop)
    refuse_served(database)
    staged = stage(database, dump, report)
    switch(database, staged)
    documents = sum(tally.count for name, tally in dump.tallies.items() if name not in LEFT_OUT)
    return Restored(documents, time.monotonic() - started)


def stage(database: Database, dump: Dump, report: Report) -> Iterable[Collection]:
    """Build the copy and check it; it is dropped again when it is not what it should be."""
    dump.check(lambda total, done: report("Checking", total, done))
    try:
        staged = load(dump, database, lambda total, done: report("Copying", total, done))
        report("Indexes", 0, 0)
        build_indexes(database, staged.values())
    except BaseException:
        clear_staging(database)
        raise
    return staged.values()


def refuse_unfit(client: Client, dump: Dump) -> None:
    refuse_newer(dump.server_version, version(client))
    if not dump.collections:
        raise DumpError("The dump holds no collections.")


def refuse_full(database: Database, drop: str | None) -> None:
    full = [one.name for one in list_collections(database) if one.name != DATA_EPOCH]
    if full and drop != database.name:
        raise DumpError(
            f"The database {database.name} is not empty. What it holds is replaced with --yes-drop {database.name}; "
            "--dry-run shows what would change."
        )


def refuse_served(database: Database) -> None:
    """Raises DumpError when a server works on this database, which its beats tell."""
    before = _beats(database)
    if before:
        time.sleep(BEAT_SECONDS)
    if any(before.get(name) != beat for name, beat in _beats(database).items()):
        raise DumpError(f"A server runs on the database {database.name}. Stop it first.")


def _beats(database: Database) -> dict[str, int]:
    return {row["_id"]: row["beat"] for row in database["owners"].find()}


def finish_earlier(client: Client, into: str) -> bool:
    """Finish a restore that broke off while its copy was put in place. False: there was none."""
    return finish_switch(client[into])
