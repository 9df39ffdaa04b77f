"""Sees to it that the change log has bases: one at its beginning, after each gap, and every day.

That one is wanted is remembered in the file `base-wanted`, because this process may end before it is made. It is made
in a thread of its own, on a connection of its own, while the log goes on.
"""

import logging
import threading
import time
from pathlib import Path

import pymongo.errors
from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import connect
from tutordesk.operations.changelog.bases import DAY, list_bases, make_base, prune

log = logging.getLogger(__name__)
RETRY_SECONDS = 30.0


class BaseKeeper:
    """`is_after_gap`: the newest base is behind the last gap."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.is_after_gap = False
        self._url, self._wish = url, folder / "base-wanted"
        self._newest = self._gap_end = Timestamp(0, 0)
        self._next = 0.0
        self._making: threading.Thread | None = None

    def begin(self) -> None:
        """Look what there is. Raises OperatorError for a base that cannot be read."""
        bases = list_bases(self.folder)
        if bases:
            self._newest = bases[-1].ts
        elif not self._wish.exists():
            self.want("there is none")

    def want(self, reason: str, gap_end: Timestamp | None = None) -> None:
        """`gap_end`: it has to be of later than this. Raises OSError."""
        self._wish.write_text(reason)
        if gap_end:
            self._gap_end, self.is_after_gap = gap_end, False

    def make_when_due(self, now: Timestamp) -> None:
        if (self._making and self._making.is_alive()) or time.monotonic() < self._next:
            return
        if not self._wish.exists():
            if now.time - self._newest.time < DAY:
                return
            self.want("a day has passed")
        self._next = time.monotonic() + RETRY_SECONDS
        self._making = threading.Thread(target=self._make, name="base of the change log")
        self._making.start()

    def close(self) -> None:
        """Wait for the one that is being made."""
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
            log.info("a base of the change log was made: %s", reason)
        except (OperatorError, OSError, pymongo.errors.PyMongoError) as error:
            log.error("a base of the change log cannot be made and is tried again: %s", error)
