"""Which processes live. Each reply names its owner, the process that writes it; an owner shows by a beat that it lives.

An owner counts as dead when its beat stood still through five looks at it, two seconds apart (looks that the database
did not answer count for nothing), or at once when it belonged to this data folder and let go of its lock file, which
a process does however it ends. No clock is compared with another machine's.
"""

import contextlib
import fcntl
import secrets
from collections.abc import Iterator
from pathlib import Path

from beanie import Document

BEAT_SECONDS = 2.0
STILL_LOOKS = 5


class Owner(Document):
    """A living process: `{server id}.{token}`."""

    id: str  # type: ignore[assignment]  # Beanie's own is optional
    beat: int = 0

    class Settings:
        name = "owners"


def server_id(data_dir: Path) -> str:
    """The name of this data folder's server, the same after a restart."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = data_dir / "server_id"
    if not file.exists():
        file.write_text(secrets.token_hex(8))
    return file.read_text().strip()


@contextlib.contextmanager
def owner_of(data_dir: Path) -> Iterator[str]:
    """A new name for this process, held by a locked file in the data folder while inside."""
    name = f"{server_id(data_dir)}.{secrets.token_hex(6)}"
    file = _lock_file(data_dir, name)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield name
        finally:
            file.unlink(missing_ok=True)


def has_ended_here(data_dir: Path, name: str) -> bool:
    """Whether `name` was a process of this data folder and has ended."""
    if name.partition(".")[0] != server_id(data_dir):
        return False
    file = _lock_file(data_dir, name)
    try:
        with file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return True
    file.unlink(missing_ok=True)
    return True


def _lock_file(data_dir: Path, name: str) -> Path:
    return data_dir / "owners" / name


class Lookout:
    """Tells by their beats which owners are dead. `look` once every two seconds."""

    def __init__(self, data_dir: Path, own: str) -> None:
        self._data_dir, self._own = data_dir, own
        self._still: dict[str, tuple[int, int]] = {}

    async def look(self) -> list[str]:
        beats = {found["_id"]: found["beat"] async for found in Owner.get_motor_collection().find()}
        beats.pop(self._own, None)
        still: dict[str, tuple[int, int]] = {}
        for name, beat in beats.items():
            before, looks = self._still.get(name, (beat - 1, 0))
            still[name] = (beat, looks + 1 if beat == before else 0)
        self._still = still
        return [
            name for name, (_, looks) in still.items() if looks >= STILL_LOOKS or has_ended_here(self._data_dir, name)
        ]
