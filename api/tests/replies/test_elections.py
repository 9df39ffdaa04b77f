"""Text that a new primary never had is saved again. These tests remove it by hand, without an election."""

from typing import Any

import httpx
import pytest
from bson import ObjectId

from testing.fake_gemini import TEXT, FakeModels
from testing.serving import Live
from testing.steps import ask, follow, start_asking, text_of, until
from tutordesk.replies.models import assemble_text

LONG = TEXT * 4


@pytest.fixture
def another_primary(live: Live, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function after which the next look finds another election than the known one."""
    return lambda: monkeypatch.setattr(live.app.state.replies.elections, "election", "the one before")


async def test_running_answer_is_saved_again(
    live: Live, visitor: httpx.AsyncClient, fake: FakeModels, another_primary: Any
) -> None:
    fake.text, fake.chunk, fake.delay_ms = LONG, 4, 20
    start = await start_asking(visitor, "Why?")
    replies, reply = live.collection("replies"), {"_id": ObjectId(start.data["id"])}

    async def saved() -> Any:
        return await replies.find_one({**reply, "parts.0": {"$exists": True}})

    first = await until(saved)
    await replies.delete_one(reply)
    another_primary()
    again = await until(saved)
    assert again["status"] == "streaming"
    text = assemble_text("", again["parts"])
    assert LONG.startswith(text)
    assert len(text) >= len(assemble_text("", first["parts"]))
    assert text_of(await follow(visitor, start.data["id"])) == LONG


async def test_ending_is_saved_again(
    live: Live, visitor: httpx.AsyncClient, fake: FakeModels, another_primary: Any
) -> None:
    events = await ask(visitor, "Why?")
    replies, reply = live.collection("replies"), {"_id": ObjectId(events[0].data["id"])}

    async def is_whole() -> bool:
        saved = await replies.find_one(reply)
        return bool(saved["is_joined"] and (saved["status"], saved["content"]) == ("complete", TEXT))

    await until(is_whole)
    before = {"status": "streaming", "content": "", "parts": [], "is_joined": False, "ended_at": None}
    await replies.update_one(reply, {"$set": before})
    another_primary()
    await until(is_whole)
    session = (await visitor.get(f"/chat/sessions/{events[0].data['session_id']}")).json()
    assert [message["content"] for message in session["messages"]] == ["Why?", TEXT]
