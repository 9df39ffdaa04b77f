"""Starts the embedded mongod again when it dies: at once, but not over and over.

One that ends by itself soon after its start will do so again, as on a full disk; each time the pause is four times as
long, up to half a minute; while the disk has no room it is half a minute at once, or until there is. One that somebody
kills will not.
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


async def keep_running(current: list[Process], restart: Callable[[], Process], data_dir: Path) -> None:
    """Until cancelled, wait for the end of `current`'s only process, and put the one that `restart` starts there."""
    quick_deaths = 0
    while True:
        started = time.monotonic()
        code = await asyncio.to_thread(current[0].wait)
        lived, quick = time.monotonic() - started, QUICK_SECONDS
        if code == -signal.SIGKILL:
            quick = QUICKLY_KILLED_SECONDS
        quick_deaths = quick_deaths + 1 if lived < quick else 0
        is_short = Disk.of(data_dir).is_short
        pause = pause_after(quick_deaths, is_short)
        log.error("mongod ended with code %s; it starts again in %.1f s (see %s)", code, pause, data_dir / "mongod.log")
        if is_short:
            await _until_room(data_dir, pause)
        else:
            await asyncio.sleep(pause)
        current[0] = restart()


async def _until_room(data_dir: Path, most_seconds: float) -> None:
    for _ in range(round(most_seconds / LOOK_SECONDS)):
        if not Disk.of(data_dir).is_short:
            return
        await asyncio.sleep(LOOK_SECONDS)


def pause_after(quick_deaths: int, is_disk_short: bool) -> float:
    """Seconds until the next start, after so many quick deaths in a row."""
    return MAX_PAUSE if is_disk_short else min(MAX_PAUSE, MIN_PAUSE * 4**quick_deaths)
