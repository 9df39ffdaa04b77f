"""What tickets keep for as long as the process lives, and who may do what with one, as parameters of a route.

| parameter | is |
|---|---|
| `OpenTicket` | the ticket of the path, for everybody |
| `OwnTicket` | the ticket of the path, for its author and admins; Forbidden for others |
| `OwnDeletedTicket` | its id if it is in the trash, for its author and admins; None if it is not in the trash |

Each raises NotFound for a ticket that does not exist, and the last one also for a deleted ticket of somebody else.
"""

from typing import Annotated

from beanie import PydanticObjectId
from fastapi import Depends
from fastapi.requests import HTTPConnection

from tutordesk.ground.errors import NotFound
from tutordesk.identity.access import TicketId, Visitor
from tutordesk.tickets.events import TicketEvents
from tutordesk.tickets.facets import Facets
from tutordesk.tickets.models import Ticket, TicketOut, access_ticket
from tutordesk.tickets.summary import Summaries


async def facets_of(connection: HTTPConnection) -> Facets:
    facets: Facets = connection.app.state.facets
    return facets


async def ticket_events_of(connection: HTTPConnection) -> TicketEvents:
    events: TicketEvents = connection.app.state.ticket_events
    return events


async def summaries_of(connection: HTTPConnection) -> Summaries:
    summaries: Summaries = connection.app.state.summaries
    return summaries


FacetsOf = Annotated[Facets, Depends(facets_of)]
TicketEventsOf = Annotated[TicketEvents, Depends(ticket_events_of)]
SummariesOf = Annotated[Summaries, Depends(summaries_of)]


async def open_ticket(ticket_id: TicketId, visitor: Visitor) -> TicketOut:
    return await access_ticket(ticket_id)


OpenTicket = Annotated[TicketOut, Depends(open_ticket)]


async def own_ticket(ticket: OpenTicket, visitor: Visitor) -> TicketOut:
    await visitor.require_author(ticket.author_id)
    return ticket


async def own_deleted_ticket(ticket_id: TicketId, visitor: Visitor) -> PydanticObjectId | None:
    row = await Ticket.get_motor_collection().find_one({"_id": ticket_id, "is_deleted": True}, {"author_id": 1})
    if not row:
        await access_ticket(ticket_id)
        return None
    await visitor.require_author(row["author_id"], NotFound())
    return ticket_id


OwnTicket = Annotated[TicketOut, Depends(own_ticket)]
OwnDeletedTicket = Annotated[PydanticObjectId | None, Depends(own_deleted_ticket)]
