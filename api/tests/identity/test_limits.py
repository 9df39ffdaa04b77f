"""Limits hold for all processes together, and delay nobody when their database hangs."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from testing.processes import ENVIRONMENT, Pair, serving_pair
from testing.rooms.people import person
from testing.rooms.redis import Redis
from testing.steps import TICKET, until

MESSAGES, TICKETS = 12, 5


@pytest.fixture(scope="module", params=["mongodb", "redis"])
async def limited(
    request: pytest.FixtureRequest, mongod_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Pair, Redis | None]]:
    """Two servers on one database, with limits, and the Redis that counts for them, if any."""
    settings = ENVIRONMENT | {
        "TUTORDESK_MODEL": "offline",
        "MONGODB_URL": mongod_url.replace("/tutordesk?", f"/limits-{request.param}?"),
        "TUTORDESK_MAX_MESSAGES_PER_MINUTE": str(MESSAGES),
        "TUTORDESK_MAX_TICKETS_PER_HOUR": str(TICKETS),
        "TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE": str(MESSAGES),
    }
    redis = Redis() if request.param == "redis" else None
    if redis:
        redis.start()
        settings["REDIS_URL"] = redis.url
    async with serving_pair(tmp_path_factory.mktemp("pair"), **settings) as pair:
        yield pair, redis
    if redis:
        redis.kill()


async def _send(client: httpx.AsyncClient, url: str, path: str, **body: object) -> int:
    async with client.stream("POST", f"{url}{path}", json=body) as response:
        return response.status_code


@pytest.mark.parametrize(
    ("path", "body", "ok", "limit"),
    [
        ("/chat/global/stream", {"message": "Why?"}, 200, MESSAGES),
        ("/tickets", TICKET, 201, TICKETS),
        ("/agent/stream", {"prompt": "Why?"}, 200, MESSAGES),
    ],
    ids=["messages", "tickets", "room messages"],
)
async def test_visitor_of_both_servers_has_one_limit(
    limited: tuple[Pair, Redis | None], path: str, body: dict[str, object], ok: int, limit: int
) -> None:
    pair, _ = limited
    who = await person(pair[0].url, "Ana")
    place = {"room_id": await who.make_room()} if path == "/agent/stream" else {}
    statuses = [await _send(who.client, pair[turn % 2].url, path, **body, **place) for turn in range(2 * limit)]
    assert statuses == [ok] * limit + [429] * limit
    await who.client.aclose()


async def test_flood_on_both_servers_at_once_gets_one_limit(limited: tuple[Pair, Redis | None]) -> None:
    pair, _ = limited
    who = await person(pair[0].url, "Ana")
    urls = [pair[turn % 2].url for turn in range(4 * MESSAGES)]
    statuses = await asyncio.gather(*(_send(who.client, url, "/chat/global/stream", message="Why?") for url in urls))
    assert sorted(statuses) == [200] * MESSAGES + [429] * 3 * MESSAGES
    await who.client.aclose()


async def test_restarted_server_remembers(limited: tuple[Pair, Redis | None]) -> None:
    pair, _ = limited
    who = await person(pair[0].url, "Ana")
    for _ in range(MESSAGES):
        assert await _send(who.client, pair[0].url, "/chat/global/stream", message="Why?") == 200
    await pair[0].end()
    await pair[0].start()
    assert await _send(who.client, pair[0].url, "/chat/global/stream", message="Why?") == 429
    await who.client.aclose()


@pytest.mark.parametrize("limited", ["redis"], indirect=True)
async def test_hanging_redis_delays_nobody_and_each_server_counts_for_itself(
    limited: tuple[Pair, Redis | None],
) -> None:
    pair, redis = limited
    assert redis
    assert redis.process
    who = await person(pair[0].url, "Ana")
    os.kill(redis.process.pid, signal.SIGSTOP)
    try:
        statuses, waits = [], []
        for _ in range(MESSAGES + 2):
            started = time.monotonic()
            statuses.append(await _send(who.client, pair[0].url, "/chat/global/stream", message="Why?"))
            waits.append(time.monotonic() - started)
    finally:
        os.kill(redis.process.pid, signal.SIGCONT)
    assert statuses == [200] * MESSAGES + [429] * 2
    assert max(waits) < 2
    assert sum(wait > 0.5 for wait in waits) <= 2

    async def counts_together_again() -> bool:
        again = await person(pair[0].url, "Ben")
        urls = [pair[turn % 2].url for turn in range(2 * MESSAGES)]
        statuses = [await _send(again.client, url, "/chat/global/stream", message="Why?") for url in urls]
        await again.client.aclose()
        return statuses.count(200) == MESSAGES

    await until(counts_together_again)
    await who.client.aclose()
