"""How the world reaches tickets. Whoever may read a list may read a ticket; only its author or an admin changes it."""

from typing import Annotated
from urllib.parse import urlencode

from beanie import PydanticObjectId
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from tutordesk.ground.access import StreamsOf
from tutordesk.ground.clock import now
from tutordesk.ground.errors import Conflict, NotFound, problem_responses
from tutordesk.ground.sse import ByteStream
from tutordesk.identity.access import LimitsOf, TicketId, Visitor
from tutordesk.tickets.access import FacetsOf, SummariesOf, TicketEventsOf
from tutordesk.tickets.facets import FacetsOut
from tutordesk.tickets.models import (
    Tags,
    Ticket,
    TicketChange,
    TicketIn,
    TicketOut,
    TicketRow,
    access_ticket,
    excerpt_of,
)
from tutordesk.tickets.samples import add_samples
from tutordesk.tickets.search import Cursor, list_rows, terms_of

router = APIRouter(prefix="/tickets", tags=["tickets"])


class ListQuery(BaseModel):
    """`q`: words, each matched from its beginning. `tag`: all of them are required."""

    model_config = ConfigDict(extra="forbid")
    q: Annotated[str, Field(max_length=500)] = ""
    category: Annotated[str | None, Field(max_length=60)] = None
    tag: Tags = []
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None


class SamplesOut(BaseModel):
    created: int


def _out(ticket: Ticket) -> TicketOut:
    return TicketOut.model_validate(ticket, from_attributes=True)


@router.get("", operation_id="list_tickets", responses=problem_responses(401, 422))
async def list_tickets(
    visitor: Visitor, asked: Annotated[ListQuery, Query()], request: Request, response: Response
) -> list[TicketRow]:
    cursor = Cursor.parse(asked.cursor) if asked.cursor else None
    rows, end = await list_rows(asked.q, asked.category, asked.tag, asked.limit, cursor)
    if end:
        same = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        response.headers["Link"] = f'</tickets?{urlencode([*same, ("cursor", str(end))])}>; rel="next"'
    return rows


@router.get("/facets", operation_id="list_facets", responses=problem_responses(401))
async def list_facets(visitor: Visitor, facets: FacetsOf) -> FacetsOut:
    return await facets.read()


@router.get("/events", operation_id="follow_tickets", response_class=ByteStream, responses=problem_responses(401))
async def follow_tickets(visitor: Visitor, events: TicketEventsOf, streams: StreamsOf) -> ByteStream:
    return streams.respond(await events.follow(), visitor.may_read)


@router.post(
    "", operation_id="create_ticket", status_code=201, responses=problem_responses(401, 403, 413, 415, 422, 429)
)
async def create_ticket(
    body: TicketIn, visitor: Visitor, limits: LimitsOf, summaries: SummariesOf, response: Response
) -> TicketOut:
    await limits.spend_ticket(str(visitor.id))
    await visitor.keep()
    ticket = Ticket(
        **body.model_dump(),
        excerpt=excerpt_of(body.description),
        author_id=visitor.id,
        terms=terms_of(body.title, body.description, body.category, body.tags, None),
    )
    await ticket.insert()
    summaries.refresh(PydanticObjectId(ticket.id))
    response.headers["Location"] = f"/tickets/{ticket.id}"
    return _out(ticket)


@router.post(
    "/samples", operation_id="create_sample_tickets", status_code=201, responses=problem_responses(401, 403, 409)
)
async def create_sample_tickets(visitor: Visitor) -> SamplesOut:
    if await Ticket.get_motor_collection().find_one({"is_deleted": False}, {"_id": 1}):
        raise Conflict("There are tickets already; the samples are for an empty helpdesk.")
    await visitor.keep()
    return SamplesOut(created=await add_samples(visitor.id))


@router.get("/{ticket_id}", operation_id="read_ticket", responses=problem_responses(401, 404))
async def read_ticket(ticket_id: TicketId, visitor: Visitor) -> TicketOut:
    return _out(await access_ticket(ticket_id))


@router.patch("/{ticket_id}", operation_id="update_ticket", responses=problem_responses(401, 403, 404, 413, 415, 422))
async def update_ticket(body: TicketChange, ticket_id: TicketId, visitor: Visitor, summaries: SummariesOf) -> TicketOut:
    ticket = await access_ticket(ticket_id)
    await visitor.require_author(ticket.author_id)
    change = body.model_dump(exclude_unset=True)
    if not change:
        return _out(ticket)
    changed = ticket.model_copy(update=change)
    change["updated_at"] = now()
    if {"title", "description"} & change.keys():
        change["excerpt"] = excerpt_of(changed.description)
        change["summary_status"] = "pending"
    change["terms"] = terms_of(changed.title, changed.description, changed.category, changed.tags, changed.ai_summary)
    await _save(ticket_id, {"is_deleted": False}, change)
    if change.get("summary_status", ticket.summary_status) == "pending":
        summaries.refresh(ticket_id)
    return _out(await access_ticket(ticket_id))


@router.delete(
    "/{ticket_id}", operation_id="delete_ticket", status_code=204, responses=problem_responses(401, 403, 404)
)
async def delete_ticket(ticket_id: TicketId, visitor: Visitor) -> None:
    ticket = await access_ticket(ticket_id)
    await visitor.require_author(ticket.author_id)
    await _save(ticket_id, {"is_deleted": False}, {"is_deleted": True, "deleted_at": now()})


@router.post("/{ticket_id}/restore", operation_id="restore_ticket", responses=problem_responses(401, 403, 404))
async def restore_ticket(ticket_id: TicketId, visitor: Visitor, summaries: SummariesOf) -> TicketOut:
    """Take a ticket out of the trash. One that is not in it is answered as it is."""
    deleted = await Ticket.get_motor_collection().find_one({"_id": ticket_id, "is_deleted": True}, {"author_id": 1})
    if not deleted:
        return _out(await access_ticket(ticket_id))
    await visitor.require_author(deleted["author_id"], NotFound())
    await _save(ticket_id, {"is_deleted": True}, {"is_deleted": False, "deleted_at": None})
    ticket = await access_ticket(ticket_id)
    if ticket.summary_status == "pending":
        summaries.refresh(ticket_id)
    return _out(ticket)


@router.post(
    "/{ticket_id}/summary", operation_id="refresh_summary", status_code=202, responses=problem_responses(401, 404, 429)
)
async def refresh_summary(ticket_id: TicketId, visitor: Visitor, limits: LimitsOf, summaries: SummariesOf) -> TicketOut:
    """Try a failed summary again. One that is ready or under way is answered as it is."""
    ticket = await access_ticket(ticket_id)
    if ticket.summary_status != "failed":
        return _out(ticket)
    await limits.spend_message(str(visitor.id), visitor.ip)
    await _save(ticket_id, {"summary_status": "failed"}, {"summary_status": "pending"})
    summaries.refresh(ticket_id)
    return _out(await access_ticket(ticket_id))


async def _save(ticket_id: PydanticObjectId, expected: dict[str, object], change: dict[str, object]) -> None:
    await Ticket.get_motor_collection().update_one({"_id": ticket_id, **expected}, {"$set": change})
