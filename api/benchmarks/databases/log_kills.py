"""A hundred SIGKILLs of the change log's writer at random moments, under every kind of change: how often its replay
differs from what the database was.

After each kill more is written while nobody logs. At the end the log is checked to the last record and replayed, to its
end and to ten instants between, each compared with the database as it was then, to the byte.
"""

from pathlib import Path
from typing import Any

import pymongo

from benchmarks.harness import running_database
from testing.databases.log_kills import kill_many
from testing.databases.logs import rewind
from testing.figures import Figure
from tutordesk.operations.changelog.reading import verify

KILLS, EVERY = 100, 10


def measure(folder: Path) -> list[Figure]:
    with running_database(folder / "database") as url, pymongo.MongoClient[Any](url, tz_aware=True) as client:
        log = folder / "log"
        truth = kill_many(client["tutordesk"], url, log, KILLS, EVERY)
        verdict = verify(log)
        wrong = sum(rewind(client, log, "tutordesk", at) != state for at, state in truth.items())
        broken = len(verdict.damage) + verdict.gaps + bool(verdict.torn)
    return [
        Figure(
            f"change log: {KILLS} SIGKILLs of its writer, {verdict.records:,} records: damage, gaps", broken, "", 0, 0
        ),
        Figure(f"change log: instants of {len(truth)} whose replay differs from the database", wrong, "", 0, 0),
    ]
