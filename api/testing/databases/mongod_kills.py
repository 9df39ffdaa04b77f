"""Kills the embedded mongod at random moments, while people save tickets and a driver writes with majority."""

import asyncio
import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pymongo.errors
from bson import ObjectId

from testing.processes import mongod_pid
from tutordesk.ground.database import AsyncDatabase, connect
from tutordesk.operations.embedded.mongod import mongodb_url

MAX_SECONDS = 6.0
SAVERS, WRITERS = 3, 3
LIVES_SECONDS = (0.3, 2.5)
AGAIN_SECONDS = 0.05
TICKET = {"title": "Written while mongod is killed", "description": "Still there?", "category": "test", "tags": []}


@dataclass
class Seen:
    """`saved` and `written`: ids of what was acknowledged, of tickets and of the driver's documents."""

    saved: set[ObjectId] = field(default_factory=set)
    written: set[ObjectId] = field(default_factory=set)
    back: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def acknowledged(self) -> int:
        return len(self.saved) + len(self.written)


async def kill_many(port: int, data_dir: Path, kills: int, acknowledged: int) -> Seen:
    """Kill this many times, continue until this many writes were acknowledged, then look for each of them."""
    chance, seen = random.Random(5), Seen()
    mongodb = connect(mongodb_url(data_dir))
    database = mongodb.get_default_database()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        await _until_saved(client, seen)
        writers = [asyncio.create_task(_save(client, seen)) for _ in range(SAVERS)]
        writers += [asyncio.create_task(_write(database, seen)) for _ in range(WRITERS)]
        try:
            while len(seen.back) < kills or seen.acknowledged < acknowledged:
                await asyncio.sleep(chance.uniform(*LIVES_SECONDS))
                if len(seen.back) < kills:
                    os.kill(mongod_pid(data_dir), signal.SIGKILL)
                    killed_at = time.monotonic()
                    await _until_saved(client, seen)
                    seen.back.append(time.monotonic() - killed_at)
                for writer in writers:
                    if writer.done():
                        writer.result()
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
    seen.lost = await _missing(database, "tickets", seen.saved) + await _missing(database, "written", seen.written)
    mongodb.close()
    return seen


async def _until_saved(client: httpx.AsyncClient, seen: Seen) -> None:
    is_saved = False
    while not is_saved:
        is_saved = await _save_one(client, seen)


async def _save_one(client: httpx.AsyncClient, seen: Seen) -> bool:
    answer = await client.post("/tickets", json=TICKET)
    if answer.status_code == 201:
        seen.saved.add(ObjectId(answer.json()["id"]))
    elif answer.status_code != 503:
        raise RuntimeError(f"a ticket was refused with {answer.status_code}: {answer.text}")
    else:
        await asyncio.sleep(AGAIN_SECONDS)
    return answer.status_code == 201


async def _save(client: httpx.AsyncClient, seen: Seen) -> None:
    while True:
        await _save_one(client, seen)


async def _write(database: AsyncDatabase, seen: Seen) -> None:
    while True:
        document: dict[str, Any] = {"_id": ObjectId(), "text": "x" * 200}
        with contextlib.suppress(pymongo.errors.PyMongoError):  # then it was not acknowledged
            await database["written"].insert_one(document)
            seen.written.add(document["_id"])
            continue
        await asyncio.sleep(AGAIN_SECONDS)


async def _missing(database: AsyncDatabase, collection: str, ids: set[ObjectId]) -> int:
    existing = {row["_id"] async for row in database[collection].find({}, {"_id": 1})}
    return len(ids - existing)
