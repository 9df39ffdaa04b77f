"""Makes the change log's bases: one at its beginning, one after each gap, and one a day.

The wish for a base is kept in the file `base-wanted`, because this process may end before the base is made. A thread
with a connection of its own makes it, while the log continues.
"""

import logging
import threading
import time
from pathlib import Path

import pymongo.errors
from bson import Timestamp

from tutordesk.ground.background import start_thread
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import connect
from tutordesk.operations.changelog.bases import DAY, list_bases, make_base, prune

log = logging.getLogger(__name__)
RETRY_SECONDS = 30.0


class BaseKeeper:
    """`is_after_gap`: whether the newest base is later than the last gap."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.is_after_gap = False
        self._url, self._wish = url, folder / "base-wanted"
        self._newest = self._gap_end = Timestamp(0, 0)
        self._next = 0.0
        self._making: threading.Thread | None = None

    def begin(self) -> None:
        """Find the newest base, or want the first. Raises OperatorError for a base that cannot be read."""
        bases = list_bases(self.folder)
        if bases:
            self._newest = bases[-1].ts
        elif not self._wish.exists():
            self.want("there is none")

    def want(self, reason: str, gap_end: Timestamp | None = None) -> None:
        """Have a base made soon, later than `gap_end`. Raises OSError."""
        self._wish.write_text(reason)
        if gap_end:
            self._gap_end, self.is_after_gap = gap_end, False

    def make_when_due(self, now: Timestamp) -> None:
        """Start to make a base when one is wanted or a day has passed."""
        if (self._making and self._making.is_alive()) or time.monotonic() < self._next:
            return
        if not self._wish.exists():
            if now.time - self._newest.time < DAY:
                return
            self.want("a day has passed")
        self._next = time.monotonic() + RETRY_SECONDS
        self._making = start_thread(self._make, "base of the change log")

    def close(self) -> None:
        """Wait for the base that is being made."""
        if self._making:
            self._making.join()

    def _make(self) -> None:
        try:
            reason = self._wish.read_text()
            with connect(self._url) as client:
                base = make_base(client, self.folder, reason)
            self._newest = base.ts
            if base.ts < self._gap_end:
                return
            self._wish.unlink()
            self.is_after_gap = True
            prune(self.folder, base.ts)
            log.info("made a base of the change log: %s", reason)
        except (OperatorError, OSError, pymongo.errors.PyMongoError) as error:
            log.error("cannot make a base of the change log, retrying: %s", error)
