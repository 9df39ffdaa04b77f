"""A change log in tests: wait for its base, replay it to an instant, and let no file grow."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bson import Timestamp

from testing.databases.states import state_of
from tutordesk.operations.catalog import Client
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.instants import Instant, parse
from tutordesk.operations.restores.restore import restore
from tutordesk.operations.restores.rewind import rewind_to


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Check every 20 ms until the condition holds. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def until_base(log: Path, count: int = 1) -> None:
    """Wait until the log has this many bases and wants no other."""
    wait_until(lambda: len(list_bases(log)) >= count and not (log / "base-wanted").exists())


def rewind(client: Client, log: Path, name: str, at: Timestamp | str | None) -> dict[str, Any]:
    """Return the state that a restore to this instant makes, in a database of its own. None: the log's end."""
    instant = parse(at) if isinstance(at, str) else Instant(ts=at) if at else None
    into = f"{name}_back"
    try:
        dump, replay = rewind_to(log, name, instant)
        restore(client, dump, into, into, lambda step, total, done: None, replay)
        return state_of(client[into])
    finally:
        client.drop_database(into)


@contextmanager
def max_file_bytes(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`: the write before is short, the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
