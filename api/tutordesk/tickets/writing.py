"""Writes tickets: what each change sets beside the fields that a person changed.

The search terms are written in the same update as the text, so they cannot drift from it.
"""

from beanie import PydanticObjectId

from tutordesk.ground.clock import now
from tutordesk.ground.database import Change
from tutordesk.ground.words import terms_of
from tutordesk.tickets.models import Ticket, TicketChange, TicketIn, TicketOut, access_ticket, excerpt_of


async def add_ticket(body: TicketIn, author_id: PydanticObjectId) -> TicketOut:
    """Save a new ticket, whose summary is pending."""
    ticket = Ticket(
        **body.model_dump(),
        excerpt=excerpt_of(body.description),
        author_id=author_id,
        terms=terms_of(body.title, body.description, body.category, body.tags, None),
    )
    await ticket.insert()
    return TicketOut.model_validate(ticket, from_attributes=True)


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
