"""SIGKILLs of the embedded mongod at random times, under people who save tickets and a driver that writes with
majority: how many acknowledged writes are lost, and how soon a ticket can be saved again.
"""

import asyncio
from pathlib import Path

from benchmarks.harness import running_server
from testing.databases.mongod_kills import MAX_SECONDS, kill_many
from testing.figures import Figure

KILLS, ACKNOWLEDGED = 25, 10_000


def measure(folder: Path) -> list[Figure]:
    with running_server(folder / "server", TUTORDESK_MAX_TICKETS_PER_HOUR="0") as server:
        seen = asyncio.run(kill_many(server.port, server.data_dir, KILLS, ACKNOWLEDGED))
    writes = f"{seen.acknowledged:,} acknowledged writes, {len(seen.saved):,} of them tickets"
    return [
        Figure(f"Lost of {writes}, by {len(seen.back)} SIGKILLs of mongod", seen.lost, limit=0, digits=0),
        Figure("Until a ticket is saved again, most", max(seen.back), "s", MAX_SECONDS),
        Figure("The same, p50", sorted(seen.back)[len(seen.back) // 2], "s"),
    ]
