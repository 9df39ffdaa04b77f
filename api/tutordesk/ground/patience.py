"""How long a request waits for MongoDB: three seconds for all its steps together, from its arrival.

The gate limits every request. Without that each step could take as long, and would begin to only when one of Motor's
ten threads is free: sixty requests to a database that hangs would wait for twenty seconds.

PyMongo keeps the limit in the context, which a new task copies. So `Background` starts its tasks without it, and the
gate lifts it when an answer begins, which may be a stream.
"""

import math
import time
from contextlib import AbstractContextManager

import pymongo
from pymongo import _csot

SECONDS = 3
MIN_SECONDS = 0.05


class Patience:
    """One limit for several steps. Inside another one, the earlier end holds."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + SECONDS

    @property
    def remaining(self) -> float:
        """Return the seconds that remain for the next step."""
        return max(MIN_SECONDS, self._deadline - time.monotonic())

    def limit(self) -> AbstractContextManager[None]:
        """Return a context that ends MongoDB's operations inside it after the remaining seconds."""
        limit: AbstractContextManager[None] = pymongo.timeout(self.remaining)
        return limit


def lift_limit() -> None:
    """Let each further operation in this context take three seconds of its own.

    PyMongo has no public way to lengthen a limit.
    """
    _csot.TIMEOUT.set(None)
    _csot.DEADLINE.set(math.inf)
