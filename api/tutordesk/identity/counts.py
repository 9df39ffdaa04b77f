"""Counts of what visitors do, for all processes together: in MongoDB, or in Redis where `REDIS_URL` is set.

A window holds the times of its newest events, so its count is exact. To count one event in several windows takes one
round trip. Counts may be lost: they are neither in dumps nor in the change log.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pymongo.errors
import redis.asyncio
from beanie import Document
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from pymongo import ASCENDING, IndexModel, UpdateOne

from tutordesk.ground.database import AsyncCollection, at_once

DUPLICATE_KEY = 11000
CLOCK_SECONDS = 5.0  # the most by which the clocks of two servers may differ
MAX_TRIES = 5  # two processes that count a key's first event at once collide


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` events of `key` within `seconds`."""

    key: str
    limit: int
    seconds: int


class Full(Exception):
    """A window is full. It has room for another event in `seconds`."""

    def __init__(self, window: Window, seconds: float) -> None:
        super().__init__(window.key)
        self.window, self.seconds = window, seconds


class Counts(Protocol):
    """Raises an error of ENGINE_ERRORS if the database cannot be reached."""

    async def take(self, windows: Sequence[Window]) -> None:
        """Count one event in each window, in order. Raises Full at the first full one, and counts none from there."""

    async def check(self, windows: Sequence[Window]) -> None:
        """Raise Full if a window is full. Counts nothing."""

    async def clear(self, window: Window) -> None:
        """Forget a window's events."""

    async def add(self, key: str, amount: int) -> None:
        """Add to a sum, which is kept for two days."""

    async def total(self, key: str) -> int:
        """Return a sum, 0 for an unknown one."""

    async def close(self) -> None: ...


class LocalCounts:
    """The counts of this process alone, by the library `limits`."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._totals = Counter[str]()

    async def take(self, windows: Sequence[Window]) -> None:
        for window in windows:
            if not await self._limiter.hit(_item(window), window.key):
                await self._refuse(window)

    async def check(self, windows: Sequence[Window]) -> None:
        for window in windows:
            if not await self._limiter.test(_item(window), window.key):
                await self._refuse(window)

    async def clear(self, window: Window) -> None:
        await self._limiter.clear(_item(window), window.key)

    async def add(self, key: str, amount: int) -> None:
        self._totals = Counter({key: self._totals[key] + amount})  # the newest sum is the only one that counts

    async def total(self, key: str) -> int:
        return self._totals[key]

    async def close(self) -> None:
        """Do nothing."""

    async def _refuse(self, window: Window) -> None:
        stats = await self._limiter.get_window_stats(_item(window), window.key)
        raise Full(window, stats.reset_time - time.time())


def _item(window: Window) -> RateLimitItem:
    return RateLimitItemPerSecond(window.limit, window.seconds)


class Count(Document):
    """A window's newest events, `at` seconds since 1970 with the newest first, or a `total`."""

    id: str  # type: ignore[assignment]  # Beanie declares it optional
    at: list[float] = []
    total: int = 0
    expires_at: datetime

    class Settings:
        name = "counts"
        indexes = [IndexModel([("expires_at", ASCENDING)], name="expires_at", expireAfterSeconds=0)]


class MongoCounts:
    async def take(self, windows: Sequence[Window]) -> None:
        for _ in range(MAX_TRIES):
            moment = time.time()
            try:
                await _counts().bulk_write([_event(window, moment) for window in windows])
                return
            except pymongo.errors.BulkWriteError as error:
                failure = error.details["writeErrors"][0]
                if failure["code"] != DUPLICATE_KEY:
                    raise
                windows = windows[failure["index"] :]
            await self.check(windows[:1])
        raise Full(windows[0], 1)

    async def check(self, windows: Sequence[Window]) -> None:
        moment = time.time()
        rows = await _counts().find({"_id": {"$in": [window.key for window in windows]}}).to_list(None)
        events = {row["_id"]: row["at"] for row in rows}
        for window in windows:
            oldest = events.get(window.key, [])[window.limit - 1 : window.limit]
            if oldest and moment - window.seconds <= oldest[0] <= moment + CLOCK_SECONDS:
                raise Full(window, oldest[0] + window.seconds - moment)

    async def clear(self, window: Window) -> None:
        await _counts().delete_one({"_id": window.key})

    async def add(self, key: str, amount: int) -> None:
        change = {"$inc": {"total": amount}, "$set": {"expires_at": datetime.now(UTC) + timedelta(days=2)}}
        await _counts().update_one({"_id": key}, change, upsert=True)

    async def total(self, key: str) -> int:
        row = await _counts().find_one({"_id": key})
        return int(row["total"]) if row else 0

    async def close(self) -> None:
        """Do nothing, because the app closes the database's connection."""


def _counts() -> AsyncCollection:
    return at_once(Count)


def _event(window: Window, moment: float) -> UpdateOne:
    """Return the update that counts an event. If the window is full it finds no document and cannot make one."""
    is_recent = {"$gte": moment - window.seconds, "$lte": moment + CLOCK_SECONDS}
    has_room = {"_id": window.key, f"at.{window.limit - 1}": {"$not": is_recent}}
    expires_at = datetime.fromtimestamp(moment + window.seconds + CLOCK_SECONDS, UTC)
    newest = {"$each": [moment], "$position": 0, "$slice": window.limit}
    return UpdateOne(has_room, {"$push": {"at": newest}, "$set": {"expires_at": expires_at}}, upsert=True)


# Arguments: 1 to count events or 0 to check, then each window's limit and seconds. Returns the place of the first full
# window and the seconds, as text, until it has room, or 0.
TAKE = """
local time = redis.call('TIME')
local moment = time[1] + time[2] / 1000000
for place, key in ipairs(KEYS) do
    local limit, seconds = tonumber(ARGV[2 * place]), tonumber(ARGV[2 * place + 1])
    local oldest = tonumber(redis.call('LINDEX', key, limit - 1) or '')
    if oldest and oldest >= moment - seconds and oldest <= moment then
        return {place, tostring(oldest + seconds - moment)}
    end
    if ARGV[1] == '1' then
        redis.call('LPUSH', key, string.format('%.6f', moment))
        redis.call('LTRIM', key, 0, limit - 1)
        redis.call('EXPIRE', key, seconds)
    end
end
return {0, '0'}
"""


class RedisCounts:
    """Keys of Redis that begin with `prefix`, which separates several Tutordesks on one Redis."""

    def __init__(self, url: str, prefix: str, seconds: float) -> None:
        self._redis = redis.asyncio.Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds)
        self._take = self._redis.register_script(TAKE)
        self._prefix = prefix

    async def take(self, windows: Sequence[Window]) -> None:
        await self._run(windows, 1)

    async def check(self, windows: Sequence[Window]) -> None:
        await self._run(windows, 0)

    async def clear(self, window: Window) -> None:
        await self._redis.delete(self._prefix + window.key)

    async def add(self, key: str, amount: int) -> None:
        async with self._redis.pipeline() as pipeline:
            pipeline.incrby(self._prefix + key, amount)
            pipeline.expire(self._prefix + key, timedelta(days=2))
            await pipeline.execute()

    async def total(self, key: str) -> int:
        return int(await self._redis.get(self._prefix + key) or 0)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _run(self, windows: Sequence[Window], counts: int) -> None:
        sizes = [size for window in windows for size in (window.limit, window.seconds)]
        place, seconds = await self._take([self._prefix + window.key for window in windows], [counts, *sizes])
        if place:
            raise Full(windows[place - 1], float(seconds))


ENGINE_ERRORS = (pymongo.errors.PyMongoError, redis.exceptions.RedisError, OSError)
