"""The change log's status, for `/status` and `/metrics`, and the warning before entries are lost.

MongoDB removes the oldest entries of a full oplog. Entries that the log has not written by then are a gap.
"""

import logging
from dataclasses import dataclass

from bson import Timestamp

from tutordesk.operations.catalog import Client, newest_entry

log = logging.getLogger(__name__)
MAX_SHARE, FINE_SHARE = 0.5, 0.4


@dataclass
class ChangeLogStatus:
    """The state of the log.

    `lag_seconds`: the age of the newest entries when they reached the disk, or how long none could be written.
    `written_at`: when everything was written last, in seconds since 1970. `size`: bytes of its files.
    `gap`: the last gap, while no base follows it. `alarm`: a sentence while the log cannot be written.
    `warning`: a sentence while the lag exceeds half of what MongoDB's oplog holds.
    """

    is_writing: bool = False
    lag_seconds: float = 0.0
    written_at: float = 0.0
    size: int = 0
    position: Timestamp | None = None
    gap: str = ""
    alarm: str = ""
    warning: str = ""


def watch_window(client: Client, status: ChangeLogStatus) -> None:
    """Warn, once, when the log is behind by more than half of the oplog's window. Raises PyMongoError."""
    share = window_share(client, status.position) if status.position else 0.0
    if share > MAX_SHARE:
        if not status.warning:
            log.warning("change log is behind by %.0f %% of what MongoDB's oplog holds", share * 100)
        status.warning = (
            f"The change log is behind by {share:.0%} of what MongoDB's oplog holds; at 100 % it has a gap."
        )
    elif share < FINE_SHARE and status.warning:
        log.warning("change log has caught up")
        status.warning = ""


def window_share(client: Client, seen: Timestamp) -> float:
    """Return the share of the oplog's window that is later than `seen`.

    The window of an oplog that is not full yet is what it will be at the current rate.
    """
    oplog = client["local"]["oplog.rs"]
    oldest: Timestamp = next(oplog.find(projection={"ts": 1}).sort("$natural", 1).limit(1))["ts"]
    newest = newest_entry(client).ts
    size: dict[str, float] = client["local"].command("collStats", "oplog.rs")
    fill = max(0.001, min(1.0, size["size"] / size["maxSize"]))
    return (newest.time - seen.time) * fill / max(1, newest.time - oldest.time)
