"""`python -m benchmarks [GROUP …]`: measures the server's figures and prints a table; 1 when one is missed.

Groups are named below, with their modules; all are measured when none is named. Everything stays on 127.0.0.1.
"""

import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, machine, table
from benchmarks.harness import allow_many_files

GROUPS = {
    "start": "start",
    "relay": "replies.relay",
    "first_token": "replies.first_token",
    "memory": "replies.memory",
    "pages": "tickets.pages",
    "chats": "tickets.chats",
    "cuts": "replies.cuts",
    "kills": "replies.kills",
    "database_kills": "databases.database_kills",
    "sends": "replies.sends",
    "checkpoints": "replies.checkpoints",
    "changelog": "databases.changelog",
    "log_kills": "databases.log_kills",
    "rooms": "rooms.messages",
    "storm": "rooms.storm",
}


def main(groups: list[str]) -> int:
    if unknown := set(groups) - GROUPS.keys():
        print(f"Unknown: {', '.join(sorted(unknown))}. Groups: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    if sys.platform != "linux":
        print("The benchmarks read CPU and memory from Linux's /proc.", file=sys.stderr)
        return 2
    allow_many_files()
    figures: list[Figure] = []
    for group in groups or GROUPS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="tutordesk-bench-") as folder:
            figures += importlib.import_module(f"benchmarks.{GROUPS[group]}").measure(Path(folder))
        print(f"{group}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(f"{table(figures)}\n\nMeasured on {machine()}.")
    return int(any(figure.is_missed for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
