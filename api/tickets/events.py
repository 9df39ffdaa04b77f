"""What happens to tickets, as server-sent events for every open list on this process.

| event | data |
|---|---|
| `created`, `updated` | the ticket as in a list |
| `deleted` | `id` |

Nothing is kept: a reader that reconnects reads its list again. One that does not read is dropped at 256 events.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from beanie import PydanticObjectId

from api.replies.stream import FIRST_BYTES, KEEP_ALIVE, KEEP_ALIVE_SECONDS, frame
from api.tickets.models import Ticket, TicketRow

MOST_WAITING = 256
_readers: set[asyncio.Queue[bytes | None]] = set()


def publish_ticket(event: Literal["created", "updated"], ticket: Ticket) -> None:
    row = TicketRow.model_validate(ticket, from_attributes=True)
    _publish(frame(event, row.model_dump(mode="json")))


def publish_deleted(ticket_id: PydanticObjectId) -> None:
    _publish(frame("deleted", {"id": str(ticket_id)}))


def _publish(event: bytes) -> None:
    for reader in list(_readers):
        if reader.qsize() >= MOST_WAITING:
            _readers.discard(reader)
            reader.put_nowait(None)
        else:
            reader.put_nowait(event)


async def ticket_events() -> AsyncIterator[bytes]:
    reader: asyncio.Queue[bytes | None] = asyncio.Queue()
    _readers.add(reader)
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
        _readers.discard(reader)
