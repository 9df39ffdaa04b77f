"""A replica set loses its primary while answers stream, people ask and a room talks.

Every request is taken in the end, nothing is lost or doubled, and the change log has every write once.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import bson
import pymongo
import pytest

from testing.databases.logs import rewind, until_base, wait_until
from testing.databases.replica_set import Fault, ReplicaSet, hang, kill, running_replica_set, step_down
from testing.databases.states import state_of
from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.rooms.insistent import Answer, Sends, Speaker, ask_until_taken
from testing.rooms.people import Person, person
from testing.steps import until
from tutordesk.operations.catalog import newest_entry
from tutordesk.operations.changelog.files import segments, ts_of
from tutordesk.operations.changelog.reading import read_log, verify
from tutordesk.operations.names import CHANGE_LOG_FOLDER

LONG = "so the proxy says no to größere Bilder 🙂 " * 12
SPEAKERS, ASK_SECONDS, SPEAK_SECONDS = 3, 0.6, 0.2
BEFORE_SECONDS, AFTER_SECONDS = 3.0, 2.0


@pytest.fixture(scope="module")
async def replica_set(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReplicaSet]:
    async with running_replica_set(tmp_path_factory.mktemp("three")) as running:
        yield running


@pytest.fixture(scope="module")
async def server(
    replica_set: ReplicaSet, fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Serving]:
    settings = {**ENVIRONMENT, "OPENAI_BASE_URL": fake_server.openai_url, "MONGODB_URL": replica_set.url}
    settings |= {"TUTORDESK_CHANGE_LOG": "on", "TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE": "0"}
    serving = Serving(tmp_path_factory.mktemp("data"), **settings)
    await serving.start()
    await asyncio.to_thread(until_base, serving.data_dir / CHANGE_LOG_FOLDER)
    yield serving
    await serving.end()


class Load:
    """People who ask, and people who talk in one room, until `ending` is set."""

    def __init__(self, ana: Person, room_id: str) -> None:
        self.ana, self.room_id = ana, room_id
        self.sent, self.posted, self.ending = Sends(), Sends(), asyncio.Event()
        self.answers: list[asyncio.Task[Answer]] = []
        self.speakers: list[Speaker] = []

    async def until_taken_again(self, max_seconds: float) -> None:
        """Wait until more requests were taken than can be on their way now."""
        enough = [len(sends.seconds) + 2 * SPEAKERS for sends in (self.sent, self.posted)]

        async def are_taken() -> bool:
            return len(self.sent.seconds) >= enough[0] and len(self.posted.seconds) >= enough[1]

        await until(are_taken, 2 * SPEAKERS * ASK_SECONDS + max_seconds)

    async def ask_on(self) -> None:
        """A new chat, and another turn in one that is over, in turn."""
        over: list[str] = []
        while not self.ending.is_set():
            question = f"Why is it {len(self.answers)}?"
            session_id = over.pop() if over and len(self.answers) % 2 else ""
            asking = asyncio.create_task(ask_until_taken(self.ana.client, question, self.sent, session_id))
            asking.add_done_callback(lambda done: None if done.exception() else over.append(done.result().session_id))
            self.answers.append(asking)
            await asyncio.sleep(ASK_SECONDS)


@contextlib.asynccontextmanager
async def loaded(server: Serving) -> AsyncIterator[Load]:
    people = [await person(server.url, name) for name in ("Ana", *(f"Ben {number}" for number in range(SPEAKERS)))]
    room_id = await people[0].make_room()
    load = Load(people[0], room_id)
    for who in people[1:]:
        await who.join(room_id)
        load.speakers.append(Speaker(who, room_id, load.posted))
    asking = asyncio.create_task(load.ask_on())
    speaking = [asyncio.create_task(speaker.speak(load.ending, SPEAK_SECONDS)) for speaker in load.speakers]
    try:
        yield load
        for task in (asking, *speaking):
            assert not task.done() or not task.exception()
    finally:
        load.ending.set()
        tasks: list[asyncio.Task[Any]] = [asking, *speaking, *load.answers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(who.client.aclose() for who in people))


@pytest.mark.parametrize(("fault", "max_seconds"), [(step_down, 2.0), (kill, 5.0), (hang, 10.0)])
async def test_failover_loses_and_doubles_nothing(
    server: Serving, replica_set: ReplicaSet, fake: FakeModels, fault: Fault, max_seconds: float
) -> None:
    """Writes wait for at most 2 s after a step-down, 5 s after a kill, 10 s after a hang."""
    fake.text, fake.chunk, fake.delay_ms = LONG, 6, 60
    primary = await replica_set.until_whole()
    async with loaded(server) as load:
        await asyncio.sleep(BEFORE_SECONDS)
        await fault(replica_set, primary)
        await load.until_taken_again(max_seconds)
        await asyncio.sleep(AFTER_SECONDS)
        await replica_set.until_whole()
        await asyncio.sleep(AFTER_SECONDS)
        load.ending.set()
        answers = await asyncio.gather(*load.answers)
        await check_chats(load, answers)
        await check_room(load)
    for sends in (load.sent, load.posted):
        assert max(sends.seconds) <= max_seconds
        assert sends.longest_refusal <= 3.5
    await asyncio.to_thread(check_log, replica_set, server.data_dir / CHANGE_LOG_FOLDER)


async def check_chats(load: Load, answers: list[Answer]) -> None:
    """Every question is there once, with the whole answer behind it, as its reader saw it."""
    assert len(answers) == len(load.answers)
    chats: dict[str, list[str]] = {}
    for answer in answers:
        assert answer.text == LONG
        assert answer.ending
        assert answer.ending.data["status"] == "complete"
        chats.setdefault(answer.session_id, []).append(answer.question)
    for session_id, questions in chats.items():
        read = await load.ana.client.get(f"/chat/sessions/{session_id}")
        assert read.status_code == 200, read.text
        messages = read.json()["messages"]
        assert [message["content"] for message in messages[::2]] == questions
        assert [message["content"] for message in messages[1::2]] == [LONG] * len(questions)
        assert read.json()["message_count"] == len(messages)
        assert read.json()["running_reply"] is None
    rows: list[Any] = []
    link = "/chat/sessions?limit=100"
    while link:
        page = await load.ana.client.get(link)
        rows += page.json()
        link = page.links.get("next", {}).get("url", "")
    assert {row["id"] for row in rows} == set(chats)


async def check_room(load: Load) -> None:
    """Check that all members saw every record once and in order, and that each message was posted once."""
    seq = (await load.ana.room(load.room_id))["seq"]

    async def have_all() -> bool:
        return all(speaker.seq == seq for speaker in load.speakers)

    await until(have_all, 10)
    said = [speaker.key(number) for speaker in load.speakers for number in range(speaker.posted)]
    first = load.speakers[0]
    assert Counter(event["message"]["content"] for event in first.events if "message" in event) == Counter(said)
    for speaker in load.speakers:
        assert [event["seq"] for event in speaker.events] == list(range(1, seq + 1))
        assert speaker.events == first.events


def check_log(replica_set: ReplicaSet, folder: Path) -> None:
    """The log is whole, has each message of a room once, and its replay is the database."""
    with pymongo.MongoClient[Any](replica_set.url, tz_aware=True) as client:
        database = client["tutordesk"]
        end = newest_entry(client).ts
        state = state_of(database, end)
        database["marks"].insert_one({})  # what is behind it is in the log, too, once this is
        last = newest_entry(client).ts
        wait_until(lambda: (verify(folder).last or end) >= last)
        verdict = verify(folder)
        assert (verdict.gaps, verdict.damage) == (0, ())
        inserted: Counter[Any] = Counter()
        for record in read_log(folder, ts_of(segments(folder)[0])):
            for operation in record.document["o"].get("applyOps", [record.document]):
                if operation["op"] == "i" and operation["ns"] == "tutordesk.room_messages":
                    inserted[operation["o"]["_id"]] += 1
        assert inserted == Counter(row["_id"] for row in database["room_messages"].find({}, {"_id": 1}))
        back = rewind(client, folder, database.name, end)
        assert without_parts(back.pop("replies")[3]) == without_parts(state.pop("replies")[3])
        assert back == state


def without_parts(replies: list[bytes]) -> list[dict[str, Any]]:
    """Without the text of running answers, which stays out of the log; a part may come behind the ending."""
    rows = [bson.decode(reply) for reply in replies]
    return sorted(({**row, "parts": []} for row in rows), key=lambda row: row["_id"])
