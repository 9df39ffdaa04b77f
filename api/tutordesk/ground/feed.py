"""A feed: one change stream of MongoDB that is passed on to any number of followers as server-sent events.

It watches only while somebody follows. Events are not kept: when the change stream fails, or a follower is 256 events
behind, its stream ends. A client that connects again reads what it shows from the start.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import Any, Generic, Self, TypeVar, cast

import pymongo.errors
from beanie import Document
from bson import Timestamp

from tutordesk.ground.background import Background
from tutordesk.ground.database import AsyncDatabase, Query, Row
from tutordesk.ground.sse import FIRST_BYTES, KEEP_ALIVE, KEEP_ALIVE_SECONDS

log = logging.getLogger(__name__)
MAX_WAITING = 256
LOOK_MS = 1_000


class Follower:
    """The waiting events of one stream."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[bytes | None] = asyncio.Queue()


F = TypeVar("F", bound=Follower)


class Feed(ABC, Generic[F]):
    """Use as `async with`. `changes` is the pipeline of the change stream over the database of `document`."""

    def __init__(self, name: str, document: type[Document], changes: list[Query]) -> None:
        self._name, self._document, self._changes = name, document, changes
        self.followers: set[F] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._background = Background()

    @abstractmethod
    async def publish(self, change: Row) -> None:
        """Send what a change of the database means to those followers whom it concerns."""

    async def open(self, follower: F) -> AsyncGenerator[bytes]:
        """Return the frames of a new follower, from now on. Raises PyMongoError before the first frame."""
        if not self._watcher or self._watcher.done():
            ping = await self._database().command("ping")
            seen: Timestamp = ping["operationTime"]
            if not self._watcher or self._watcher.done():
                since = Timestamp(seen.time, seen.inc + 1)
                self._watcher = self._background.start(self._watch(since), self._name)
        self.followers.add(follower)
        return self._frames(follower)

    def _database(self) -> AsyncDatabase:
        database: Any = self._document.get_motor_collection().database  # Motor's types say that it is a collection
        return cast(AsyncDatabase, database)

    async def _frames(self, follower: F) -> AsyncGenerator[bytes]:
        try:
            yield FIRST_BYTES
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        event = await follower.events.get()
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if event is None:
                    return
                yield event
        finally:
            self.followers.discard(follower)

    async def _watch(self, since: Timestamp) -> None:
        try:
            stream = self._database().watch(self._changes, start_at_operation_time=since, max_await_time_ms=LOOK_MS)
            async with stream as changes:
                while self.followers:
                    if change := await changes.try_next():
                        await self.publish(change)
        except pymongo.errors.PyMongoError as error:
            log.warning("%s failed, ending their streams: %s", self._name, type(error).__name__)
        finally:
            self._watcher = None
            self.end()

    def send(self, follower: F, event: bytes) -> None:
        if follower.events.qsize() >= MAX_WAITING:
            self.followers.discard(follower)
            follower.events.put_nowait(None)
        else:
            follower.events.put_nowait(event)

    def end(self) -> None:
        """End every stream."""
        for follower in self.followers:
            follower.events.put_nowait(None)
        self.followers.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._background.close()
