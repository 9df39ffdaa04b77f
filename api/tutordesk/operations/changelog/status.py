"""How the change log does, as its writer, `/status` and `/metrics` tell; and the warning before entries get lost.

MongoDB removes the oldest entries of its oplog when that is full. What the log has not written by then is a gap.
"""

import logging
from dataclasses import dataclass

from bson import Timestamp

from tutordesk.operations.catalog import Client, newest_entry

log = logging.getLogger(__name__)
MAX_SHARE, FINE_SHARE = 0.5, 0.4


@dataclass
class ChangeLogStatus:
    """How the log does. `lag_seconds`: how old the newest entries were once on the disk, or how long none could be
    written; `written_at`: when all was; `gap`: the last one, while there is no base after it; `alarm`: a sentence;
    `warning`: another, while the lag takes more than half of what MongoDB's oplog holds.
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
            log.warning("the change log is behind by %.0f %% of what MongoDB's oplog holds", share * 100)
        status.warning = (
            f"The change log is behind by {share:.0%} of what MongoDB's oplog holds; at 100 % it has a gap."
        )
    elif share < FINE_SHARE and status.warning:
        log.warning("the change log has caught up")
        status.warning = ""


def window_share(client: Client, seen: Timestamp) -> float:
    """How much of the oplog's window lies after `seen`. The window of one that is not full yet is as long as it will be
    at this rate.
    """
    oplog = client["local"]["oplog.rs"]
    oldest: Timestamp = next(oplog.find(projection={"ts": 1}).sort("$natural", 1).limit(1))["ts"]
    newest = newest_entry(client).ts
    size: dict[str, float] = client["local"].command("collStats", "oplog.rs")
    fill = max(0.001, min(1.0, size["size"] / size["maxSize"]))
    return (newest.time - seen.time) * fill / max(1, newest.time - oldest.time)
