"""Chats beside `tutordesk restore --into`: their time to first token while 20,000 tickets are restored, and without.

The restore copies, builds indexes and checks again and again, beside the server, into another database of its mongod.
"""

import asyncio
import os
import subprocess
import threading
from pathlib import Path
from statistics import median, quantiles

from benchmarks.harness import Server, running_helper, running_server
from benchmarks.replies.first_token import added_ms
from benchmarks.tickets.library import add_many_tickets
from testing.figures import Figure
from testing.processes import COMMAND

TICKETS, ASKS = 20_000, 150
COPY = "copy"


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire:
        settings = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"http://127.0.0.1:{wire.port}/v1"}
        with running_server(folder / "data", **settings) as server:
            add_many_tickets(server.data_dir, TICKETS)
            dump = str(folder / "dump")
            _run(server, "dump", dump)
            alone = asyncio.run(added_ms(server.port, wire.port, ASKS))
            beside, restores = _beside(server, wire.port, dump)
    return [
        Figure(
            "time to first token beside a restore into another database ÷ alone, p50",
            median(beside) / median(alone),
            "x",
        ),
        Figure("the same, p95", quantiles(beside, n=20)[-1] / quantiles(alone, n=20)[-1], "x"),
        Figure("restores of 20,000 tickets meanwhile", float(restores), ""),
    ]


def _beside(server: Server, wire: int, dump: str) -> tuple[list[float], int]:
    """Return the times of questions during restores, and how many restores there were."""
    is_over, count = threading.Event(), 0

    def restore() -> None:
        nonlocal count
        while not is_over.is_set():
            _run(server, "restore", dump, "--into", COPY, "--yes-drop", COPY)
            count += 1

    restoring = threading.Thread(target=restore)
    restoring.start()
    try:
        return asyncio.run(added_ms(server.port, wire, ASKS)), count + 1
    finally:
        is_over.set()
        restoring.join()


def _run(server: Server, *arguments: str) -> None:
    environment = os.environ | {"TUTORDESK_DATA_DIR": str(server.data_dir)}
    subprocess.run([*COMMAND, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
