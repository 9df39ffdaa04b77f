"""The bus between the processes that serve one room. It carries hints and presence, and may lose them.

By default MongoDB carries them, as short-lived documents and a change stream. With `REDIS_URL`, Redis' publish and
subscribe does. Nothing on the bus is durable, because the relay checks the database every two seconds anyway.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol, TypedDict

import orjson
import pymongo
import redis.asyncio
from beanie import Document
from bson import Timestamp
from pydantic import Field
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.ground.database import Row, at_once

MAX_WAIT_MS = 1_000
TIME_TO_LIVE_SECONDS = 60


class Signal(TypedDict, total=False):
    """A hint about a `room`, sent by a `process`. It has one of `seq`, `typing`, `users` and `is_deleted`.

    - `seq`: records up to this number are committed.
    - `typing`: the id of a member who is typing.
    - `users`: the ids of the members in the room on that process. With `asks`, the others answer with theirs.
    """

    process: str
    room: str
    seq: int
    typing: str
    users: list[str]
    asks: bool
    is_deleted: bool


class RoomSignal(Document):
    """A signal on its way. MongoDB deletes it after a minute."""

    at: datetime = Field(default_factory=now)
    signal: Row

    class Settings:
        name = "room_signals"
        indexes = [IndexModel([("at", pymongo.ASCENDING)], name="short-lived", expireAfterSeconds=TIME_TO_LIVE_SECONDS)]


class Bus(Protocol):
    """Publishes signals and yields those of all processes, this one's too. Raises an error of ENGINE_ERRORS."""

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
        inserts: list[Row] = [{"$match": {"operationType": "insert"}}]
        async with signals.watch(inserts, start_at_operation_time=since, max_await_time_ms=MAX_WAIT_MS) as changes:
            while True:
                if change := await changes.try_next():
                    yield change["fullDocument"]["signal"]

    async def close(self) -> None:
        """Do nothing, because the app closes the database's connection."""


class RedisBus:
    """A channel of Redis. `channel` separates several Tutordesks on one Redis."""

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
