"""`python -m benchmarks [GROUP …]`: measures figures, prints them and writes them to docs/figures.md.

Measures the named groups, or all. Exits with 1 when a figure misses its limit. Everything stays on 127.0.0.1.
"""

import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import allow_many_files
from testing.figures import Figure, machine, table, with_section

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
    "client": "client",
    "restore": "tickets.restore",
}
PAGE = Path(__file__).parents[2] / "docs" / "figures.md"


def main(groups: list[str]) -> int:
    if unknown := set(groups) - GROUPS.keys():
        print(f"Unknown: {', '.join(sorted(unknown))}. Groups: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    if sys.platform != "linux":
        print("The benchmarks read CPU and memory from Linux's /proc.", file=sys.stderr)
        return 2
    allow_many_files()
    is_missed = False
    for group in groups or GROUPS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="tutordesk-bench-") as folder:
            figures: list[Figure] = importlib.import_module(f"benchmarks.{GROUPS[group]}").measure(Path(folder))
        print(f"== {group}, in {time.monotonic() - started:.0f} s\n{table(figures)}", flush=True)
        PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), group, figures), encoding="utf-8")
        is_missed |= any(figure.is_missed for figure in figures)
    print(f"Measured on {machine()}. The figures are in docs/figures.md.")
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
