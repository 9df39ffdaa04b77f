"""The free room of the embedded database's disk: below a limit new writes are refused, before mongod dies of it.

mongod cannot go on without room for its journal, and takes files of 100 MB for that. What is refused is told as a 507
by the gate and by the rooms' sockets; reading goes on, and so does writing once there is room.
"""

import asyncio
import logging
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)
MB = 1_000_000
MIN_BYTES, MIN_SHARE, MAX_KEPT_BYTES = 500 * MB, 0.05, 2_000 * MB
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Disk:
    """Bytes. `needed`: 500 MB, or a twentieth of a disk where that is more, of at most 2 GB."""

    free: int
    total: int

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        usage = shutil.disk_usage(folder)
        return cls(usage.free, usage.total)

    @property
    def needed(self) -> int:
        return max(MIN_BYTES, min(int(self.total * MIN_SHARE), MAX_KEPT_BYTES))

    @property
    def is_short(self) -> bool:
        return self.free < self.needed


NOT_OURS = Disk(sys.maxsize, sys.maxsize)  # a database elsewhere looks after its disk itself


@asynccontextmanager
async def watched_disk(folder: Path) -> AsyncIterator[Disk]:
    """A Disk that is looked at every second, and told of in the log when that changes."""
    disk = await asyncio.to_thread(Disk.of, folder)
    watching = asyncio.create_task(_watch(disk, folder), name="free disk")
    try:
        yield disk
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(disk: Disk, folder: Path) -> None:
    was_short = False
    while True:
        if disk.is_short != was_short:
            was_short = disk.is_short
            said = "nothing is saved until there is room" if was_short else "there is room again"
            log.log(
                logging.ERROR if was_short else logging.WARNING,
                "the disk of %s has %.0f MB free, and %.0f MB are needed: %s",
                *(folder, disk.free / MB, disk.needed / MB, said),
            )
        await asyncio.sleep(LOOK_SECONDS)
        try:
            now = await asyncio.to_thread(Disk.of, folder)
        except OSError as error:
            log.error("the free disk of %s cannot be told: %s", folder, error)
            continue
        disk.free, disk.total = now.free, now.total
