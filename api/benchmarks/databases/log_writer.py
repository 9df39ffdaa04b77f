"""Writes the change log and does nothing else: `python -m benchmarks.databases.log_writer URL FOLDER` prints 0."""

import sys
from pathlib import Path

from tutordesk.operations.changelog.writer import ChangeLog

if __name__ == "__main__":
    print(0, flush=True)
    ChangeLog(sys.argv[1], Path(sys.argv[2]), "benchmark").run()
