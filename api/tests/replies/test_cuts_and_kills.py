"""Faults at random: connections that break anywhere, and processes that are killed at any time.

`make bench` does the same a thousand and two hundred times.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

import pymongo
import pytest
from bson import ObjectId

from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Pair, Serving
from testing.replies.kills import STUCK_SECONDS, lost_seconds, start_reply
from testing.replies.pieces import Pieces
from testing.replies.wire_reader import TimedReader
from testing.steps import until
from tutordesk.operations.embedded.mongod import mongodb_url

TEXT = "größere Bilder: 上传失败，请检查代理的限制 🙂🙃🙂🙃 " * 45
WORKERS, KILLS = 5, 20


async def test_random_cuts_and_reloads_change_no_text(pair: Pair, fake: FakeModels) -> None:
    """Connections break at any byte, also inside a character and a frame, and continue at either process."""
    chance = random.Random(5)
    ports = [server.port for server in pair]
    fake.text, fake.chunk, fake.delay_ms = TEXT, 12, 30
    begun = [await start_reply(ports[place % 2]) for place in range(10)]
    pieces = [Pieces(ports, reader, random.Random(chance.random())) for reader in begun]
    await asyncio.gather(*(one.read(8, max_bytes=1500) for one in pieces))
    assert {one.text for one in pieces} == {TEXT}
    assert sum(one.cuts for one in pieces) >= 60
    assert sum(one.halves for one in pieces) > 0


@pytest.fixture
async def crowd(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    settings = {**ENVIRONMENT, "TUTORDESK_MODEL": "openai:fake", "OPENAI_BASE_URL": f"{fake.url}/v1"}  # starts quicker
    server = await Serving(tmp_path, "--workers", str(WORKERS), **settings).start()
    yield server
    await server.end()


async def test_kills_at_random_lose_at_most_a_second(crowd: Serving, fake: FakeModels) -> None:
    """Twenty workers are killed, four at a time; the fifth recovers what they wrote."""
    chance = random.Random(3)
    fake.text, fake.chunk, fake.delay_ms = TEXT * 20, 4, 50
    lost: list[float] = []
    kills = 0
    with pymongo.MongoClient[Any](mongodb_url(crowd.data_dir)) as client:
        database = client.get_default_database()
        while kills < KILLS:
            await until(lambda: _are_ready(crowd, database), 40)
            readers = [await start_reply(crowd.port) for _ in range(15)]
            for worker in chance.sample(crowd.workers(), WORKERS - 1):
                await asyncio.sleep(chance.uniform(0, 0.4))
                os.kill(worker, signal.SIGKILL)
                kills += 1
            lost += await _lost_of_broken(readers, database)
    assert max(lost) <= 1.0
    assert median(lost) <= 0.5


async def _are_ready(server: Serving, database: Any) -> bool:
    return len(server.workers()) == WORKERS == int(database.owners.count_documents({}))


async def _lost_of_broken(readers: list[TimedReader], database: Any) -> list[float]:
    """Return the seconds lost of the replies whose worker was killed, once they are over. Drops the others."""
    ended_at = time.perf_counter()
    await asyncio.sleep(0.05)  # the kernel closes what the last one had open
    broken = {ObjectId(reader.start()["id"]): reader for reader in readers if reader.is_over.done()}
    running = {"_id": {"$in": list(broken)}, "status": "streaming"}

    async def are_over() -> bool:
        return not int(database.replies.count_documents(running))

    await until(are_over, STUCK_SECONDS)
    assert time.perf_counter() - ended_at <= STUCK_SECONDS
    lost = []
    for reply in database.replies.find({"_id": {"$in": list(broken)}}):
        assert reply["status"] == "interrupted"
        assert (TEXT * 20).startswith(reply["content"])
        lost.append(lost_seconds(broken[reply["_id"]], broken[reply["_id"]].ended_at, reply["content"]))
    for reader in readers:
        reader.transport.abort()
    return lost
