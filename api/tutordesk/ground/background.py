"""Background work: the named tasks and loops of one owner, logged when they fail and ended when the owner closes.

Use as `async with Background() as background:`. A loop survives its failures: it logs the first of several in a row
and retries after its pause. A beat that stopped would make other processes believe that this one is dead.

`LoopThread` does the same in a thread, for work beside the event loop. Nothing else starts a task or a thread.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Self, TypeVar

import pymongo.errors

from tutordesk.ground.patience import lift_limit

log = logging.getLogger(__name__)
T = TypeVar("T")
MIN_RETRY_SECONDS = 0.2


class Background:
    """Holds tasks, so that none is garbage collected, and ends the last started first."""

    def __init__(self) -> None:
        self._loops: list[asyncio.Task[None]] = []
        self._tasks: dict[asyncio.Task[object], None] = {}

    def start(self, coroutine: Coroutine[object, object, T], name: str) -> asyncio.Task[T]:
        """Run a coroutine beside the caller and log its failure with the name. Returns its task."""
        task = asyncio.create_task(coroutine, name=name, context=_own_context())
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def every(self, seconds: float, act: Callable[[], Awaitable[object]], name: str, *, at_once: bool = False) -> None:
        """Call `act` repeatedly, with a pause of `seconds` before each call. `at_once` skips the first pause."""
        loop = _repeat(seconds, act, name, at_once)
        self._loops.append(asyncio.create_task(loop, name=name, context=_own_context()))

    async def finish(self) -> None:
        """Wait for the started tasks to end by themselves."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def close(self) -> None:
        """Cancel the remaining tasks and loops, the last started first, and wait for each to end."""
        while self._tasks or self._loops:  # a task that ends may start another
            task = next(reversed(self._tasks), None) or self._loops.pop()
            task.cancel()
            await asyncio.wait([task])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed", task.get_name(), exc_info=error)


class LoopThread:
    """A thread that calls `act` from `start()` to `stop()`, with a pause of `seconds` after each call.

    An `act` that takes long checks `ending`, and returns once it is set. A context starts and stops the thread.
    """

    def __init__(self, seconds: float, act: Callable[[], object], name: str) -> None:
        self.ending = threading.Event()
        self._seconds, self._act, self._name = seconds, act, name
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = start_thread(self.run, self._name)

    def stop(self) -> None:
        """End after the running call, and wait for it. Called from another thread, also if never started."""
        self.ending.set()
        if self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Do it in the calling thread, until another one calls `stop()`."""
        failures, pause = _Failures(self._name), 0.0
        while not self.ending.wait(pause):
            try:
                self._act()
                pause = self._seconds
                failures.end()
            except Exception as error:
                failures.note(error)
                pause = max(self._seconds, MIN_RETRY_SECONDS)


def start_thread(act: Callable[[], object], name: str) -> threading.Thread:
    """Run `act` in a thread and log its failure with the name. A process that ends does not wait for it."""

    def run() -> None:
        try:
            act()
        except Exception:
            log.exception("%s failed", name)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


class _Failures:
    """The failures of one loop, of which the first of several in a row is logged."""

    def __init__(self, name: str) -> None:
        self._name, self._newest = name, ""

    def note(self, error: BaseException) -> None:
        """Log a failure, unless the call before failed in the same way."""
        is_expected = isinstance(error, pymongo.errors.PyMongoError | OSError)
        failure = "away" if is_expected else repr(error)
        if failure != self._newest:
            cause = None if is_expected else error
            log.warning("%s failed, retrying: %s", self._name, type(error).__name__, exc_info=cause)
        self._newest = failure

    def end(self) -> None:
        self._newest = ""


def _own_context() -> Context:
    """Return a copy of the context without the time limit of the request that starts a task."""
    context = copy_context()
    context.run(lift_limit)
    return context


async def _repeat(seconds: float, act: Callable[[], Awaitable[object]], name: str, at_once: bool) -> None:
    task = asyncio.current_task()
    assert task, "a loop is a task"
    failures, pause = _Failures(name), seconds
    if not at_once:
        await asyncio.sleep(seconds)
    while not task.cancelling():  # also ends a loop whose call swallowed the cancellation
        try:
            await act()
            pause = seconds
            failures.end()
        except (Exception, asyncio.CancelledError) as error:
            if task.cancelling():
                raise
            failures.note(error)  # even a cancellation, because it was that of something the call waited for
            pause = max(seconds, MIN_RETRY_SECONDS)
        await asyncio.sleep(pause)
