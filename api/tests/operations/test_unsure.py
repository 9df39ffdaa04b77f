"""What MongoDB does although it did not say so in time: sent again, it is there once, and nothing waits for ever.

A failpoint of mongod lets one command wait for longer than the driver does, and then do it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest

from api.operations.mongod import find_mongod, mongodb_url
from api.tests.fake_gemini import TEXT, FakeModels
from api.tests.processes import GIVEN, Serving
from api.tests.rooms.people import person
from api.tests.steps import ask, text_of, until

WAITS_MS = 4_500


@pytest.fixture
async def serving(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    testable = tmp_path / "testable-mongod"
    testable.write_text(f'#!/bin/sh\nexec {find_mongod(None)} "$@" --setParameter enableTestCommands=1\n')
    testable.chmod(0o700)
    given = {**GIVEN, "GEMINI_BASE_URL": fake.url, "TUTORDESK_MONGOD": str(testable)}
    server = await Serving(tmp_path / "data", **given).start()
    yield server
    await server.end()


@contextmanager
def late(server: Serving, command: str, mode: dict[str, Any], **only: Any) -> Iterator[None]:
    """Let a command be done after the driver gave it up."""
    data = {"failCommands": [command], "blockConnection": True, "blockTimeMS": WAITS_MS, **only}
    with pymongo.MongoClient[Any](mongodb_url(server.data_dir)) as client:
        client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
        try:
            yield
        finally:
            client.admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.mark.parametrize("pause", [0.0, WAITS_MS / 1000])
async def test_question_that_arrived_unseen_is_answered_when_sent_again(serving: Serving, pause: float) -> None:
    """FAULTS: Duplicate POST / retry: refused, it is not to be; sent again, it is answered, before or after it came."""
    body = {"message": "Why?", "client_message_id": "once"}
    async with serving.client() as client:
        await ask(client, "Hello")
        with late(serving, "insert", {"times": 1}, namespace="tutordesk.replies"):
            refused = await client.post("/chat/global/stream", json=body)
            assert refused.status_code == 503
            await asyncio.sleep(pause)

        async def is_taken() -> str:
            async with client.stream("POST", "/chat/global/stream", json=body) as again:
                await again.aread()
                assert again.status_code in (200, 409), again.text
                return again.text if again.status_code == 200 else ""

        assert "message_complete" in await until(is_taken)
        assert text_of(await ask(client, "Why?", client_message_id="once")) == TEXT
        await asyncio.sleep(WAITS_MS / 1000)
        chats = [chat for chat in (await client.get("/chat/sessions")).json() if chat["running_reply"] is None]
        assert [chat["message_count"] for chat in chats] == [2, 2]
    with pymongo.MongoClient[Any](mongodb_url(serving.data_dir)) as database:
        replies = [reply["status"] for reply in database["tutordesk"]["replies"].find()]
        assert replies == ["complete", "complete"]


async def test_claim_that_arrived_unseen_is_answered(serving: Serving) -> None:
    """A room's question whose claim was committed late is answered, and the room's next one after it."""
    ana = await person(serving.url, "Ana")
    room_id = await ana.make_room()
    async with ana.socket(room_id) as socket:
        with late(serving, "commitTransaction", {"skip": 1}):
            await socket.say("@tutor why?")
            await asyncio.sleep(3.2)
        assert (await socket.wait("reply_ended", 10))["message"]["content"] == TEXT
        await socket.say("@tutor and then?")
        assert (await socket.wait("reply_ended", 10))["message"]["content"] == TEXT
    messages = await ana.messages(room_id)
    assert [message["is_agent"] for message in messages] == [False, True, False, True]
    await ana.client.aclose()


async def test_room_is_not_locked_by_what_a_frozen_database_begins_late(serving: Serving) -> None:
    """FAULTS: mongod stopped: refused within 3.5 s; 3 s after the return the same message is there, once."""
    ana = await person(serving.url, "Ana")
    room_id, clock = await ana.make_room(), asyncio.get_running_loop().time
    async with ana.socket(room_id) as socket:
        await socket.say("before")
        mongod = serving.mongod_pid()
        os.kill(mongod, signal.SIGSTOP)
        try:
            for _ in range(2):
                sent_at = clock()
                await socket.send("send", client_message_id="late", content="late")
                assert (await socket.wait("error"))["code"] == "unavailable"
                assert clock() - sent_at <= 3.5
        finally:
            os.kill(mongod, signal.SIGCONT)
        woken_at = clock()
        while True:
            await socket.send("send", client_message_id="late", content="late")
            answer = await socket.wait(lambda event: event["type"] in ("error", "message_posted"))
            if answer["type"] == "message_posted":
                break
        assert clock() - woken_at <= 3
    assert [message["content"] for message in await ana.messages(room_id)] == ["before", "late"]
    await ana.client.aclose()
