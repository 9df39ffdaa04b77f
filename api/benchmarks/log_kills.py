"""A hundred SIGKILLs of the change log's writer at random moments, under every kind of change: how often its replay
differs from what the database was.

After each kill more is written while nobody logs. At the end the log is checked to the last record and replayed, to its
end and to ten instants between, each compared with the database as it was then, to the byte.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pymongo
from bson import Timestamp

from benchmarks.figures import Figure
from benchmarks.harness import running_database
from testing.databases import state_of
from testing.mixed_load import MixedLoad, start
from tutordesk.operations.catalog import Database, newest_entry
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.changelog.reading import verify
from tutordesk.operations.instants import Instant
from tutordesk.operations.restores.restore import restore
from tutordesk.operations.restores.rewind import rewind_to

KILLS, EVERY = 100, 10
LIVES_SECONDS, GAP_STEPS = (0.4, 1.2), 8


def measure(folder: Path) -> list[Figure]:
    with running_database(folder / "database") as url, pymongo.MongoClient[Any](url, tz_aware=True) as client:
        log = folder / "log"
        truth = kill_many(client["tutordesk"], url, log, KILLS, EVERY)
        found = verify(log)
        wrong = sum(_state_at(client, log, at) != state for at, state in truth.items())
        broken = len(found.damage) + found.gaps + bool(found.torn)
    return [
        Figure(
            f"change log: {KILLS} SIGKILLs of its writer, {found.records:,} records: damage, gaps", broken, "", 0, 0
        ),
        Figure(f"change log: instants of {len(truth)} whose replay differs from the database", wrong, "", 0, 0),
    ]


def kill_many(database: Database, url: str, log: Path, kills: int, every: int) -> dict[Timestamp, dict[str, Any]]:
    """The states of the database at the instant after `every` few kills, and at the end, which is in the log."""
    chance, truth, client = Random(20261125), dict[Timestamp, dict[str, Any]](), database.client
    start(database)
    load = MixedLoad(client, database, chance)
    for kill in range(kills):
        with subprocess.Popen([sys.executable, "-m", "testing.log_writer", url, str(log)]) as writer:
            while not kill and not (list_bases(log) and not (log / "base-wanted").exists()):
                time.sleep(0.05)
            ends = time.monotonic() + chance.uniform(*LIVES_SECONDS)
            while time.monotonic() < ends:
                load.step()
            writer.send_signal(signal.SIGKILL)
        for _ in range(chance.randrange(GAP_STEPS)):
            load.step()
        if kill % every == every - 1:
            truth[newest_entry(client).ts] = state_of(database)
    database["tickets"].insert_one({"title": "the end"})
    end = newest_entry(client).ts
    truth[end] = state_of(database)
    database["marks"].insert_one({})
    behind = newest_entry(client).ts
    with subprocess.Popen([sys.executable, "-m", "testing.log_writer", url, str(log)]) as writer:
        while (verify(log).last or end) < behind:
            time.sleep(0.2)
        writer.send_signal(signal.SIGKILL)
    return truth


def _state_at(client: Any, log: Path, at: Timestamp) -> dict[str, Any]:
    dump, rewind = rewind_to(log, "tutordesk", Instant(ts=at))
    restore(client, dump, "back", "back", lambda step, total, done: None, rewind)
    return state_of(client["back"])
