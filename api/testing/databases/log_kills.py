"""Kills the change log's writer at random moments, under every kind of change; after each kill nobody logs for a while.

The log must then be whole, and its replay must give the states that were noted on the way.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from bson import Timestamp

from testing.databases.mixed_load import MixedLoad, start
from testing.databases.states import state_of
from tutordesk.operations.catalog import Database, newest_entry
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.changelog.reading import verify

LIVES_SECONDS, LIFE_STEPS, GAP_STEPS = (0.4, 1.2), 60, 8


def kill_many(database: Database, url: str, log: Path, kills: int, every: int) -> dict[Timestamp, dict[str, Any]]:
    """Return the database's states by their instants: after every few kills, and at the end, which is in the log."""
    chance, truth, client = Random(20261125), dict[Timestamp, dict[str, Any]](), database.client
    start(database)
    load = MixedLoad(client, database, chance)
    for kill in range(kills):
        with subprocess.Popen([sys.executable, "-m", "testing.databases.log_writer", url, str(log)]) as writer:
            while not kill and not (list_bases(log) and not (log / "base-wanted").exists()):
                time.sleep(0.05)
            ends, steps = time.monotonic() + chance.uniform(*LIVES_SECONDS), 0
            while time.monotonic() < ends or steps < LIFE_STEPS:  # on a busy machine a step may take long
                load.step()
                steps += 1
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
    with subprocess.Popen([sys.executable, "-m", "testing.databases.log_writer", url, str(log)]) as writer:
        while (verify(log).last or end) < behind:
            time.sleep(0.2)
        writer.send_signal(signal.SIGKILL)
    return truth
