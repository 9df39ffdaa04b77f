"""The time of every stored field."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time as aware UTC, cut to MongoDB's milliseconds so that saved and sent times are equal."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
