"""Writes tickets: what each change sets beside the fields that a person changed.

The search terms are written in the same update as the text, so they cannot drift from it.
"""

from beanie import PydanticObjectId
from pymongo.errors import DuplicateKeyError

from tutordesk.ground.clock import now
from tutordesk.ground.database import Change
from tutordesk.ground.errors import Conflict
from tutordesk.ground.words import terms_of
from tutordesk.tickets.models import Ticket, TicketChange, TicketIn, TicketOut, access_ticket, excerpt_of


async def add_ticket(body: TicketIn, author_id: PydanticObjectId) -> TicketOut:
    """Save a new ticket, whose summary is pending, or return the one that an earlier send of it saved.

    Raises Conflict if the author sent another ticket with this `client_ticket_id`, or deleted it since.
    """
    at = now()
    ticket = Ticket(
        **body.model_dump(exclude_none=True),
        excerpt=excerpt_of(body.description),
        author_id=author_id,
        created_at=at,
        updated_at=at,
        terms=terms_of(body.title, body.description, body.category, body.tags, None),
    )
    try:
        await ticket.insert()
    except DuplicateKeyError as error:
        if not (earlier := await find_earlier_send(body, author_id)):
            raise Conflict from error
        return earlier
    return TicketOut.model_validate(ticket, from_attributes=True)


async def find_earlier_send(body: TicketIn, author_id: PydanticObjectId) -> TicketOut | None:
    """Return the ticket that an earlier send of the same body saved, or None. Raises Conflict, as `add_ticket` does."""
    if not body.client_ticket_id:
        return None
    sent = body.model_dump(exclude={"client_ticket_id"})
    parts = {**dict.fromkeys(sent, 1), "is_deleted": 1, "created_at": 1, "updated_at": 1}
    query = {"author_id": author_id, "client_ticket_id": body.client_ticket_id}
    row = await Ticket.get_motor_collection().find_one(query, parts)
    if not row:
        return None
    if row["is_deleted"]:
        raise Conflict("This ticket was saved and then deleted. Take it out of the trash, or send it with a new id.")
    is_edited = row["updated_at"] != row["created_at"]
    if not is_edited and any(row[name] != value for name, value in sent.items()):
        raise Conflict("This client_ticket_id belongs to another ticket. Send yours with a new one.")
    return await access_ticket(row["_id"])


async def change_ticket(ticket: TicketOut, body: TicketChange) -> TicketOut:
    """Save the fields that are set in the body. A new title or description makes the summary pending."""
    change = body.model_dump(exclude_unset=True)
    if not change:
        return ticket
    changed = ticket.model_copy(update=change)
    change["updated_at"] = now()
    if {"title", "description"} & change.keys():
        change["excerpt"] = excerpt_of(changed.description)
        change["summary_status"] = "pending"
    change["terms"] = terms_of(changed.title, changed.description, changed.category, changed.tags, changed.ai_summary)
    return await _save(ticket.id, {"is_deleted": False}, change)


async def trash_ticket(ticket: TicketOut) -> None:
    """Move a ticket to the trash."""
    query = {"_id": ticket.id, "is_deleted": False}
    await Ticket.get_motor_collection().update_one(query, {"$set": {"is_deleted": True, "deleted_at": now()}})


async def untrash_ticket(ticket_id: PydanticObjectId) -> TicketOut:
    """Take a ticket out of the trash."""
    return await _save(ticket_id, {"is_deleted": True}, {"is_deleted": False, "deleted_at": None})


async def retry_summary(ticket: TicketOut) -> TicketOut:
    """Make a failed summary pending again."""
    return await _save(ticket.id, {"summary_status": "failed"}, {"summary_status": "pending"})


async def _save(ticket_id: PydanticObjectId, expected: Change, change: Change) -> TicketOut:
    await Ticket.get_motor_collection().update_one({"_id": ticket_id, **expected}, {"$set": change})
    return await access_ticket(ticket_id)
