"""How soon Tutordesk is ready: from its start until `/health/ready` says that a ticket could be saved.

On a data folder that exists and with warm caches of files, the middle one of three starts; on a new folder for telling.
"""

from pathlib import Path
from statistics import median

from benchmarks.harness import running_server
from testing.figures import Figure

STARTS = 3
READY_SECONDS = 2.5


def measure(folder: Path) -> list[Figure]:
    new = [_start(folder / f"new-{number}") for number in range(2)]
    existing = [_start(folder / "new-0") for _ in range(STARTS)]
    return [
        Figure("Ready on a data folder that exists", median(existing), "s", READY_SECONDS, digits=2),
        Figure("Ready on a new data folder", min(new), "s", digits=2),
    ]


def _start(data_dir: Path) -> float:
    with running_server(data_dir, TUTORDESK_MODEL="offline") as server:
        return server.ready_seconds
