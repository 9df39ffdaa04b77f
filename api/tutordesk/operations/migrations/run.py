"""Migrates a database to the schema of this Tutordesk, in numbered steps that are recorded when they are done.

    migrations {_id: 1, name: "collections and indexes", applied_at, seconds}

One process migrates at a time, by a lease, and the others wait. An interrupted step starts again, so each step can be
repeated. A database with an unknown step was written by a newer Tutordesk, and is refused.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pymongo.errors
from bson.codec_options import CodecOptions
from pymongo import WriteConcern

from tutordesk.ground.background import LoopThread
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Database, Spec, connect, database_name
from tutordesk.operations.lease import BEAT_SECONDS, Lease
from tutordesk.operations.migrations import (
    m0001_collections,
    m0002_validators,
    m0003_chats_of_before_history,
    m0004_words_of_every_script,
    m0005_counts,
    m0006_ticket_ids,
)
from tutordesk.operations.names import MIGRATIONS

LOOK_SECONDS = 0.1
CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered step. `apply` may be called again after it ran, whole or in part."""

    number: int
    name: str
    apply: Callable[[Database], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A migration as the database records it: when it was applied (None: not yet), and in how many seconds."""

    number: int
    name: str
    applied_at: datetime | None
    seconds: float = 0.0

    @property
    def when(self) -> str:
        return f"{self.applied_at:%Y-%m-%d %H:%M:%S} UTC" if self.applied_at else "waiting"


KNOWN = (
    Migration(1, "collections and indexes", m0001_collections.apply),
    Migration(2, "validators", m0002_validators.apply),
    Migration(3, "chats of before there was a history", m0003_chats_of_before_history.apply),
    Migration(4, "words of every script", m0004_words_of_every_script.apply),
    Migration(5, "counts of the limits", m0005_counts.apply),
    Migration(6, "ids of new tickets", m0006_ticket_ids.apply),
)


def migrate(url: str) -> list[Step]:
    """Apply the pending migrations. Returns those applied. Waits without limit while another process migrates.

    Raises OperatorError, and pymongo.errors.PyMongoError when the database cannot be reached or refuses.
    """
    with connect(url, CONNECT_SECONDS) as client:
        return migrate_database(client[database_name(client)])


def migrate_database(database: Database, known: tuple[Migration, ...] = KNOWN) -> list[Step]:
    """Apply the pending migrations, as `migrate` does."""
    if not _pending(database, known):
        return []
    with _alone(database, known) as is_first:
        return [_apply(database, migration) for migration in _pending(database, known)] if is_first else []


def list_steps(database: Database) -> list[Step]:
    """Return the migrations that this Tutordesk knows and those that the database has, by number."""
    done = _recorded(database)
    waiting = [Step(migration.number, migration.name, None) for migration in KNOWN if migration.number not in done]
    return sorted([*done.values(), *waiting], key=lambda step: step.number)


def refuse_newer_schema(database: Database, prefix: str = "", known: tuple[Migration, ...] = KNOWN) -> None:
    """Raise OperatorError when a newer Tutordesk wrote the database. `prefix`: that of its collections' names."""
    newest = max(_recorded(database, prefix), default=0)
    if newest > known[-1].number:
        raise OperatorError(
            f"The data were written by a newer Tutordesk: their schema is {newest}, this one knows {known[-1].number}. "
            "Install that version, or restore a dump of before."
        )


def _recorded(database: Database, prefix: str = "") -> dict[int, Step]:
    aware: CodecOptions[Spec] = CodecOptions(tz_aware=True)
    rows = database.get_collection(prefix + MIGRATIONS, aware).find().sort("_id")
    return {row["_id"]: Step(row["_id"], row["name"], row["applied_at"], row["seconds"]) for row in rows}


def _pending(database: Database, known: tuple[Migration, ...]) -> list[Migration]:
    refuse_newer_schema(database, known=known)
    done = _recorded(database)
    return [migration for migration in known if migration.number not in done]


def _apply(database: Database, migration: Migration) -> Step:
    started = time.monotonic()
    try:
        migration.apply(database)
    except pymongo.errors.OperationFailure as error:
        reason = (error.details or {}).get("errmsg", "no reason")
        raise OperatorError(
            f"Migration {migration.number} ({migration.name}) failed: {str(reason)[:300]}. Those before it are done. "
            "Mend what is wrong; the next start continues from here."
        ) from error
    seconds = round(time.monotonic() - started, 3)
    step = Step(migration.number, migration.name, datetime.now(UTC), seconds)
    row = {"name": step.name, "applied_at": step.applied_at, "seconds": seconds}
    recorded = database.get_collection(MIGRATIONS, write_concern=WriteConcern(w="majority", j=True))
    recorded.replace_one({"_id": step.number}, row, upsert=True)
    return step


@contextlib.contextmanager
def _alone(database: Database, known: tuple[Migration, ...]) -> Iterator[bool]:
    """Yield True while this process alone migrates, or False when another one has applied everything."""
    lease = Lease(database, "migrations", secrets.token_hex(6))
    ask_at = 0.0
    while time.monotonic() < ask_at or not lease.take():
        if time.monotonic() >= ask_at:
            ask_at = time.monotonic() + BEAT_SECONDS
        if not _pending(database, known):
            yield False
            return
        time.sleep(LOOK_SECONDS)
    try:
        with LoopThread(BEAT_SECONDS, lambda: lease.beat({"is_migrating": True}), "migration's beat"):
            yield True
    finally:
        lease.release()
