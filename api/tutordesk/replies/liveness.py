"""Finds dead processes. Each reply names its owner, the process that writes it, and each owner counts up a beat.

An owner counts as dead when its beat stayed the same in five checks, two seconds apart. Checks that the database did
not answer do not count. An owner of this data folder is dead as soon as its lock file is unlocked, since the kernel
unlocks it however the process ends. No clocks of two machines are compared.
"""

import contextlib
import fcntl
import secrets
from collections.abc import Iterator
from pathlib import Path

from beanie import Document

BEAT_SECONDS = 2.0
MAX_UNCHANGED_CHECKS = 5


class Owner(Document):
    """A living process. The id is `{server id}.{token}`."""

    id: str  # type: ignore[assignment]  # Beanie declares it optional
    beat: int = 0

    class Settings:
        name = "owners"


def server_id(data_dir: Path) -> str:
    """Return the name of this data folder's server, which survives restarts."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = data_dir / "server_id"
    if not file.exists():
        file.write_text(secrets.token_hex(8))
    return file.read_text().strip()


@contextlib.contextmanager
def owner_of(data_dir: Path) -> Iterator[str]:
    """Yield a new name for this process, and lock a file of that name in the data folder."""
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
    """Return whether `name` was a process of this data folder and has ended."""
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
    """Finds dead owners by their beats. `owner` is this process, which it leaves out."""

    def __init__(self, data_dir: Path, owner: str) -> None:
        self._data_dir, self._owner = data_dir, owner
        self._beats: dict[str, tuple[int, int]] = {}  # the last beat of each, and the checks that found it unchanged

    async def find_dead(self) -> list[str]:
        """Return the owners that are dead. Call it once every two seconds."""
        rows = await Owner.get_motor_collection().find().to_list(None)
        beats: dict[str, tuple[int, int]] = {}
        for name, beat in ((row["_id"], row["beat"]) for row in rows if row["_id"] != self._owner):
            last_beat, checks = self._beats.get(name, (beat - 1, 0))
            beats[name] = (beat, checks + 1 if beat == last_beat else 0)
        self._beats = beats
        return [
            name
            for name, (_, checks) in beats.items()
            if checks >= MAX_UNCHANGED_CHECKS or has_ended_here(self._data_dir, name)
        ]
