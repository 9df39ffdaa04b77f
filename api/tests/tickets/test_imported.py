"""Tickets that other tools wrote, with no more fields than the database's validator asks for."""

import httpx
from beanie import PydanticObjectId

from testing.serving import Live
from testing.steps import ask
from tutordesk.ground.clock import now


async def test_ticket_without_optional_fields_is_read_changed_and_asked_about(
    live: Live, visitor: httpx.AsyncClient
) -> None:
    me = (await visitor.patch("/me", json={"name": "Ana"})).json()["id"]
    fields = {"title": "Imported", "description": "From elsewhere", "category": "c", "tags": [], "terms": ["imported"]}
    more = {"author_id": PydanticObjectId(me), "is_deleted": False, "created_at": now(), "transcripts": []}
    ticket_id = PydanticObjectId()
    await live.collection("tickets").insert_one({"_id": ticket_id, **fields, **more})
    path = f"/tickets/{ticket_id}"
    ticket = (await visitor.get(path)).json()
    assert (ticket["ai_summary"], ticket["summary_status"], ticket["transcript_count"]) == (None, "pending", 0)
    assert (await visitor.patch(path, json={"tags": ["new"]})).json()["tags"] == ["new"]
    for url in (f"/chat/ticket/{ticket_id}/stream", "/chat/global/stream"):
        assert (await ask(visitor, "What is imported?", url))[-1].event == "done"
