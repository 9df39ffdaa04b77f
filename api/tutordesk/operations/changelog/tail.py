"""Follows `local.oplog.rs` and writes each entry of the product's database to the log.

| it | when |
|---|---|
| reads what a majority holds, writes it and syncs it | as it comes, at most a dozen times a second |
| marks a gap where entries are missing or data were restored, and wants a new base | at once |
| beats in the lease's document, with its status | every 2 s |
| writes how far it has read, so that entries which are left out do not leave it behind | every 30 s |

The cursor begins with the log's last entry. If that is not the first to come, MongoDB's oplog does not reach back that
far, or is another one. A tail that began after it would not notice such a gap.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC
from typing import Any

from bson import Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import CursorType
from pymongo.read_concern import ReadConcern

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import RAW, Client, Position, database_name, newest_entry
from tutordesk.operations.changelog.base_keeper import BaseKeeper
from tutordesk.operations.changelog.entries import RestoreStarted, ends_restore, keep, split
from tutordesk.operations.changelog.files import Writer, log_size
from tutordesk.operations.changelog.records import mark
from tutordesk.operations.changelog.status import ChangeLogStatus, watch_window
from tutordesk.operations.lease import BEAT_SECONDS, Lease

log = logging.getLogger(__name__)
PAUSE_SECONDS, AWAIT_MS = 0.08, 500
SEEN_SECONDS, LAST_SECONDS, AHEAD_SECONDS = 30.0, 3.0, 10.0


class OplogTail:
    """Follows the oplog for one holder of the lease. `alarm` shows a sentence, and an empty one ends it."""

    def __init__(
        self, client: Client, writer: Writer, bases: BaseKeeper, status: ChangeLogStatus, alarm: Callable[[str], None]
    ) -> None:
        self._client, self._writer, self._bases, self._status, self._alarm = client, writer, bases, status, alarm
        self._name = database_name(client)
        self._seen = Position(Timestamp(0, 0))
        self._next_beat, self._next_seen = 0.0, time.monotonic() + SEEN_SECONDS
        self._is_restoring = False

    def run(self, lease: Lease, ending: threading.Event) -> None:
        """Follow until `ending`, or until another server has the lease. Raises OSError, PyMongoError."""
        self._begin()
        self._status.written_at, self._status.is_writing = self._status.written_at or time.time(), True
        while True:
            for batch in self._batches(ending):
                self._take(batch)
                if not self._look_after(lease):
                    log.warning("change log is now written by another server")
                    return
            if ending.is_set():
                self._write_seen()
                return

    def _begin(self) -> None:
        """Continue after the log's last entry, or begin a log with the newest entry."""
        writer = self._writer
        if not writer.position:
            self._bases.want("the log begins")
            writer.begin(newest_entry(self._client))
        assert writer.position
        self._seen = writer.position
        if writer.damage:
            self._mark_gap(writer.damage)
        self._bases.begin()

    def _batches(self, ending: threading.Event) -> Iterator[bytes]:
        """Yield raw batches of what follows the last entry seen, and empty ones while there is nothing.

        Ends where the server ends the cursor. While `ending`, ends once everything is seen that existed then.
        """
        self._await_last_seen(ending)
        oplog = self._client["local"].get_collection("oplog.rs", read_concern=ReadConcern("majority"))
        # PyMongo types the batches as documents, but they are bytes.
        cursor: Any = oplog.find_raw_batches(
            {"ts": {"$gte": self._seen.ts}}, cursor_type=CursorType.TAILABLE_AWAIT, oplog_replay=True
        ).max_await_time_ms(AWAIT_MS)
        goal: Timestamp | None = None
        deadline = 0.0
        with cursor:
            first = next(cursor, b"")
            if not self._follows(first):
                return
            if rest := first[int.from_bytes(first[:4], "little") :]:
                yield rest
            while cursor.alive and not (goal and (self._seen.ts >= goal or time.monotonic() > deadline)):
                started = time.monotonic()
                yield (batch := next(cursor, b""))
                if batch and not ending.is_set():
                    ending.wait(max(0.0, PAUSE_SECONDS - (time.monotonic() - started)))
                if ending.is_set() and not goal:
                    goal, deadline = newest_entry(self._client).ts, time.monotonic() + LAST_SECONDS

    def _await_last_seen(self, ending: threading.Event) -> None:
        """Wait until a majority is known to hold the last entry seen, which takes a moment after a restart."""
        deadline = time.monotonic() + AHEAD_SECONDS
        while newest_entry(self._client).ts < self._seen.ts:
            if ending.wait(PAUSE_SECONDS) or time.monotonic() > deadline:
                raise OperatorError(
                    f"The change log is ahead of the database, so it is another one's. Move {self._bases.folder} away."
                )

    def _follows(self, batch: bytes) -> bool:
        """Return whether the oplog still has the last entry seen and continues from it. Marks a gap otherwise."""
        if batch:
            entry = RawBSONDocument(next(split(batch)), RAW)
            if entry["ts"] == self._seen.ts and self._seen.term in (None, entry["t"]):
                return True
        self._mark_gap("MongoDB's oplog does not reach back to the last entry of the log")
        return False

    def _take(self, batch: bytes) -> None:
        """Write what is kept of a batch. A restore is a gap from its first step to its last."""
        kept: list[bytes] = []
        entry: RawBSONDocument | None = None
        for raw in split(batch):
            following = RawBSONDocument(raw, RAW)
            if self._is_restoring:
                self._is_restoring = not ends_restore(following, self._name)
                if not self._is_restoring:
                    self._mark_gap("the data were restored", Position(following["ts"], following["t"]))
                continue
            try:
                selected = keep(raw, following, self._name)
            except RestoreStarted:
                if entry:
                    self._write(kept, entry)
                kept, entry, self._is_restoring = [], None, True
                continue
            entry = following
            if selected:
                kept.append(selected)
        if entry:
            self._write(kept, entry)
        elif not batch:
            self._status.written_at, self._status.lag_seconds = time.time(), 0.0
        self._alarm("")

    def _write(self, kept: list[bytes], last: RawBSONDocument) -> None:
        if kept:
            written = RawBSONDocument(kept[-1], RAW)
            self._writer.append(kept, Position(written["ts"], written["t"]))
        now, status = time.time(), self._status
        status.lag_seconds = max(0.0, now - last["wall"].replace(tzinfo=UTC).timestamp())
        self._seen = Position(last["ts"], last["t"])
        status.position, status.written_at = self._seen.ts, now

    def _look_after(self, lease: Lease) -> bool:
        """Do what is due by the clock. Returns False when the lease is lost."""
        now = time.monotonic()
        if now >= self._next_seen:
            self._next_seen = now + SEEN_SECONDS
            self._write_seen()
        if now < self._next_beat:
            return True
        self._next_beat = now + BEAT_SECONDS
        self._status.is_writing = True
        self._status.size = log_size(self._bases.folder)
        self._status.gap = "" if self._bases.is_after_gap else self._status.gap
        self._bases.make_when_due(self._seen.ts)
        watch_window(self._client, self._status)
        return lease.beat(asdict(self._status))

    def _write_seen(self) -> None:
        position, seen = self._writer.position, self._seen
        if position and seen.ts > position.ts:
            self._writer.append([mark(seen.ts, seen.term or 0, "beat")], seen)

    def _mark_gap(self, reason: str, to: Position | None = None) -> None:
        """Mark a gap from the last entry seen to `to`, or to now."""
        since, to = self._seen, to or newest_entry(self._client)
        self._bases.want(reason, to.ts)
        self._writer.mark_gap(since, to, reason)
        self._seen = to
        self._status.gap = f"{since.ts.time}:{since.ts.inc} to {to.ts.time}:{to.ts.inc}: {reason}"
        self._alarm(f"entries are missing in the change log, {self._status.gap}; a new base is made")
