"""The reconnect storm: a server with two thousand open rooms' sockets is restarted, and all of them come back.

Each socket waits as the client does (web/src/lib/streams/room-socket.ts): up to five seconds after a restart, then
longer from try to try. The benchmark tells how many answers are 5xx after fifteen seconds, how long all sockets take to
come back, and how late a page of tickets is meanwhile.
"""

import asyncio
import random
import signal
import time
from pathlib import Path
from statistics import quantiles

import httpx

from benchmarks.harness import NO_LIMITS
from testing.figures import Figure
from testing.processes import Serving
from testing.rooms.member_sockets import MemberSocket, Refused, make_people, take_seat
from testing.serving import JSON

SOCKETS, ROOM_OF = 2_000, 100
RESTART_SECONDS, FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 5.0, 0.5, 10.0
QUIET_AFTER_SECONDS = 15.0
ENVIRONMENT = NO_LIMITS | {"TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE": "0", "TUTORDESK_MAX_ROOMS_PER_HOUR": "0"}


def measure(folder: Path) -> list[Figure]:
    return asyncio.run(_measure(Serving(folder / "server", TUTORDESK_MODEL="offline", **ENVIRONMENT)))


class Client:
    """A client that reconnects until it is live again. `failed_at`: times of answers with 5xx."""

    def __init__(self, room_id: str, cookie: str) -> None:
        self._room_id, self._cookie = room_id, cookie
        self._socket: MemberSocket | None = None
        self.failed_at: list[float] = []

    async def come(self, server: Serving, within: float = 0.0) -> None:
        await asyncio.sleep(random.random() * within)
        tries = 0
        while True:
            try:
                self._socket = await take_seat(server.port, self._room_id, self._cookie, lambda moment, body: None)
                return
            except Refused as refusal:
                if str(refusal).startswith("HTTP/1.1 5"):
                    self.failed_at.append(time.monotonic())
            except (OSError, TimeoutError):
                pass  # nobody listens there, or is too busy; counted by how long it takes
            tries += 1
            limit = min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**tries)
            await asyncio.sleep(limit / 2 + limit / 2 * random.random())

    def leave(self) -> None:
        if self._socket:
            self._socket.transport.abort()


async def _measure(server: Serving) -> list[Figure]:
    await server.start()
    try:
        clients: list[Client] = []
        for room in range(SOCKETS // ROOM_OF):
            room_id, people = await make_people(server.port, [f"Room {room} {number}" for number in range(ROOM_OF)])
            clients += [Client(room_id, cookie) for cookie in people.values()]
        await asyncio.gather(*(client.come(server, RESTART_SECONDS) for client in clients))
        await server.end(signal.SIGTERM)
        await server.start()
        started, late = time.monotonic(), list[float]()
        reader = asyncio.create_task(_read_pages(server, late))
        await asyncio.gather(*(client.come(server, RESTART_SECONDS) for client in clients))
        back = time.monotonic() - started
        await asyncio.sleep(max(0.0, started + QUIET_AFTER_SECONDS - time.monotonic()))
        assert not reader.done(), "somebody else's list failed"
        reader.cancel()
        for client in clients:
            client.leave()
    finally:
        await server.end()
    failed = sum(moment - started > QUIET_AFTER_SECONDS for client in clients for moment in client.failed_at)
    what = f"Restart under {SOCKETS:,} sockets"
    return [
        Figure(f"{what}: 5xx later than {QUIET_AFTER_SECONDS:.0f} s", failed, limit=0, digits=0),
        Figure(f"{what}: all are back after", back, "s", limit=QUIET_AFTER_SECONDS),
        Figure(f"{what}: somebody else's list meanwhile, p99", quantiles(late, n=100)[98], "ms", digits=0),
    ]


async def _read_pages(server: Serving, late: list[float]) -> None:
    """Note how long each takes, in ms."""
    async with httpx.AsyncClient(base_url=server.url, headers=JSON, timeout=30) as reader:
        while True:
            started_at = time.monotonic()
            (await reader.get("/tickets")).raise_for_status()
            late.append((time.monotonic() - started_at) * 1000)
            await asyncio.sleep(0.05)
