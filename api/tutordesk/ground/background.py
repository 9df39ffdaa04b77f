"""Background work: the named tasks and loops of one owner, logged when they fail and ended when the owner closes.

Use as `async with Background() as background:`. A loop survives its failures: it logs the first of several in a row
and retries after its pause. A beat that stopped would make other processes believe that this one is dead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Self, TypeVar

import pymongo.errors

log = logging.getLogger(__name__)
T = TypeVar("T")


class Background:
    """Holds tasks, so that none is garbage collected, and ends the last started first."""

    def __init__(self) -> None:
        self._loops: list[asyncio.Task[None]] = []
        self._tasks: dict[asyncio.Task[object], None] = {}

    def start(self, coroutine: Coroutine[object, object, T], name: str) -> asyncio.Task[T]:
        """Run a coroutine beside the caller and log its failure with the name. Returns its task."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def every(self, seconds: float, act: Callable[[], Awaitable[object]], name: str, *, at_once: bool = False) -> None:
        """Call `act` repeatedly, with a pause of `seconds` before each call. `at_once` skips the first pause."""
        self._loops.append(asyncio.create_task(_repeat(seconds, act, name, at_once), name=name))

    async def finish(self) -> None:
        """Wait for the started tasks to end by themselves."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def close(self) -> None:
        """Cancel the remaining tasks and loops, the last started first, and wait for each to end."""
        for task in (*reversed(self._tasks), *reversed(self._loops)):
            task.cancel()
            await asyncio.wait([task])
        self._loops.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed", task.get_name(), exc_info=error)


async def _repeat(seconds: float, act: Callable[[], Awaitable[object]], name: str, at_once: bool) -> None:
    is_failing = False
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        try:
            await act()
            is_failing = False
        except (pymongo.errors.PyMongoError, OSError) as error:
            if not is_failing:
                log.warning("%s failed, retrying: %s", name, type(error).__name__)
            is_failing = True
        except Exception:
            log.exception("%s failed, retrying", name)
        await asyncio.sleep(seconds)
