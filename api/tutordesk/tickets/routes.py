"""The routes of tickets. Everybody reads all of them; only its author or an admin changes one."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from tutordesk.ground.access import StreamsOf
from tutordesk.ground.errors import Conflict, TooMany, problem_responses
from tutordesk.ground.sse import ByteStream
from tutordesk.identity.access import LimitsOf, TicketId, Visitor, VisitorOfRequest
from tutordesk.identity.limits import Limits
from tutordesk.tickets import writing
from tutordesk.tickets.access import (
    FacetsOf,
    OpenTicket,
    OwnDeletedTicket,
    OwnTicket,
    SummariesOf,
    TicketEventsOf,
)
from tutordesk.tickets.facets import FacetsOut
from tutordesk.tickets.models import Tags, Ticket, TicketChange, TicketIn, TicketOut, TicketRow, access_ticket
from tutordesk.tickets.samples import add_samples
from tutordesk.tickets.search import Cursor, list_rows

router = APIRouter(prefix="/tickets", tags=["tickets"])


class ListQuery(BaseModel):
    """`q`: words, each matched from its beginning. `tag`: all are required."""

    model_config = ConfigDict(extra="forbid")
    q: Annotated[str, Field(max_length=500)] = ""
    category: Annotated[str | None, Field(max_length=60)] = None
    tag: Tags = []
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None


class SamplesOut(BaseModel):
    created: int


@router.get("", operation_id="list_tickets", responses=problem_responses(401, 422))
async def list_tickets(
    visitor: Visitor, query: Annotated[ListQuery, Query()], request: Request, response: Response
) -> list[TicketRow]:
    cursor = Cursor.parse(query.cursor) if query.cursor else None
    rows, end = await list_rows(query.q, query.category, query.tag, query.limit, cursor)
    if end:
        others = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        response.headers["Link"] = f'</tickets?{urlencode([*others, ("cursor", str(end))])}>; rel="next"'
    return rows


@router.get("/facets", operation_id="list_facets", responses=problem_responses(401))
async def list_facets(visitor: Visitor, facets: FacetsOf) -> FacetsOut:
    return await facets.read()


@router.get("/events", operation_id="follow_tickets", response_class=ByteStream, responses=problem_responses(401))
async def follow_tickets(visitor: Visitor, events: TicketEventsOf, streams: StreamsOf) -> ByteStream:
    return streams.respond(await events.follow(), visitor.reader)


@router.post(
    "", operation_id="create_ticket", status_code=201, responses=problem_responses(401, 403, 409, 413, 415, 422, 429)
)
async def create_ticket(
    body: TicketIn, visitor: Visitor, limits: LimitsOf, summaries: SummariesOf, response: Response
) -> TicketOut:
    ticket = await _earlier_or_new(body, visitor, limits)
    if ticket.summary_status == "pending":
        summaries.refresh(ticket.id)
    response.headers["Location"] = f"/tickets/{ticket.id}"
    return ticket


async def _earlier_or_new(body: TicketIn, visitor: VisitorOfRequest, limits: Limits) -> TicketOut:
    """Save the ticket, or return the one of an earlier send, also for a visitor who may create no more."""
    try:
        await limits.spend_ticket(str(visitor.id))
    except TooMany:
        if earlier := await writing.find_earlier_send(body, visitor.id):
            return earlier
        raise
    await visitor.create_user()
    return await writing.add_ticket(body, visitor.id)


@router.post(
    "/samples", operation_id="create_sample_tickets", status_code=201, responses=problem_responses(401, 403, 409)
)
async def create_sample_tickets(visitor: Visitor) -> SamplesOut:
    if await Ticket.get_motor_collection().find_one({"is_deleted": False}, {"_id": 1}):
        raise Conflict("There are tickets already; the samples are for an empty helpdesk.")
    await visitor.create_user()
    return SamplesOut(created=await add_samples(visitor.id))


@router.get("/{ticket_id}", operation_id="read_ticket", responses=problem_responses(401, 404))
async def read_ticket(ticket: OpenTicket) -> TicketOut:
    return ticket


@router.patch("/{ticket_id}", operation_id="update_ticket", responses=problem_responses(401, 403, 404, 413, 415, 422))
async def update_ticket(body: TicketChange, ticket: OwnTicket, summaries: SummariesOf) -> TicketOut:
    changed = await writing.change_ticket(ticket, body)
    if changed.summary_status == "pending" and body.model_fields_set:
        summaries.refresh(ticket.id)
    return changed


@router.delete(
    "/{ticket_id}", operation_id="delete_ticket", status_code=204, responses=problem_responses(401, 403, 404)
)
async def delete_ticket(ticket: OwnTicket) -> None:
    await writing.trash_ticket(ticket)


@router.post("/{ticket_id}/restore", operation_id="restore_ticket", responses=problem_responses(401, 403, 404))
async def restore_ticket(ticket_id: TicketId, deleted: OwnDeletedTicket, summaries: SummariesOf) -> TicketOut:
    """Take a ticket out of the trash. One that is not in it is answered unchanged."""
    if not deleted:
        return await access_ticket(ticket_id)
    ticket = await writing.untrash_ticket(deleted)
    if ticket.summary_status == "pending":
        summaries.refresh(ticket.id)
    return ticket


@router.post(
    "/{ticket_id}/summary", operation_id="refresh_summary", status_code=202, responses=problem_responses(401, 404, 429)
)
async def refresh_summary(ticket: OpenTicket, visitor: Visitor, limits: LimitsOf, summaries: SummariesOf) -> TicketOut:
    """Retry a failed summary. A ticket whose summary is ready or pending is answered unchanged."""
    if ticket.summary_status != "failed":
        return ticket
    await limits.spend_message(str(visitor.id), visitor.ip)
    pending = await writing.retry_summary(ticket)
    summaries.refresh(ticket.id)
    return pending
