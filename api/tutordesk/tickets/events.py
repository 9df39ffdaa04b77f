"""What happens to tickets, as server-sent events for every open list, whichever process changed them.

| event | data |
|---|---|
| `created`, `updated` | the ticket as in a list, as it is now |
| `deleted` | `id` |

They come from a change stream of MongoDB, one a process and only while somebody reads. Nothing is kept: when it breaks
off, or a reader is 256 events behind, its stream ends, and a reader that reconnects reads its list again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pymongo.errors
from bson import Timestamp

from tutordesk.replies.events import FIRST_BYTES, KEEP_ALIVE, KEEP_ALIVE_SECONDS, frame
from tutordesk.tickets.models import PARTS_OF_LIST, Ticket, row_of

log = logging.getLogger(__name__)
MAX_WAITING = 256
LOOK_MS = 1_000
FIELDS = ("updated_at", "summary_at", "summary_status", "is_deleted")
SHOWN = {"$or": [{f"updateDescription.updatedFields.{field}": {"$exists": True}} for field in FIELDS]}
CHANGES: list[dict[str, Any]] = [
    {"$match": {"$or": [{"operationType": "insert"}, {"operationType": "update", **SHOWN}]}},
    {"$project": {"operationType": 1, "documentKey": 1, "updateDescription.updatedFields.is_deleted": 1}},
]
Reader = asyncio.Queue[bytes | None]


class TicketEvents:
    """Use as `async with running_events()`."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self._watcher: asyncio.Task[None] | None = None

    async def follow(self) -> AsyncIterator[bytes]:
        """The frames of one reader, which hears of everything from now on. Raises PyMongoError at once."""
        if not self._watcher or self._watcher.done():
            ping = await Ticket.get_motor_collection().database.command("ping")
            seen: Timestamp = ping["operationTime"]
            if not self._watcher or self._watcher.done():
                since = Timestamp(seen.time, seen.inc + 1)
                self._watcher = asyncio.create_task(self._watch(since), name="ticket events")
        reader: Reader = asyncio.Queue()
        self._readers.add(reader)
        return self._frames(reader)

    async def _frames(self, reader: Reader) -> AsyncIterator[bytes]:
        try:
            yield FIRST_BYTES
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        event = await reader.get()
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if event is None:
                    return
                yield event
        finally:
            self._readers.discard(reader)

    async def _watch(self, since: Timestamp) -> None:
        tickets = Ticket.get_motor_collection()
        try:
            async with tickets.watch(CHANGES, start_at_operation_time=since, max_await_time_ms=LOOK_MS) as changes:
                while self._readers:
                    if change := await changes.try_next():
                        await self._publish(change)
        except pymongo.errors.PyMongoError as error:
            log.warning("the events of tickets broke off: %s", type(error).__name__)
        finally:
            self._watcher = None
            self.end()

    async def _publish(self, change: dict[str, Any]) -> None:
        ticket_id = change["documentKey"]["_id"]
        found = await Ticket.get_motor_collection().find_one({"_id": ticket_id, "is_deleted": False}, PARTS_OF_LIST)
        was_deleted = change.get("updateDescription", {}).get("updatedFields", {}).get("is_deleted")
        if found:
            is_new = change["operationType"] == "insert" or was_deleted is False
            self._send(frame("created" if is_new else "updated", row_of(found).model_dump(mode="json")))
        elif was_deleted:
            self._send(frame("deleted", {"id": str(ticket_id)}))

    def _send(self, event: bytes) -> None:
        for reader in list(self._readers):
            if reader.qsize() >= MAX_WAITING:
                self._readers.discard(reader)
                reader.put_nowait(None)
            else:
                reader.put_nowait(event)

    def end(self) -> None:
        """End every stream."""
        for reader in self._readers:
            reader.put_nowait(None)
        self._readers.clear()

    async def close(self) -> None:
        if self._watcher:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)


@asynccontextmanager
async def running_events() -> AsyncIterator[TicketEvents]:
    events = TicketEvents()
    try:
        yield events
    finally:
        await events.close()
