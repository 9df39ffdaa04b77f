"""Two hundred SIGKILLs at random times, each of a server that writes twenty replies: how much text is lost, and how
long a reply still counts as running.

Two servers share one database. They are killed in turn; the killed one is started again while the other takes
questions. What is lost is told as the age, at the kill, of the oldest text that had been shown and was not saved.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bson import ObjectId

from benchmarks.harness import Server, running_database, running_helper, running_server
from benchmarks.replies.wire import TEXT
from testing.figures import Figure
from testing.replies.kills import STUCK_SECONDS, lost_seconds, start_reply
from testing.replies.wire_reader import TimedReader, get
from tutordesk.ground.database import AsyncDatabase, connect

KILLS, REPLIES = 200, 20
LIVES_SECONDS = (0.3, 1.8)
MAX_LOST_SECONDS = 1.0
PER_SECOND = 20


@dataclass
class Seen:
    """The fates of killed replies. Times are in seconds."""

    lost: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    stuck: int = 0
    wrong: int = 0


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire, running_database(folder / "database") as url:
        settings = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"http://127.0.0.1:{wire.port}/v1"}
        seen = asyncio.run(_kill_many(folder, wire.port, settings | {"MONGODB_URL": url}))
    return [
        Figure(
            f"Text lost by {KILLS} SIGKILLs with {REPLIES} running replies, most",
            max(seen.lost),
            "s",
            MAX_LOST_SECONDS,
            2,
        ),
        Figure("The same, p50", median(seen.lost), "s", 0.5, 2),
        Figure("Until a killed server's reply is `interrupted`, most", max(seen.ended), "s", STUCK_SECONDS),
        Figure(f"Replies that ran on after {STUCK_SECONDS:.0f} s", seen.stuck, limit=0, digits=0),
        Figure("Replies that joined their chat not exactly once, or with other text", seen.wrong, limit=0, digits=0),
    ]


async def _kill_many(folder: Path, wire: int, settings: dict[str, str]) -> Seen:
    await get(wire, f"/set?chunks=2000&per_second={PER_SECOND}")
    chance, seen, checks = random.Random(3), Seen(), set[asyncio.Task[None]]()
    client = connect(settings["MONGODB_URL"])
    database = client.get_default_database()

    def start(place: int) -> asyncio.Task[Server]:
        server = running_server(folder / str(place), **settings)
        return asyncio.create_task(asyncio.to_thread(stack.enter_context, server))

    with contextlib.ExitStack() as stack:
        starting = [start(0), start(1)]
        for number in range(KILLS):
            server = await starting[number % 2]
            readers = await asyncio.gather(*(start_reply(server.port) for _ in range(REPLIES)))
            await asyncio.sleep(chance.uniform(*LIVES_SECONDS))
            os.kill(server.pid, signal.SIGKILL)
            checks.add(asyncio.create_task(_check(database, readers, time.perf_counter(), seen)))
            starting[number % 2] = start(number % 2)
        await asyncio.gather(*checks, *starting)
    client.close()
    return seen


async def _check(database: AsyncDatabase, readers: list[TimedReader], killed_at: float, seen: Seen) -> None:
    replies = {ObjectId(reader.start()["id"]): reader for reader in readers}
    running = {"_id": {"$in": list(replies)}, "status": "streaming"}
    age = 0.0
    while age < STUCK_SECONDS and await database["replies"].count_documents(running):
        await asyncio.sleep(0.1)
        age = time.perf_counter() - killed_at
    seen.ended.append(age)
    await asyncio.sleep(1)  # what has ended joins its chat at once
    async for reply in database["replies"].find({"_id": {"$in": list(replies)}}):
        if reply["status"] == "streaming":
            seen.stuck += 1
            continue
        reader = replies[reply["_id"]]
        seen.lost.append(lost_seconds(reader, killed_at, reply["content"]))
        chat = await database["chat_sessions"].find_one({"_id": reply["session_id"]})
        seen.wrong += not _is_whole(reply, chat)


def _is_whole(reply: dict[str, Any], chat: dict[str, Any] | None) -> bool:
    text = reply["content"]
    said = [message["content"] for message in chat["messages"]] if chat else []
    is_text = text == (TEXT * (len(text) // len(TEXT) + 1))[: len(text)]
    return is_text and reply["status"] == "interrupted" and said == [reply["question"]["content"], text]
