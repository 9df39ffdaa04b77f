"""Ten thousand sends over two servers, a fifth of them sent again on purpose: how many messages or replies are double.

Half of those go to both servers at once; of the others the connection breaks before the answer, and the same message
goes to the other server. A repeat has to answer with the same reply; every message is in its chat once, in order.
"""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import running_database, running_helper, running_server
from testing.figures import Figure
from testing.replies.wire_reader import WireReader, ask, ask_request, connect, get, wire_state
from tutordesk.ground.database import AsyncDatabase
from tutordesk.ground.database import connect as connect_database

SENDS, VISITORS, AGAIN = 10_000, 20, 0.2
SENDS_A_CHAT = 5
BREAKS_WITHIN_SECONDS = 0.02


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire, running_database(folder / "database") as url:
        settings = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"http://127.0.0.1:{wire.port}/v1"}
        settings |= {"MONGODB_URL": url, "TUTORDESK_SECRET_KEY": "a-key-of-benchmarks-0123456789abcdefg"}
        with running_server(folder / "one", **settings) as one, running_server(folder / "other", **settings) as other:
            return asyncio.run(_measure(wire.port, (one.port, other.port), url))


async def _measure(wire: int, ports: Sequence[int], url: str) -> list[Figure]:
    await get(wire, "/set?chunks=2&per_second=500")
    chance = random.Random(11)
    visitors = [Visitor(ports, random.Random(chance.random())) for _ in range(VISITORS)]
    await asyncio.gather(*(visitor.send_many(SENDS // VISITORS) for visitor in visitors))
    client = connect_database(url)
    doubles = await _count_doubles(client.get_default_database())
    client.close()
    again, others = sum(visitor.again for visitor in visitors), sum(visitor.others for visitor in visitors)
    asked_twice = abs((await wire_state(wire))["begun"] - SENDS)
    refused = sum(visitor.refused for visitor in visitors)
    return [
        Figure(f"Double messages or replies of {SENDS:,} sends, {again:,} repeated", doubles, limit=0, digits=0),
        Figure("Sends that the model was asked for more than once", asked_twice, limit=0, digits=0),
        Figure("Repeats that got another reply", others, limit=0, digits=0),
        Figure("Sends refused although the answer before was over", refused, digits=0),
    ]


async def _count_doubles(database: AsyncDatabase) -> int:
    """Replies beyond one a send, and messages of chats that are missing, double or out of order."""
    replies = await database["replies"].count_documents({})
    wrong = abs(replies - SENDS)
    async for chat in database["chat_sessions"].find():
        wrong += _count_wrong(chat)
    return wrong


def _count_wrong(chat: dict[str, Any]) -> int:
    questions = [message["content"] for message in chat["messages"] if message["role"] == "user"]
    expected = [f"Question {place}" for place in range(SENDS_A_CHAT)]
    roles = [message["role"] for message in chat["messages"]]
    return (questions != expected) + (roles != ["user", "assistant"] * SENDS_A_CHAT)


class Visitor:
    """A browser that asks one question after another, five in each chat."""

    def __init__(self, ports: Sequence[int], chance: random.Random) -> None:
        self.ports, self.chance = ports, chance
        self.cookie: str | None = None
        self.session_id: str | None = None
        self.again = self.others = self.refused = 0

    async def send_many(self, count: int) -> None:
        for place in range(count):
            if place % SENDS_A_CHAT == 0:
                self.session_id = None
            await self._send(ask_request(f"Question {place % SENDS_A_CHAT}", self.session_id, self.cookie, f"{place}"))

    async def _send(self, request: bytes) -> None:
        first, second = self.chance.sample(self.ports, 2)
        answers = []
        if self.cookie and self.chance.random() < AGAIN:
            self.again += 1
            if self.chance.random() < 0.5:
                answers = list(await asyncio.gather(self._ask(first, request), self._ask(second, request)))
            else:
                broken = await connect(first)
                broken.send(request)
                await asyncio.sleep(self.chance.uniform(0, BREAKS_WITHIN_SECONDS))
                broken.transport.abort()
                answers = [await self._ask(second, request)]
        else:
            answers = [await self._ask(first, request)]
        starts = [answer.events()[0] for answer in answers]
        self.others += len({start["id"] for start in starts}) - 1
        self.session_id, self.cookie = starts[0]["session_id"], self.cookie or answers[0].cookie

    async def _ask(self, port: int, request: bytes) -> WireReader:
        """Ask until it is answered: a chat whose last answer is not saved yet refuses the next question."""
        while (answer := await ask(port, request)).data.startswith(b"HTTP/1.1 409 "):
            self.refused += 1
            await asyncio.sleep(0.05)
        return answer
