"""Tells every open list what happens to tickets, as server-sent events, whichever process changed them.

| event | data |
|---|---|
| `created`, `updated` | the ticket's row in a list, as it is now |
| `deleted` | `id` |

Whichever process changed them (ground/feed.py).
"""

from collections.abc import AsyncGenerator

from beanie import PydanticObjectId
from pydantic import BaseModel

from tutordesk.ground.database import Query, Row
from tutordesk.ground.feed import Feed, Follower
from tutordesk.ground.sse import frame
from tutordesk.tickets.models import PARTS_OF_LIST, Ticket, TicketRow, row_of

FIELDS = ("updated_at", "summary_at", "summary_status", "is_deleted")
SHOWN = {"$or": [{f"updateDescription.updatedFields.{field}": {"$exists": True}} for field in FIELDS]}
CHANGES: list[Query] = [
    {
        "$match": {
            "ns.coll": Ticket.Settings.name,
            "$or": [{"operationType": "insert"}, {"operationType": "update", **SHOWN}],
        }
    },
    {"$project": {"operationType": 1, "documentKey": 1, "updateDescription.updatedFields.is_deleted": 1}},
]


class TicketDeleted(BaseModel):
    id: PydanticObjectId


class TicketWire(BaseModel):
    """The data of each event of tickets, by the event's name, for the API's description and the client's types."""

    created: TicketRow
    updated: TicketRow
    deleted: TicketDeleted


class TicketEvents(Feed[Follower]):
    def __init__(self) -> None:
        super().__init__("ticket events", Ticket, CHANGES)

    async def follow(self) -> AsyncGenerator[bytes]:
        """Return the frames of a new subscriber, from now on. Raises PyMongoError before the first frame."""
        return await self.open(Follower())

    async def publish(self, change: Row) -> None:
        ticket_id = change["documentKey"]["_id"]
        row = await Ticket.get_motor_collection().find_one({"_id": ticket_id, "is_deleted": False}, PARTS_OF_LIST)
        was_deleted = change.get("updateDescription", {}).get("updatedFields", {}).get("is_deleted")
        if row:
            is_new = change["operationType"] == "insert" or was_deleted is False
            self._send_all(frame("created" if is_new else "updated", row_of(row)))
        elif was_deleted:
            self._send_all(frame("deleted", TicketDeleted(id=ticket_id)))

    def _send_all(self, event: bytes) -> None:
        for follower in list(self.followers):
            self.send(follower, event)
