"""While MongoDB hangs, every request is refused three seconds after its arrival, however many arrive at once."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.rooms.people import person
from testing.steps import TICKET, ask, events_of, text_of

AT_ONCE = 60
LIMIT_SECONDS = 4.5  # three, and what sixty answers take on a busy machine


@pytest.fixture(scope="module")
async def server(fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    settings = {**ENVIRONMENT, "OPENAI_BASE_URL": fake_server.openai_url, "TUTORDESK_MAX_TICKETS_PER_HOUR": "0"}
    serving = await Serving(tmp_path_factory.mktemp("data"), **settings).start()
    yield serving
    await serving.end()


@pytest.mark.alone
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tickets", TICKET),
        ("POST", "/chat/global/stream", {"message": "Why?"}),
        ("POST", "/me/session", {"email": "ann@example.org", "password": "a password of hers"}),
        ("GET", "/tickets", None),
        ("GET", "/rooms", None),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
async def test_all_of_many_requests_are_refused_in_time(
    server: Serving, method: str, path: str, body: dict[str, Any] | None
) -> None:
    async with server.client() as client:
        await client.post("/tickets", json=TICKET)

        async def timed() -> tuple[int, float]:
            started = time.monotonic()
            answer = await client.request(method, path, json=body)
            return answer.status_code, time.monotonic() - started

        os.kill(server.mongod_pid(), signal.SIGSTOP)
        try:
            answers = await asyncio.gather(*(timed() for _ in range(AT_ONCE)))
        finally:
            os.kill(server.mongod_pid(), signal.SIGCONT)
        assert {status for status, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < LIMIT_SECONDS
        assert (await client.get("/tickets")).status_code == 200


async def test_stream_and_answer_outlive_the_limit_of_their_request(server: Serving, fake: FakeModels) -> None:
    """A question that waits for four seconds in a room is answered, and both answers are saved."""
    fake.chunk, fake.delay_ms = 12, 400
    ana = await person(server.url, "Ana")
    room_id = await ana.make_room()

    async def answer() -> str:
        async with ana.client.stream("POST", "/agent/stream", json={"room_id": room_id, "prompt": "Why?"}) as response:
            return text_of([event async for event in events_of(response)])

    started = time.monotonic()
    answers = await asyncio.gather(answer(), answer())
    assert time.monotonic() - started > 5
    assert list(answers) == [fake.text] * 2
    saved = [row["content"] for row in await ana.messages(room_id) if row["is_agent"]]
    assert saved == list(answers)
    await ana.client.aclose()


async def test_long_answer_of_a_chat_is_saved(server: Serving, fake: FakeModels, tmp_path: Path) -> None:
    fake.chunk, fake.delay_ms = 12, 400
    async with server.client() as client:
        events = await ask(client, "Why?")
        assert text_of(events) == fake.text
        session_id = events[0].data["session_id"]
        chat = (await client.get(f"/chat/sessions/{session_id}")).json()
    assert fake.text in str(chat["messages"])
