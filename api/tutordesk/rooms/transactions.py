"""Transactions in a bounded time, retried as long as MongoDB says that this may help.

Motor's `with_transaction` retries for two minutes, whatever the client's time limits. People who send a message must
know within three seconds whether it was posted.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pymongo
import pymongo.errors

from tutordesk.ground.database import Session

T = TypeVar("T")
TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
MIN_SECONDS = 0.05
MIN_PAUSE, MAX_PAUSE = 0.002, 0.1


async def transact(session: Session, work: Callable[[Session], Awaitable[T]], seconds: float) -> T:
    """Run `work` in a transaction and commit it, within `seconds`. Returns its result. An error undoes everything.

    Raises PyMongoError. The transaction may have been committed nevertheless, so a repetition must do no harm.
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
    async with session.start_transaction():  # an error inside aborts it
        result = await work(session)
        while True:
            try:
                await session.commit_transaction()
                return result
            except pymongo.errors.PyMongoError as error:
                if not error.has_error_label(UNKNOWN) or time.monotonic() >= deadline:
                    raise
