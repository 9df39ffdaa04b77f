"""Tells every open list what happens to tickets, as server-sent events, whichever process changed them.

| event | data |
|---|---|
| `created`, `updated` | the ticket's row in a list, as it is now |
| `deleted` | `id` |

They come from a change stream of MongoDB, one a process and only while somebody listens. Events are not kept: when the
change stream fails, or a subscriber is 256 events behind, its stream ends. A client that reconnects reads its list.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Self

import pymongo.errors
from beanie import PydanticObjectId
from bson import Timestamp
from pydantic import BaseModel

from tutordesk.ground.background import Background
from tutordesk.ground.database import Query, Row
from tutordesk.ground.sse import FIRST_BYTES, KEEP_ALIVE, KEEP_ALIVE_SECONDS, frame
from tutordesk.tickets.models import PARTS_OF_LIST, Ticket, TicketRow, row_of

log = logging.getLogger(__name__)
MAX_WAITING = 256
LOOK_MS = 1_000
FIELDS = ("updated_at", "summary_at", "summary_status", "is_deleted")
SHOWN = {"$or": [{f"updateDescription.updatedFields.{field}": {"$exists": True}} for field in FIELDS]}
CHANGES: list[Query] = [
    {"$match": {"$or": [{"operationType": "insert"}, {"operationType": "update", **SHOWN}]}},
    {"$project": {"operationType": 1, "documentKey": 1, "updateDescription.updatedFields.is_deleted": 1}},
]
Subscriber = asyncio.Queue[bytes | None]


class TicketDeleted(BaseModel):
    id: PydanticObjectId


class TicketWire(BaseModel):
    """The data of each event of tickets, by the event's name, for the API's description and the client's types."""

    created: TicketRow
    updated: TicketRow
    deleted: TicketDeleted


class TicketEvents:
    """Use as `async with TicketEvents()`."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._background = Background()

    async def follow(self) -> AsyncGenerator[bytes]:
        """Return the frames of a new subscriber, from now on. Raises PyMongoError before the first frame."""
        if not self._watcher or self._watcher.done():
            ping = await Ticket.get_motor_collection().database.command("ping")
            seen: Timestamp = ping["operationTime"]
            if not self._watcher or self._watcher.done():
                since = Timestamp(seen.time, seen.inc + 1)
                self._watcher = self._background.start(self._watch(since), "ticket events")
        subscriber: Subscriber = asyncio.Queue()
        self._subscribers.add(subscriber)
        return self._frames(subscriber)

    async def _frames(self, subscriber: Subscriber) -> AsyncGenerator[bytes]:
        try:
            yield FIRST_BYTES
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        event = await subscriber.get()
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if event is None:
                    return
                yield event
        finally:
            self._subscribers.discard(subscriber)

    async def _watch(self, since: Timestamp) -> None:
        tickets = Ticket.get_motor_collection()
        try:
            async with tickets.watch(CHANGES, start_at_operation_time=since, max_await_time_ms=LOOK_MS) as changes:
                while self._subscribers:
                    if change := await changes.try_next():
                        await self._publish(change)
        except pymongo.errors.PyMongoError as error:
            log.warning("ticket events failed, ending their streams: %s", type(error).__name__)
        finally:
            self._watcher = None
            self.end()

    async def _publish(self, change: Row) -> None:
        ticket_id = change["documentKey"]["_id"]
        row = await Ticket.get_motor_collection().find_one({"_id": ticket_id, "is_deleted": False}, PARTS_OF_LIST)
        was_deleted = change.get("updateDescription", {}).get("updatedFields", {}).get("is_deleted")
        if row:
            is_new = change["operationType"] == "insert" or was_deleted is False
            self._send(frame("created" if is_new else "updated", row_of(row)))
        elif was_deleted:
            self._send(frame("deleted", TicketDeleted(id=ticket_id)))

    def _send(self, event: bytes) -> None:
        for subscriber in list(self._subscribers):
            if subscriber.qsize() >= MAX_WAITING:
                self._subscribers.discard(subscriber)
                subscriber.put_nowait(None)
            else:
                subscriber.put_nowait(event)

    def end(self) -> None:
        """End every stream."""
        for subscriber in self._subscribers:
            subscriber.put_nowait(None)
        self._subscribers.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._background.close()
