"""A server that ends closes all that it opened: sessions, sockets, tasks and files, whatever it was doing."""

import asyncio
import contextlib
import re
from pathlib import Path

import httpx
import pytest

from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.rooms.people import Person, person
from testing.rooms.redis import Redis
from testing.steps import ask, create_ticket, start_asking

LEFT_OPEN = re.compile(r"ResourceWarning|was never|never retrieved|was destroyed|Unclosed|unclosed")


@pytest.mark.parametrize("provider", ["offline", "openai", "ollama", "gemini"])
async def test_ended_server_leaves_nothing_open(tmp_path: Path, fake: FakeModels, provider: str) -> None:
    """Python's development mode reports what was not closed."""
    await _serve_and_end(tmp_path, fake, provider)


async def test_ended_server_leaves_nothing_open_in_redis(tmp_path: Path, fake: FakeModels) -> None:
    redis = Redis()
    redis.start()
    try:
        await _serve_and_end(tmp_path, fake, "openai", REDIS_URL=redis.url)
    finally:
        redis.kill()


async def _serve_and_end(tmp_path: Path, fake: FakeModels, provider: str, **more: str) -> None:
    settings = {
        **ENVIRONMENT,
        "TUTORDESK_MODEL": provider if provider == "offline" else f"{provider}:fake",
        "TUTORDESK_MAX_MESSAGES_PER_MINUTE": "30",
        "OPENAI_BASE_URL": fake.openai_url,
        "OLLAMA_BASE_URL": fake.url,
        "GEMINI_BASE_URL": fake.url,
        "GEMINI_API_KEY": "test-key-of-gemini",
        "PYTHONDEVMODE": "1",
        **more,
    }
    server = await Serving(tmp_path / "data", **settings).start()
    ana = await person(server.url, "Ana")
    await create_ticket(ana.client)
    await ask(ana.client, "Why?")
    room_id = await ana.make_room()
    fake.delay_ms = 100
    async with ana.socket(room_id) as socket:
        await socket.say("@tutor why?")
        await socket.wait("reply_started")
        await start_asking(ana.client, "And how?")
        is_open = asyncio.Event()
        streams = asyncio.create_task(_follow_tickets(ana, is_open))
        await asyncio.wait_for(is_open.wait(), 10)
        assert await server.end() in (0, -15)
        await streams
    await ana.client.aclose()
    log = server.log.read_text()
    assert "request" in log, "the log was written"
    assert [line for line in log.splitlines() if LEFT_OPEN.search(line)] == []


async def _follow_tickets(who: Person, is_open: asyncio.Event) -> None:
    with contextlib.suppress(httpx.HTTPError):  # the server's end breaks the stream off
        async with who.client.stream("GET", "/tickets/events") as response:
            async for _ in response.aiter_bytes():
                is_open.set()
