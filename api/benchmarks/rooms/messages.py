"""Rooms: what a message to a thousand members costs and how late it comes, what their sockets weigh, what members that
never read do to the others, and whether two thousand messages over two servers survive whatever breaks.
"""

import asyncio
import random
import signal
import socket as sockets
import time
from pathlib import Path
from statistics import quantiles

import orjson

from benchmarks.harness import Server, cpu_ns, rss_kib, running_database, running_server
from testing.figures import Figure
from testing.processes import Pair, serving_pair
from testing.rooms.member_sockets import MemberSocket, handshake, make_people, take_seat
from testing.rooms.people import person
from testing.rooms.redis import Redis
from testing.rooms.watchers import Watcher, send_all
from testing.steps import until

MEMBERS, MESSAGES, PER_SECOND = 1_000, 60, 6
TEXT = "The proxy in front refuses the body before the application sees it, so its own limit counts. " * 2
READERS, STUCK, SLOW_MESSAGES, SLOW_PER_SECOND = 100, 10, 150, 10
SENDERS, SENT_OF_EACH = 4, 500
NO_LIMITS = {"TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE": "0", "TUTORDESK_MAX_ROOMS_PER_HOUR": "0"}


def measure(folder: Path) -> list[Figure]:
    with running_server(folder / "server", **NO_LIMITS) as server:
        figures = asyncio.run(_fan_out(server))
    with running_server(folder / "slow", **NO_LIMITS) as server:
        figures += asyncio.run(_slow(server))
    with running_database(folder / "database") as url:
        return [*figures, *asyncio.run(_faults(folder, url))]


class Audience:
    """Members who note when which message came."""

    def __init__(self) -> None:
        self.arrivals: dict[bytes, list[float]] = {}
        self.present: list[str] = []

    def heard(self, moment: float, body: bytes) -> None:
        if body.startswith(b'{"type":"message_posted"'):
            key = body.partition(b'"client_message_id":"')[2].partition(b'"')[0]
            self.arrivals.setdefault(key, []).append(moment)
        elif body.startswith(b'{"type":"presence"'):
            self.present = orjson.loads(body)["user_ids"]

    async def count(self, key: str, members: int) -> None:
        async def have_all() -> bool:
            return len(self.arrivals.get(key.encode(), ())) >= members

        await until(have_all, 30)

    async def deliver(
        self, sender: MemberSocket, name: str, count: int, per_second: float, members: int
    ) -> list[float]:
        """Send at an even pace; returns how late each message came to each member, in ms."""
        sent: dict[str, float] = {}
        for number in range(count):
            sent[f"{name}{number}"] = time.perf_counter()
            sender.say(f"{name}{number}", TEXT)
            await asyncio.sleep(1 / per_second)
        for key in sent:
            await self.count(key, members)
        return [(moment - sent[key]) * 1000 for key in sent for moment in self.arrivals[key.encode()]]


async def _fan_out(server: Server) -> list[Figure]:
    room_id, people = await make_people(server.port, [f"Member {number}" for number in range(MEMBERS)])
    await asyncio.sleep(1)
    audience, empty = Audience(), rss_kib(server.pid)
    members = [await take_seat(server.port, room_id, cookie, audience.heard) for cookie in people.values()]
    await audience.deliver(members[0], "warm", 3, PER_SECOND, MEMBERS)
    await asyncio.sleep(12)  # the presence of those who came is told
    full = rss_kib(server.pid)
    started = cpu_ns(server.pid)
    late = await audience.deliver(members[0], "key", MESSAGES, PER_SECOND, MEMBERS)
    cost = (cpu_ns(server.pid) - started) / 1000 / len(late)
    for member in members:
        member.transport.abort()
    return [
        Figure(f"Rooms: CPU of a frame to one of {MEMBERS:,} members", cost, "µs", limit=22),
        Figure(f"Rooms: a message is with all {MEMBERS:,}, p99", quantiles(late, n=100)[98], "ms", limit=150, digits=0),
        Figure(f"Rooms: memory of {MEMBERS:,} sockets", (full - empty) / 1024, "MB", limit=60, digits=0),
    ]


async def _slow(server: Server) -> list[Figure]:
    names = [f"Reader {number}" for number in range(READERS)] + [f"Stuck {number}" for number in range(STUCK)]
    room_id, people = await make_people(server.port, names)
    ids, cookies = list(people), list(people.values())
    audience = Audience()
    members = [await take_seat(server.port, room_id, cookie, audience.heard) for cookie in cookies[:READERS]]
    alone = await audience.deliver(members[0], "alone", SLOW_MESSAGES, SLOW_PER_SECOND, READERS)
    stuck = [_never_reads(server.port, room_id, cookie) for cookie in cookies[READERS:]]
    came = time.perf_counter()

    async def gone_after() -> float:
        await until(lambda: _is(set(ids[READERS:]) <= set(audience.present)), 10)
        await until(lambda: _is(not set(ids[READERS:]) & set(audience.present)), 30)
        return time.perf_counter() - came

    leaving = asyncio.create_task(gone_after())
    beside = await audience.deliver(members[0], "beside", SLOW_MESSAGES, SLOW_PER_SECOND, READERS)
    gone = await leaving
    for socket in stuck:
        socket.close()
    for member in members:
        member.transport.abort()
    delay = quantiles(beside, n=100)[98] - quantiles(alone, n=100)[98]
    return [
        Figure(f"Rooms: p99 later beside {STUCK} members that never read", delay, "ms", limit=20),
        Figure("Rooms: those are gone after", gone, "s", limit=10),
    ]


def _never_reads(port: int, room_id: str, cookie: str) -> sockets.socket:
    stuck = sockets.create_connection(("127.0.0.1", port))
    stuck.sendall(handshake(port, room_id, cookie))
    return stuck


async def _is(value: bool) -> bool:
    return value


async def _faults(folder: Path, url: str) -> list[Figure]:
    """Two servers, a Redis that is killed, a server that is killed, and members that lose their connections."""
    redis = Redis()
    redis.start()
    settings = {**NO_LIMITS, "MONGODB_URL": url, "REDIS_URL": redis.url}
    settings |= {"TUTORDESK_SECRET_KEY": "a-key-of-benchmarks-0123456789abcdefg", "TUTORDESK_MODEL": "offline"}
    try:
        async with serving_pair(folder, **settings) as pair:
            return await _faults_of(pair, redis)
    finally:
        redis.kill()


async def _faults_of(pair: Pair, redis: Redis) -> list[Figure]:
    people = [await person(pair[0].url, f"Person {number}") for number in range(SENDERS)]
    room_id = await people[0].make_room()
    for member in people[1:]:
        await member.join(room_id)
    watchers = [Watcher(who, pair, room_id, random.Random(seed)) for seed, who in enumerate(people * 2)]
    watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    sending = asyncio.gather(*(send_all(who, pair, room_id, SENT_OF_EACH, random.Random(who.name)) for who in people))
    deaths = 0
    while not sending.done():
        await asyncio.sleep(2)
        redis.kill()
        await pair[1].end(signal.SIGKILL)
        await asyncio.sleep(1)
        await pair[1].start()
        redis.start()
        deaths += 1
    seq = (await people[0].room(room_id))["seq"]
    await until(lambda: _is(all(watcher.seq == seq for watcher in watchers)), 20)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    expected = sorted(f"{who.name} {number}" for who in people for number in range(SENT_OF_EACH))
    wrong = sum(_differs(watcher, seq, expected) for watcher in watchers)
    for member in people:
        await member.client.aclose()
    cuts = sum(watcher.cuts for watcher in watchers)
    what = f"{SENDERS * SENT_OF_EACH:,} messages, {cuts:,} cuts, {deaths} killed servers and Redises"
    return [Figure(f"Rooms: timelines that differ after {what}", wrong, limit=0, digits=0)]


def _differs(watcher: Watcher, seq: int, expected: list[str]) -> bool:
    posted = [event["message"]["content"] for event in watcher.events if event["type"] == "message_posted"]
    return [event["seq"] for event in watcher.events] != list(range(1, seq + 1)) or sorted(posted) != expected
