"""Writes that MongoDB makes without confirming them in time: sent again they exist once, and nothing waits for ever.

Failpoints of mongod let a command be done without saying so, or wait for longer than the driver does.
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

from testing.fake_gemini import TEXT, FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.rooms.people import person
from testing.steps import ask, text_of
from tutordesk.operations.embedded.mongod import find_mongod, mongodb_url

WAITS_MS = 4_500


@pytest.fixture
async def serving(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    testable = tmp_path / "testable-mongod"
    testable.write_text(f'#!/bin/sh\nexec {find_mongod(None)} "$@" --setParameter enableTestCommands=1\n')
    testable.chmod(0o700)
    settings = {**ENVIRONMENT, "OPENAI_BASE_URL": fake.openai_url, "TUTORDESK_MONGOD": str(testable)}
    server = await Serving(tmp_path / "data", **settings).start()
    yield server
    await server.end()


@contextmanager
def failing(server: Serving, command: str, mode: dict[str, Any], **how: Any) -> Iterator[None]:
    with pymongo.MongoClient[Any](mongodb_url(server.data_dir)) as client:
        data = {"failCommands": [command], **how}
        client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
        try:
            yield
        finally:
            client.admin.command("configureFailPoint", "failCommand", mode="off")


async def test_question_that_arrived_unseen_is_answered_when_sent_again(serving: Serving) -> None:
    """The question was taken but not confirmed, so it is refused. Sent again, it exists once."""
    unconfirmed = {"writeConcernError": {"code": 64, "errmsg": "not confirmed"}, "namespace": "tutordesk.replies"}
    async with serving.client() as client:
        await ask(client, "Hello")
        with failing(serving, "insert", {"times": 1}, **unconfirmed):
            body = {"message": "Why?", "client_message_id": "once"}
            refused = await client.post("/chat/global/stream", json=body)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        with pymongo.MongoClient[Any](mongodb_url(serving.data_dir)) as database:
            assert database["tutordesk"]["replies"].count_documents({"client_message_id": "once"}) <= 1
        for _ in range(2):
            assert text_of(await ask(client, "Why?", client_message_id="once")) == TEXT
        chats = (await client.get("/chat/sessions")).json()
        assert [(chat["message_count"], chat["running_reply"]) for chat in chats] == [(2, None)] * 2
    with pymongo.MongoClient[Any](mongodb_url(serving.data_dir)) as database:
        assert [reply["status"] for reply in database["tutordesk"]["replies"].find()] == ["complete", "complete"]


async def test_claim_that_arrived_unseen_is_answered(serving: Serving) -> None:
    """A room's question whose claim was committed late is answered, and so is the room's next one."""
    ana = await person(serving.url, "Ana")
    room_id = await ana.make_room()
    async with ana.socket(room_id) as socket:
        with failing(serving, "commitTransaction", {"skip": 1}, blockConnection=True, blockTimeMS=WAITS_MS):
            await socket.say("@tutor why?")
            await asyncio.sleep(3.2)
        assert (await socket.wait("reply_ended", 10))["message"]["content"] == TEXT
        await socket.say("@tutor and then?")
        assert (await socket.wait("reply_ended", 10))["message"]["content"] == TEXT
    messages = await ana.messages(room_id)
    assert [message["is_agent"] for message in messages] == [False, True, False, True]
    await ana.client.aclose()


async def test_room_is_not_locked_by_what_a_frozen_database_begins_late(serving: Serving) -> None:
    """The message is refused within 3.5 s. Three seconds after the database is back it can be sent, and exists once."""
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
