"""`python -m testing.databases.log_writer URL FOLDER`: writes a change log until it is killed."""

import logging
import sys
from pathlib import Path

from tutordesk.operations.changelog.writer import ChangeLog

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    ChangeLog(sys.argv[1], Path(sys.argv[2]), "test").run()
