"""The change log's writer: a thread beside the server, which never waits for it.

It holds the lease and the log's files, and follows MongoDB's oplog. Every failure, such as a full disk or a database
that is away, raises an alarm and is retried: the oplog still has what is not written yet.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pymongo.errors

from tutordesk.ground.background import LoopThread
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Client, connect_to_follow, database_name
from tutordesk.operations.changelog.base_keeper import BaseKeeper
from tutordesk.operations.changelog.files import Writer
from tutordesk.operations.changelog.status import ChangeLogStatus, watch_window
from tutordesk.operations.changelog.tail import OplogTail
from tutordesk.operations.lease import BEAT_SECONDS, Lease
from tutordesk.operations.names import CHANGE_LOG_LEASE, LEASES

log = logging.getLogger(__name__)
RETRY_SECONDS = 2.0


class ChangeLog(LoopThread):
    """Writes the log of `folder` from `start()` to `stop()`, while no other server does. `status` may be read."""

    def __init__(self, url: str, folder: Path, server: str) -> None:
        super().__init__(RETRY_SECONDS, self._write_until_failure, "change log")
        self.status = ChangeLogStatus()
        self._url, self._folder, self._server = url, folder, server

    def _write_until_failure(self) -> None:
        """Write until `stop()`, or until a failure, of which the status shows an alarm."""
        try:
            with connect_to_follow(self._url) as client:
                self._write(client)
        except OSError as error:
            self._alarm(f"the change log cannot be written: {error.strerror or error} ({self._folder})")
        except OperatorError as error:
            self._alarm(str(error))
        except pymongo.errors.PyMongoError as error:
            self._alarm(f"the change log waits for the database: {type(error).__name__}")
        except Exception as error:
            self._alarm(f"the change log failed: {type(error).__name__}")
            raise
        finally:
            self.status.is_writing = False
            self.status.lag_seconds = max(self.status.lag_seconds, time.time() - self.status.written_at)
            self._publish()

    def _write(self, client: Client) -> None:
        """Wait for the lease, and write while it holds."""
        lease = Lease(client[database_name(client)], CHANGE_LOG_LEASE, self._server)
        writer = Writer(self._folder)
        try:
            while not lease.take():
                if self.ending.wait(BEAT_SECONDS):
                    return
            bases = BaseKeeper(self._url, self._folder)
            try:
                OplogTail(client, writer, bases, self.status, self._alarm).run(lease, self.ending)
            finally:
                bases.close()
            lease.release()
        finally:
            writer.close()

    def _publish(self) -> None:
        """Show the status to the server's other processes, as a beat does."""
        lease = {"_id": CHANGE_LOG_LEASE, "server": self._server}
        # Readers find the database away, too.
        with contextlib.suppress(pymongo.errors.PyMongoError), connect_to_follow(self._url) as client:
            watch_window(client, self.status)
            client[database_name(client)][LEASES].update_one(lease, {"$set": asdict(self.status)})

    def _alarm(self, sentence: str) -> None:
        """Log the sentence once, and show it in the status. An empty one ends the alarm."""
        if sentence and sentence != self.status.alarm:
            log.error("%s", sentence)
        elif self.status.alarm and not sentence:
            log.warning("change log continues, after: %s", self.status.alarm)
        self.status.alarm = sentence


@contextlib.contextmanager
def running_change_log(url: str, folder: Path, server: str) -> Iterator[ChangeLog]:
    """Write the log of the database at `url` while inside. `server`: this server's name, which outlives restarts."""
    change_log = ChangeLog(url, folder, server)
    change_log.start()
    try:
        yield change_log
    finally:
        change_log.stop()
