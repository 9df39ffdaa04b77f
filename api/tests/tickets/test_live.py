"""Tickets on the embedded mongod: summaries by the model, events for open lists, an index for every query."""

import asyncio
from typing import Any

import httpx
import pytest

from testing.fake_gemini import TEXT
from testing.serving import Live
from testing.steps import Event, create_ticket, events_of, until
from tutordesk.tickets.search import Cursor, find_sources, list_rows


async def _summary(client: httpx.AsyncClient, ticket_id: str, status: str) -> dict[str, Any]:
    async def has_status() -> dict[str, Any] | None:
        ticket: dict[str, Any] = (await client.get(f"/tickets/{ticket_id}")).json()
        return ticket if ticket["summary_status"] == status else None

    ticket: dict[str, Any] = await until(has_status)
    return ticket


async def test_summary_follows_the_ticket(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.text = "**Uploads** fail above `4 MB`. " + "The proxy refuses them first. " * 20
    ticket = await create_ticket(visitor)
    assert ticket["summary_status"] == "pending"
    ticket = await _summary(visitor, ticket["id"], "ready")
    assert ticket["ai_summary"].startswith("Uploads fail above 4 MB. The proxy")
    assert len(ticket["ai_summary"].split()) <= 60
    assert ticket["summary_model"] == "gemini:fake"
    assert ticket["summary_at"] >= ticket["created_at"]
    prompt = live.fake.bodies[-1]
    assert "Sending a photo above 4 MB" in str(prompt["contents"])


async def test_failing_model_keeps_the_ticket_and_can_be_tried_again(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.script = "badkey"
    ticket = await create_ticket(visitor)
    await _summary(visitor, ticket["id"], "failed")
    live.fake.script = "ok"
    answer = await visitor.post(f"/tickets/{ticket['id']}/summary")
    assert answer.status_code == 202
    assert answer.json()["summary_status"] == "pending"
    assert (await _summary(visitor, ticket["id"], "ready"))["ai_summary"].startswith("A proxy reads the size first.")
    assert (await visitor.post(f"/tickets/{ticket['id']}/summary")).json()["summary_status"] == "ready"


async def test_slow_model_does_not_delay_the_ticket(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.script = "timeout"
    async with asyncio.timeout(1):
        ticket = await create_ticket(visitor)
    assert len((await visitor.get("/tickets")).json()) == 1
    assert ticket["ai_summary"] is None


async def test_changed_text_is_summarised_again(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.delay_ms = 30
    ticket = await create_ticket(visitor)
    live.fake.text, live.fake.delay_ms = "A new summary.", 0
    await visitor.patch(f"/tickets/{ticket['id']}", json={"description": "Something else."})
    await _summary(visitor, ticket["id"], "ready")
    await asyncio.sleep(0.4)
    assert (await visitor.get(f"/tickets/{ticket['id']}")).json()["ai_summary"] == "A new summary."


async def test_new_tags_while_summarising_do_not_lose_the_summary(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.delay_ms = 30
    ticket = await create_ticket(visitor)
    await asyncio.sleep(0.1)
    await visitor.patch(f"/tickets/{ticket['id']}", json={"tags": ["late"]})
    ready = await _summary(visitor, ticket["id"], "ready")
    assert ready["tags"] == ["late"]
    assert [row["id"] for row in (await visitor.get("/tickets?q=late")).json()] == [ticket["id"]]


async def test_open_lists_are_sent_every_change(live: Live, visitor: httpx.AsyncClient) -> None:
    seen: list[Event] = []
    is_open = asyncio.Event()

    async def listen() -> None:
        async with live.visitor() as other, other.stream("GET", "/tickets/events") as response:
            is_open.set()
            async for event in events_of(response):
                seen.append(event)
                if event.event == "deleted" and len(seen) > 4:
                    return

    listening = asyncio.create_task(listen())
    await is_open.wait()
    await asyncio.sleep(0.1)

    async def hear(count: int) -> None:
        async def is_heard() -> bool:
            return len(seen) >= count

        await until(is_heard, 5)

    live.fake.delay_ms = 20
    ticket = await create_ticket(visitor)
    await hear(1)
    await hear(2)
    await visitor.patch(f"/tickets/{ticket['id']}", json={"tags": ["new"]})
    await hear(3)
    await visitor.delete(f"/tickets/{ticket['id']}")
    await hear(4)
    await visitor.post(f"/tickets/{ticket['id']}/restore")
    await hear(5)
    await visitor.delete(f"/tickets/{ticket['id']}")
    async with asyncio.timeout(5):
        await listening
    assert [event.event for event in seen] == ["created", "updated", "updated", "deleted", "created", "deleted"]
    assert seen[0].data["excerpt"].startswith("Sending a photo")
    assert "description" not in seen[0].data
    assert seen[1].data["ai_summary"] == TEXT.replace("**", "").replace("`", "")
    assert seen[2].data["tags"] == ["new"]
    assert seen[3].data == {"id": ticket["id"]}


QUERIES: list[dict[str, Any]] = [
    {},
    {"category": "guide"},
    {"tags": ["python"]},
    {"tags": ["python", "files"]},
    {"category": "guide", "tags": ["python"]},
    {"q": "upload"},
    {"q": "upl"},
    {"q": "u"},
    {"q": "image upload"},
    {"q": "upload", "category": "troubleshooting"},
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
async def test_no_list_query_scans_the_collection(
    live: Live, visitor: httpx.AsyncClient, query: dict[str, Any]
) -> None:
    """MongoDB's profiler shows the plans of the queries that were sent."""
    await visitor.post("/tickets/samples")
    database = live.app.state.client.get_default_database("tutordesk")
    rows, _ = await list_rows("", None, [], 10, None)
    await database.command("profile", 2)
    try:
        for cursor in (None, Cursor(0, rows[5].created_at, rows[5].id)):
            await list_rows(query.get("q", ""), query.get("category"), query.get("tags", []), 10, cursor)
        await find_sources("Why does my upload of a photo fail behind a proxy?")
    finally:
        await database.command("profile", 0)
    plans = (
        await database["system.profile"]
        .find({"ns": {"$regex": "tickets$"}, "op": {"$in": ["query", "command"]}, "planSummary": {"$exists": True}})
        .to_list(None)
    )
    await database.drop_collection("system.profile")
    sources = [plan for plan in plans if plan["op"] == "command"]
    assert len(plans) - len(sources) >= 2
    assert [plan["docsExamined"] <= 3 for plan in sources] == [True], "it reads the chosen tickets alone"
    for plan in plans:
        assert "COLLSCAN" not in plan["planSummary"], plan["planSummary"]


async def test_sources_are_the_tickets_that_bear_on_the_question(live: Live, visitor: httpx.AsyncClient) -> None:
    await visitor.post("/tickets/samples")
    sources = await find_sources("Why is my image upload refused with 413?")
    assert "413" in sources[0].title or "upload" in sources[0].title.lower()
    assert 1 <= len(sources) <= 3
    assert await find_sources("?!") == []
    assert await find_sources("xylophone zeppelin") == []
