"""A transaction in a bounded time, tried again for as long as MongoDB says that this may help.

Motor's own `with_transaction` goes on for two minutes, whatever the client's time limits; who sends a message to a room
hears within three seconds whether it is there.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pymongo
import pymongo.errors

Session = Any  # Motor's session, which only database.py may name
T = TypeVar("T")
TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
MIN_SECONDS = 0.05
MIN_PAUSE, MAX_PAUSE = 0.002, 0.1


async def transact(session: Session, work: Callable[[Session], Awaitable[T]], seconds: float) -> T:
    """Run `work` in a transaction and commit it, within `seconds`. What it raises undoes everything.

    Raises PyMongoError, after which it may have been committed nevertheless: a later try has to be harmless.
    """
    deadline, pause = time.monotonic() + seconds, MIN_PAUSE
    while True:
        try:
            with pymongo.timeout(max(MIN_SECONDS, deadline - time.monotonic())):
                return await _try(session, work, deadline)
        except pymongo.errors.PyMongoError as error:
            if not error.has_error_label(TRANSIENT) or time.monotonic() >= deadline:
                raise
        await asyncio.sleep(random.uniform(0, pause))
        pause = min(MAX_PAUSE, pause * 2)


async def _try(session: Session, work: Callable[[Session], Awaitable[T]], deadline: float) -> T:
    async with session.start_transaction():  # which ends with an abort when something is raised
        done = await work(session)
        while True:
            try:
                await session.commit_transaction()
                return done
            except pymongo.errors.PyMongoError as error:
                if not error.has_error_label(UNKNOWN) or time.monotonic() >= deadline:
                    raise
