"""Restarts the embedded mongod when it dies, with growing pauses when it keeps dying.

A mongod that ends by itself soon after its start will do so again, as on a full disk: each pause is four times as long
as the one before, up to half a minute. While the disk is short the pause is half a minute at once, or until there is
space. A mongod that somebody kills starts well, so it counts as a quick death only within two seconds.
"""

import asyncio
import logging
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tutordesk.operations.embedded.disk import LOOK_SECONDS, Disk

log = logging.getLogger(__name__)
MIN_PAUSE, MAX_PAUSE = 0.1, 30.0
QUICK_SECONDS, QUICKLY_KILLED_SECONDS = 10.0, 2.0
Process = subprocess.Popen[bytes]


class Keeper:
    """Holds the running `process`, which `restart` starts again."""

    def __init__(self, process: Process, restart: Callable[[], Process], data_dir: Path) -> None:
        self.process = process
        self._restart, self._data_dir = restart, data_dir
        self._started, self._quick_deaths = time.monotonic(), 0

    async def restart_when_dead(self) -> None:
        """Wait until the process has ended, pause, and start it again. Raises OSError when it cannot be started."""
        code = await asyncio.to_thread(self.process.wait)
        quick = QUICKLY_KILLED_SECONDS if code == -signal.SIGKILL else QUICK_SECONDS
        self._quick_deaths = self._quick_deaths + 1 if time.monotonic() - self._started < quick else 0
        is_short = Disk.of(self._data_dir).is_short
        pause = pause_after(self._quick_deaths, is_short)
        log.error("mongod ended with code %s, restarting in %.1f s: see %s", code, pause, self._data_dir / "mongod.log")
        if is_short:
            await _until_space(self._data_dir, pause)
        else:
            await asyncio.sleep(pause)
        self._started = time.monotonic()
        self.process = self._restart()


async def _until_space(data_dir: Path, max_seconds: float) -> None:
    for _ in range(round(max_seconds / LOOK_SECONDS)):
        if not Disk.of(data_dir).is_short:
            return
        await asyncio.sleep(LOOK_SECONDS)


def pause_after(quick_deaths: int, is_disk_short: bool) -> float:
    """Return the seconds until the next start, after so many quick deaths in a row."""
    return MAX_PAUSE if is_disk_short else min(MAX_PAUSE, MIN_PAUSE * 4**quick_deaths)
