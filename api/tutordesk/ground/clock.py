"""The time, as everything that is stored uses it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time as aware UTC, cut to MongoDB's milliseconds so that what is saved equals what is sent."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
