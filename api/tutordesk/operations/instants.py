"""Instants as people write them and as MongoDB counts: `2026-11-25T10:00:00+01:00`, or `1795570041:338`.

There is one clock: a time without a zone is UTC, on every machine. `parse` takes whatever a command prints.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from bson import Timestamp
from bson.raw_bson import RawBSONDocument

from tutordesk.ground.operator_error import OperatorError


@dataclass(frozen=True, slots=True)
class Instant:
    """A place between two entries: after the entry `ts`, or before what happened at `moment`."""

    ts: Timestamp | None = None
    moment: datetime | None = None

    def is_after(self, entry: RawBSONDocument) -> bool:
        """Return whether the entry had happened by then."""
        ts: Timestamp = entry["ts"]
        if self.ts:
            return ts <= self.ts
        assert self.moment
        if ts.time != int(self.moment.timestamp()) or "wall" not in entry:
            return ts.time < self.moment.timestamp()
        wall: datetime = entry["wall"]
        return wall.replace(tzinfo=UTC) < self.moment

    def latest(self) -> Timestamp:
        """Return a timestamp that no entry from before the instant exceeds."""
        return self.ts or Timestamp(int(self.moment.timestamp()) if self.moment else 0, 2**32 - 1)

    def earliest(self) -> Timestamp:
        """Return a timestamp up to which everything had happened by then."""
        return self.ts or Timestamp(int(self.moment.timestamp()) - 1 if self.moment else 0, 2**32 - 1)

    def __str__(self) -> str:
        return show(self.ts) if self.ts else f"{self.moment:%Y-%m-%d %H:%M:%S} UTC"

    def in_local_time(self) -> str:
        """Return the instant in this machine's time zone, with its offset from UTC."""
        moment = self.moment or datetime.fromtimestamp(self.ts.time if self.ts else 0, UTC)
        return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z (UTC%z)}"


def parse(text: str) -> Instant:
    """Return the instant of a text: a time, what MongoDB counts, or both as commands print them.

    A time without a zone is UTC. Raises OperatorError.
    """
    text = text.strip()
    if match := re.fullmatch(r"(?:[-0-9T:., ]+UTC\s+)?\(?(\d{9,10})[:,](\d{1,10})\)?", text):
        return Instant(ts=Timestamp(int(match[1]), int(match[2])))
    try:
        moment = datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$", "Z", text))
        return Instant(moment=(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError, OSError):
        raise OperatorError(
            f"{text!r} is neither a time (2026-11-25T10:00:00, which is UTC, or with +01:00 behind it) nor an instant "
            "(1795570041:338)."
        ) from None


def show(ts: Timestamp) -> str:
    """Return a timestamp for people: the time, and what MongoDB counts."""
    return f"{datetime.fromtimestamp(ts.time, UTC):%Y-%m-%d %H:%M:%S} UTC ({ts.time}:{ts.inc})"
