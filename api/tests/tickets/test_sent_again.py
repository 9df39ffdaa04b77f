"""A ticket that is sent again, because its request failed, is saved once and gets its summary."""

import asyncio

import httpx
import pytest
from beanie import PydanticObjectId

from testing.serving import Live
from testing.steps import TICKET, create_ticket, until
from tutordesk.tickets.models import TicketIn, access_ticket
from tutordesk.tickets.summary import Summaries
from tutordesk.tickets.writing import add_ticket


async def test_ticket_that_is_sent_again_is_created_once(
    live: Live, visitor: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    """Also at the same time, after it was edited, and when the visitor may create no more tickets."""
    await create_ticket(visitor)
    body = {**TICKET, "client_ticket_id": "of this ticket"}
    answers = await asyncio.gather(*(visitor.post("/tickets", json=body) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({(answer.json()["id"], answer.headers["Location"]) for answer in answers}) == 1
    path = answers[0].headers["Location"]
    assert await live.collection("tickets").count_documents({}) == 2
    await visitor.patch(path, json={"title": "Edited since"})
    limits = live.app.state.limits
    limits._tickets = 1
    try:
        again = await visitor.post("/tickets", json=body)
        refused = await visitor.post("/tickets", json=TICKET)
    finally:
        limits._tickets = 0
    assert (again.status_code, again.json()["title"]) == (201, "Edited since")
    assert refused.status_code == 429
    assert (await stranger.post("/tickets", json=body)).json()["id"] != again.json()["id"]


async def test_id_of_another_ticket_is_refused(live: Live, visitor: httpx.AsyncClient) -> None:
    body = {**TICKET, "client_ticket_id": "of this ticket"}
    path = (await visitor.post("/tickets", json=body)).headers["Location"]
    changed = await visitor.post("/tickets", json={**body, "title": "Another"})
    assert (changed.status_code, changed.json()["type"]) == (409, "urn:tutordesk:problem:conflict")
    await visitor.delete(path)
    deleted = await visitor.post("/tickets", json=body)
    assert deleted.status_code == 409
    assert "deleted" in deleted.json()["detail"]
    for id in ("", "x" * 101, 5):
        assert (await visitor.post("/tickets", json={**TICKET, "client_ticket_id": id})).status_code == 422


async def test_ticket_that_was_saved_after_its_request_failed_gets_its_summary(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for its summary: the request ended with 503, and the database saved the ticket afterwards."""
    monkeypatch.setattr("tutordesk.tickets.summary.LOOK_SECONDS", 0.1)
    async with Summaries(live.app.state.tutor):
        body = TicketIn.model_validate(TICKET)
        ticket = await add_ticket(body, PydanticObjectId())

        async def is_ready() -> bool:
            return (await access_ticket(ticket.id)).summary_status == "ready"

        await until(is_ready)
