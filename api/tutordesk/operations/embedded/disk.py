"""Watches the disk of the embedded database: below a limit, new writes are refused before mongod dies of it.

mongod cannot run without space for its journal, which it takes in files of 100 MB. The gate and the rooms' sockets
refuse with 507; reading continues, and so does writing once there is space.
"""

import asyncio
import logging
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tutordesk.ground.background import Background

log = logging.getLogger(__name__)
MB = 1_000_000
MIN_BYTES, MIN_SHARE, MAX_RESERVED_BYTES = 500 * MB, 0.05, 2_000 * MB
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Disk:
    """The space of a disk, in bytes."""

    free: int
    total: int

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """Return the space of the disk that holds the folder. Raises OSError."""
        usage = shutil.disk_usage(folder)
        return cls(usage.free, usage.total)

    @property
    def needed(self) -> int:
        """500 MB, or a twentieth of a larger disk, but at most 2 GB."""
        return max(MIN_BYTES, min(int(self.total * MIN_SHARE), MAX_RESERVED_BYTES))

    @property
    def is_short(self) -> bool:
        return self.free < self.needed


UNWATCHED = Disk(sys.maxsize, sys.maxsize)  # of a database elsewhere, whose operator watches its disk


@asynccontextmanager
async def watched_disk(folder: Path) -> AsyncIterator[Disk]:
    """Yield a Disk that is updated every second. The log says when it becomes short, and when no longer."""
    disk = await asyncio.to_thread(Disk.of, folder)

    async def look() -> None:
        now = await asyncio.to_thread(Disk.of, folder)
        was_short, disk.free, disk.total = disk.is_short, now.free, now.total
        if disk.is_short != was_short:
            _log_space(disk, folder)

    if disk.is_short:
        _log_space(disk, folder)
    async with Background() as background:
        background.every(LOOK_SECONDS, look, "look at the free disk")
        yield disk


def _log_space(disk: Disk, folder: Path) -> None:
    figures = folder, disk.free / MB, disk.needed / MB
    if disk.is_short:
        log.error("disk of %s is short: %.0f MB free, %.0f MB needed; nothing is saved", *figures)
    else:
        log.warning("disk of %s has space again: %.0f MB free, %.0f MB needed", *figures)
