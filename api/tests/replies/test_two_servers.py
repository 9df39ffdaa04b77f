"""Two `tutordesk serve` on one database: what one writes, the other follows, resumes, stops, repeats and recovers."""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest

from testing.fake_gemini import TEXT, FakeModels, Says
from testing.processes import Pair, Serving
from testing.replies.wire_reader import TimedReader, ask, ask_request, connect_timed, follow_request, grow
from testing.serving import JSON
from testing.steps import until
from tutordesk.ground.clock import now

LONG = "so the proxy says no to größere Bilder 🙂 "


@pytest.fixture
def database(servers: Pair) -> Iterator[Any]:
    with pymongo.MongoClient[Any](servers[0].environment["MONGODB_URL"], tz_aware=True) as client:
        yield client.get_default_database()


async def become_visitor(server: Serving, fake: FakeModels) -> str:
    """Ask a first question and return its cookie. The model's wire counts only later questions."""
    fake.text, fake.delay_ms, fake.chunk, text, delay_ms, chunk = TEXT, 0, 12, fake.text, fake.delay_ms, fake.chunk
    cookie = (await ask(server.port, ask_request("Hello"))).cookie
    assert cookie
    fake.text, fake.delay_ms, fake.chunk, fake.requests = text, delay_ms, chunk, 0
    return cookie


async def start_reply(server: Serving, cookie: str, **fields: Any) -> TimedReader:
    """Ask and keep reading. Returns the reader as soon as it has the first text."""
    reader = await connect_timed(server.port)
    reader.send(ask_request("Why?", cookie=cookie, **fields))
    await asyncio.wait_for(reader.has_text, 10)
    return reader


async def follow(server: Serving, cookie: str, reply_id: str, position: int = 0) -> TimedReader:
    reader = await connect_timed(server.port)
    reader.send(follow_request(reply_id, cookie, position))
    return reader


def browser(server: Serving, cookie: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, headers={**JSON, "Cookie": cookie}, timeout=20, verify=False)


async def read_session(server: Serving, cookie: str, session_id: str) -> dict[str, Any]:
    async with browser(server, cookie) as client:
        answer = await client.get(f"/chat/sessions/{session_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.mark.alone
async def test_other_server_shows_the_reply_as_it_grows(pair: Pair, fake: FakeModels) -> None:
    """Tabs on two processes show the same text, at each moment at most a second behind."""
    one, other = pair
    fake.delay_ms, fake.chunk, fake.text = 20, 4, LONG * 20
    cookie = await become_visitor(one, fake)
    writing = await start_reply(one, cookie)
    following = await follow(other, cookie, writing.start()["id"])
    await asyncio.wait_for(asyncio.gather(writing.is_over, following.is_over), 20)
    assert writing.text() == following.text() == fake.text

    for moment, _ in writing.arrivals:
        assert following.text_at(moment + 1.0).startswith(writing.text_at(moment))


async def test_other_server_resumes_beyond_what_is_saved(pair: Pair, fake: FakeModels) -> None:
    """A retry reaches the other process with more text than the database has: no gap, nothing twice."""
    one, other = pair
    fake.delay_ms, fake.chunk, fake.text = 10, 4, LONG * 20
    cookie = await become_visitor(one, fake)
    writing = await start_reply(one, cookie)
    resumed: list[tuple[str, TimedReader]] = []
    while not writing.is_over.done():
        text = writing.text_at(time.perf_counter())
        resumed.append((text, await follow(other, cookie, writing.start()["id"], len(text))))
        size = len(writing.data)
        await until(lambda size=size: _has_grown(writing, size + 2000))  # type: ignore[misc]
    assert len(resumed) > 5
    for text, reader in resumed:
        await asyncio.wait_for(reader.is_over, 10)
        assert grow(text, bytes(reader.data)) == fake.text


async def test_other_server_shows_the_thinking_before_the_text(pair: Pair, fake: FakeModels) -> None:
    one, other = pair
    cookie = await become_visitor(one, fake)
    thought, answers = "Hm. " * 200, asyncio.Event()
    chunks = [{"reasoning": thought}, {"content": "A proxy."}]
    thinking, text = (f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n" for delta in chunks)
    fake.says = [Says(thinking, answers, text, "data: [DONE]\n\n")]
    writing = await connect_timed(one.port)
    writing.send(ask_request("Why?", cookie=cookie))
    await until(lambda: _has(writing, b"message_start"))
    following = await follow(other, cookie, writing.start()["id"])
    await until(lambda: _has(following, b"thinking_delta"))
    assert b"message_delta" not in following.data
    answers.set()
    await asyncio.wait_for(asyncio.gather(writing.is_over, following.is_over), 20)
    for reader in (writing, following):
        assert reader.text() == "A proxy."
        assert "".join(event["delta"] for event in reader.events() if "is_loading" in event) == thought
    saved = (await read_session(other, cookie, writing.start()["session_id"]))["messages"][-1]
    assert (saved["content"], saved["thinking"]) == ("A proxy.", thought)


async def _has(reader: TimedReader, event: bytes) -> bool:
    return event in reader.data


async def _has_grown(reader: TimedReader, size: int) -> bool:
    return reader.is_over.done() or len(reader.data) >= size


@pytest.mark.alone
@pytest.mark.parametrize("together", [1, 20])
async def test_other_server_stops_it_at_once(pair: Pair, fake: FakeModels, together: int) -> None:
    """The model's connection is closed within half a second, and the text is kept."""
    one, other = pair
    fake.delay_ms, fake.chunk, fake.text = 20, 4, LONG * 200
    cookie = await become_visitor(one, fake)
    seconds = []
    for _ in range(20 // together):
        readers = await asyncio.gather(*(start_reply(one, cookie) for _ in range(together)))
        async with browser(other, cookie) as client:
            paths = [f"/chat/replies/{reader.start()['id']}/stop" for reader in readers]
            started = time.perf_counter()
            stopped = await asyncio.gather(*(client.post(path) for path in paths))
            await until(lambda: _is_closed(fake))
            seconds.append(time.perf_counter() - started)
        assert {answer.status_code for answer in stopped} == {202}
        for reader in readers:
            await asyncio.wait_for(reader.is_over, 5)
            assert reader.events()[-2]["status"] == "stopped"
            saved = (await read_session(other, cookie, reader.start()["session_id"]))["messages"][-1]
            assert saved["content"] == reader.text() == reader.events()[-2]["content"]
    assert max(seconds) <= 0.5


async def _is_closed(fake: FakeModels) -> bool:
    return fake.open == 0


async def _is_open(fake: FakeModels) -> bool:
    return fake.open > 0


async def test_repeats_over_both_servers_are_one_message(pair: Pair, fake: FakeModels, database: Any) -> None:
    """Fifty repeats arrive at once at two processes. The same key with another body is refused."""
    one, other = pair
    fake.delay_ms = 20
    cookie = await become_visitor(one, fake)
    request = ask_request("Why?", cookie=cookie, client_message_id="fifty")
    readers = await asyncio.gather(*(ask(pair[place % 2].port, request) for place in range(50)))
    assert {reader.text() for reader in readers} == {TEXT}
    assert len({reader.start()["id"] for reader in readers}) == 1
    assert fake.requests == 1
    session = await read_session(other, cookie, readers[0].start()["session_id"])
    assert [message["content"] for message in session["messages"]] == ["Why?", TEXT]
    for server in pair:
        refused = await ask(server.port, ask_request("Another?", cookie=cookie, client_message_id="fifty"))
        assert refused.data.startswith(b"HTTP/1.1 409 ")
    assert database.replies.count_documents({"client_message_id": "fifty"}) == 1


async def test_repeat_a_day_later_follows_the_same_reply(pair: Pair, fake: FakeModels, database: Any) -> None:
    """A repeat after 25 hours follows the reply as well."""
    one, other = pair
    cookie = await become_visitor(one, fake)
    request = ask_request("Why?", cookie=cookie, client_message_id="old")
    first = await ask(one.port, request)
    yesterday = now() - timedelta(hours=25)
    aged = database.replies.update_one(
        {"client_message_id": "old"}, {"$set": {"created_at": yesterday, "ended_at": yesterday}}
    )
    assert aged.modified_count == 1
    again = await ask(other.port, request)
    assert again.start()["id"] == first.start()["id"]
    assert again.text() == TEXT
    assert fake.requests == 1


async def test_repeat_after_a_kill_is_one_message(pair: Pair, fake: FakeModels, database: Any) -> None:
    """The process is killed before it answers. However much was saved by then, there is one message."""
    one, other = pair
    cookie = await become_visitor(one, fake)
    fake.delay_ms = 200
    chance = random.Random(7)
    requests = [ask_request("Why?", cookie=cookie, client_message_id=f"killed {place}") for place in range(30)]
    for request in requests[:-1]:  # the last one never arrives
        (await connect_timed(one.port)).send(request)
        await asyncio.sleep(chance.uniform(0, 0.01))
    await until(lambda: _is_open(fake))
    await one.end(signal.SIGKILL)
    fake.delay_ms = 0
    await one.start()
    readers = await asyncio.gather(*(ask(other.port, request) for request in requests))
    assert {reader.events()[-2]["status"] for reader in readers} == {"interrupted", "complete"}
    for place, reader in enumerate(readers):
        assert database.replies.count_documents({"client_message_id": f"killed {place}"}) == 1
        session = await read_session(other, cookie, reader.start()["session_id"])
        assert [message["role"] for message in session["messages"]] == ["user", "assistant"]
    sessions = database.replies.distinct("session_id", {"client_message_id": {"$regex": "^killed"}})
    assert database.chat_sessions.count_documents({"_id": {"$in": sessions}}) == 30
    refused = await ask(one.port, ask_request("Another?", cookie=cookie, client_message_id="killed 0"))
    assert refused.data.startswith(b"HTTP/1.1 409 ")


async def test_dead_and_frozen_servers_are_noticed(pair: Pair, fake: FakeModels, tmp_path: Path) -> None:
    """Within 15 s another server ends the replies of a killed one, each once, and followers are told.

    The same holds for a server that hangs. When it is back, the model has sent the whole answer, but others have ended
    it: the server writes nothing, shows no more text, and tells its reader the ending that is stored.
    """
    one, other = pair
    frozen = await Serving(tmp_path, **one.environment).start()
    fake.delay_ms, fake.chunk, fake.text = 20, 4, LONG * 200
    cookie = await become_visitor(one, fake)
    killed = await asyncio.gather(*(start_reply(one, cookie) for _ in range(5)))
    fake.text = LONG * 10
    hanging = await start_reply(frozen, cookie)
    following = [await follow(other, cookie, reader.start()["id"]) for reader in (*killed, hanging)]
    await asyncio.gather(*(reader.has_text for reader in following))
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        await one.end(signal.SIGKILL)
        async with asyncio.timeout(15):
            await asyncio.gather(*(reader.is_over for reader in following))
    finally:
        continued_at = time.perf_counter()
        os.kill(frozen.pid, signal.SIGCONT)
    for reader, follower in zip((*killed, hanging), following, strict=True):
        _, answer = (await read_session(other, cookie, reader.start()["session_id"]))["messages"]
        assert answer["status"] == follower.events()[-2]["status"] == "interrupted"
        assert follower.text() == answer["content"]
        if reader is not hanging:
            assert answer["content"].startswith(reader.text_at(reader.arrivals[-1][0] - 1.0))
    await until(lambda: _is_closed(fake), 5)
    await asyncio.wait_for(hanging.is_over, 5)
    assert hanging.events()[-2]["status"] == "interrupted"
    assert hanging.events()[-2]["content"] == answer["content"]
    assert hanging.text() == hanging.text_at(continued_at)
    assert (await read_session(other, cookie, hanging.start()["session_id"]))["messages"][1] == answer
    await frozen.end()


async def test_stopping_server_loses_nothing(pair: Pair, fake: FakeModels) -> None:
    """A server with twenty replies ends within ten seconds, and the other process has all of the text."""
    one, other = pair
    fake.delay_ms, fake.chunk, fake.text = 20, 4, LONG * 200
    cookie = await become_visitor(one, fake)
    readers = await asyncio.gather(*(start_reply(one, cookie) for _ in range(20)))
    async with asyncio.timeout(10):
        await one.end(signal.SIGTERM)
    for reader in readers:
        _, answer = (await read_session(other, cookie, reader.start()["session_id"]))["messages"]
        assert answer["status"] == "interrupted"
        assert answer["content"].startswith(reader.text_at(time.perf_counter()))


async def test_turn_of_a_stale_tab_is_kept_behind_the_other(pair: Pair, fake: FakeModels) -> None:
    """A tab that has not seen the other's turn adds its own behind it."""
    one, other = pair
    cookie = await become_visitor(one, fake)
    first = await ask(one.port, ask_request("First?", cookie=cookie))
    session_id = first.start()["session_id"]
    assert len((await read_session(other, cookie, session_id))["messages"]) == 2
    await ask(one.port, ask_request("Second?", session_id, cookie))
    stale = await ask(other.port, ask_request("Third?", session_id, cookie))
    assert stale.text() == TEXT
    fake.delay_ms, fake.chunk = 20, 4
    running = await connect_timed(one.port)
    running.send(ask_request("Fourth?", session_id, cookie))
    await running.has_text
    refused = await ask(other.port, ask_request("Fifth?", session_id, cookie))
    assert refused.data.startswith(b"HTTP/1.1 409 ")
    await running.is_over
    await ask(other.port, ask_request("Fifth?", session_id, cookie))
    messages = (await read_session(one, cookie, session_id))["messages"]
    questions = [message["content"] for message in messages if message["role"] == "user"]
    assert questions == ["First?", "Second?", "Third?", "Fourth?", "Fifth?"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 5
