"""How the processes that serve one room tell each other: hints and presence, nothing that must arrive.

`publish` and `listen` are all there is. MongoDB carries it where nothing else is configured: short-lived documents and
a change stream; Redis' publish and subscribe where `REDIS_URL` is set. What gets lost is found by the relay's look at
the database every two seconds, so neither holds anything durable.
"""

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Protocol

import orjson
import pymongo
import redis.asyncio
from beanie import Document
from bson import Timestamp
from pydantic import Field
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.ground.database import at_once

log = logging.getLogger(__name__)
LOOK_MS = 1_000
KEPT_SECONDS = 60
Signal = dict[str, Any]


class RoomSignal(Document):
    """A signal on its way; MongoDB removes it after a minute."""

    at: datetime = Field(default_factory=now)
    signal: Signal

    class Settings:
        name = "room_signals"
        indexes = [IndexModel([("at", pymongo.ASCENDING)], name="short-lived", expireAfterSeconds=KEPT_SECONDS)]


class Bus(Protocol):
    """`listen` yields what any process publishes, the own too, until it breaks off with an error of its engine."""

    async def publish(self, signal: Signal) -> None: ...

    def listen(self) -> AsyncIterator[Signal]: ...

    async def close(self) -> None: ...


class MongoBus:
    async def publish(self, signal: Signal) -> None:
        await at_once(RoomSignal).insert_one({"at": now(), "signal": signal})

    async def listen(self) -> AsyncIterator[Signal]:
        signals = RoomSignal.get_motor_collection()
        ping = await signals.database.command("ping")
        since: Timestamp = ping["operationTime"]
        inserted: list[dict[str, Any]] = [{"$match": {"operationType": "insert"}}]
        async with signals.watch(inserted, start_at_operation_time=since, max_await_time_ms=LOOK_MS) as changes:
            while True:
                if change := await changes.try_next():
                    yield change["fullDocument"]["signal"]

    async def close(self) -> None:
        """The database's connection is not this one's to close."""


class RedisBus:
    """`channel` keeps several Tutordesks on one Redis apart."""

    def __init__(self, url: str, channel: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(url, socket_connect_timeout=1, health_check_interval=10)
        self._channel = channel

    async def publish(self, signal: Signal) -> None:
        await self._redis.publish(self._channel, orjson.dumps(signal))

    async def listen(self) -> AsyncIterator[Signal]:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(self._channel)
            async for message in subscription.listen():
                yield orjson.loads(message["data"])

    async def close(self) -> None:
        await self._redis.aclose()


ENGINE_ERRORS = (pymongo.errors.PyMongoError, redis.exceptions.RedisError, OSError)
