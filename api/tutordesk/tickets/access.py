"""What tickets keep for as long as the process lives, as parameters of a route."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from tutordesk.tickets.events import TicketEvents
from tutordesk.tickets.facets import Facets
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
