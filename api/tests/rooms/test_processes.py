"""One room on several processes, which signal by MongoDB or by Redis. A lost signal is made up for by the database."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Pair, serving_pair
from testing.rooms.answers import LONG_ANSWER, read_answer
from testing.rooms.people import Person, Timeline, person
from testing.rooms.redis import Redis
from testing.rooms.watchers import Watcher, send_all
from testing.steps import text_of, until


@pytest.fixture(scope="module", params=["mongodb", "redis"])
def engine(request: pytest.FixtureRequest) -> Iterator[Redis | None]:
    if request.param == "mongodb":
        yield None
        return
    redis = Redis()
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture(scope="module")
async def servers(
    mongod_url: str, fake_server: FakeModels, engine: Redis | None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    url = mongod_url.replace("/tutordesk?", "/rooms?")
    settings = {**ENVIRONMENT, "OPENAI_BASE_URL": fake_server.openai_url, "MONGODB_URL": url}
    settings["TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE"] = "0"
    if engine:
        settings["REDIS_URL"] = engine.url
    async with serving_pair(tmp_path_factory.mktemp("pair"), **settings) as pair:
        yield pair


@pytest.fixture
async def pair(servers: Pair, fake: FakeModels) -> Pair:
    """Two servers that run; a test may have killed the first."""
    if not servers[0].is_running:
        await servers[0].start()
    return servers


@pytest.fixture
async def people(pair: Pair) -> AsyncIterator[tuple[Person, Person]]:
    """Ana on one server, Ben on the other."""
    ana, ben = [await person(server.url, name) for server, name in zip(pair, ("Ana", "Ben"), strict=True)]
    yield ana, ben
    await asyncio.gather(ana.client.aclose(), ben.client.aclose())


async def test_members_on_two_processes_see_the_same(
    people: tuple[Person, Person], fake: FakeModels, engine: Redis | None
) -> None:
    """Both see the same order, the same text, presence and typing, from one process to the other within a second."""
    ana, ben = people
    room_id = await ana.make_room()
    await ben.join(room_id)
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 10, 20
    async with ana.socket(room_id, after=0) as one, ben.socket(room_id, after=0) as other:
        await one.wait(lambda event: event["type"] == "presence" and len(event["user_ids"]) == 2)
        await ben.client.get("/me")
        await other.send("typing")
        assert (await one.wait("typing", 2))["user_id"] == ben.id
        texts = [(socket, f"{name} {number}") for number in range(20) for name, socket in (("a", one), ("b", other))]
        await asyncio.gather(*(socket.send("send", client_message_id=text, content=text) for socket, text in texts))
        await one.say("@tutor why?")
        reply_id = (await one.wait("reply_started"))["reply_id"]
        streams = await asyncio.gather(*(read_answer(who.client, reply_id) for who in people))
        last = (await one.wait("reply_ended", 10))["seq"]
        await other.wait(lambda event: event.get("seq") == last, 3)
        await one.send("typing")
        await one.wait("typing")
    assert [text_of(stream) for stream in streams] == [LONG_ANSWER, LONG_ANSWER]
    for socket in (one, other):
        timeline = Timeline()
        for event in socket.persisted():
            timeline.apply(event)
        assert (timeline.seq, timeline.messages) == (last, await ana.messages(room_id))


async def test_nothing_is_lost_when_the_bus_or_a_process_dies(
    pair: Pair, people: tuple[Person, Person], engine: Redis | None
) -> None:
    """Connections are cut at random, Redis and a server are killed: no gap and no double in any timeline."""
    ana, ben = people
    room_id = await ana.make_room()
    await ben.join(room_id)
    chance = random.Random(11)
    watchers = [Watcher(who, pair, room_id, random.Random(seed)) for seed, who in enumerate([ana, ben] * 2)]
    watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    sending = [asyncio.create_task(send_all(who, pair, room_id, 60, random.Random(chance.random()))) for who in people]
    await asyncio.sleep(0.5)
    if engine:
        engine.kill()
    await pair[1].end(signal.SIGKILL)
    await asyncio.sleep(0.5)
    await pair[1].start()
    if engine:
        engine.start()
    await asyncio.gather(*sending)

    async def have_all() -> bool:
        for task in watching:
            if task.done():
                task.result()  # a gap or a double
        seq = (await ana.room(room_id))["seq"]
        return all(watcher.seq == seq for watcher in watchers)

    await until(have_all, 10)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    messages = await ana.messages(room_id)
    contents = sorted(
        message["content"] for message in [*messages, *await ana.messages(room_id, before=messages[0]["seq"])]
    )
    assert contents == sorted(f"{who.name} {number}" for who in people for number in range(60))
    for watcher in watchers:
        assert [event["seq"] for event in watcher.events] == list(range(1, watcher.seq + 1))
        assert sum(event["type"] == "message_posted" for event in watcher.events) == 120
    assert sum(watcher.cuts for watcher in watchers) >= 4


async def test_answer_of_a_killed_process_ends_and_the_next_question_is_taken(
    pair: Pair, people: tuple[Person, Person], fake: FakeModels, engine: Redis | None
) -> None:
    """The answer is `interrupted` and keeps its text. The other process continues the room's queue."""
    ana, ben = people
    room_id = await ana.make_room()
    await ben.join(room_id)
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 2, 50
    async with ben.socket(room_id) as other:
        async with ana.socket(room_id) as one:
            await one.say("@tutor why?")
            reply_id = (await one.wait("reply_started"))["reply_id"]
            await one.say("@tutor and then?")
            await asyncio.sleep(1.5)
            await pair[0].end(signal.SIGKILL)
        ended = await other.wait("reply_ended", 20)
        assert (ended["reply_id"], ended["message"]["status"]) == (reply_id, "interrupted")
        assert LONG_ANSWER.startswith(ended["message"]["content"])
        assert ended["message"]["content"]
        fake.delay_ms = 0
        await other.wait("reply_started", 5)
        assert (await other.wait("reply_ended", 10))["message"]["content"] == LONG_ANSWER
