"""Measures the cost of saving running replies: CPU for 600 at once, and oplog bytes for one of 20 kB in 60 s.

The CPU is that of a process that holds 600 runs whose text grows as from a wire, 20 pieces of 24 characters a second,
and nothing else: no wire, no readers. It is measured in rounds without and with `Replies.save_text` at its
own pace; the difference, all threads of the process, is what checkpoints cost. The oplog's bytes are those of a
real server's `replies`, from the reply's first document to its ending.

`python -m benchmarks.replies.checkpoints URL` is that process: it prints 0, and for each line `with` or `without` the
share of a core that it used for ten seconds.
"""

import asyncio
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import pymongo
from beanie import PydanticObjectId
from bson import Timestamp
from bson.raw_bson import RawBSONDocument

from benchmarks.harness import running_database, running_helper, running_server
from benchmarks.replies.wire import TEXT
from testing.figures import Figure
from testing.replies.wire_reader import ask_request, connect, get
from tutordesk.ground.database import open_database
from tutordesk.ground.settings import Settings
from tutordesk.operations.migrations.run import migrate
from tutordesk.replies.models import Message, Reply
from tutordesk.replies.replies import CHECKPOINT_SECONDS, Replies
from tutordesk.replies.run import Run
from tutordesk.tutor.voice import Tutor

RUNS, PER_SECOND, SECONDS = 600, 20, 10.0
ROUNDS = ("without", "with", "with", "without")
REPLY_BYTES, REPLY_SECONDS = 20_000, 60.0


def measure(folder: Path) -> list[Figure]:
    with running_database(folder / "database") as url:
        replies, everything = _oplog_bytes(folder, url)
        with running_helper("replies.checkpoints", url) as process:
            shares = [(which, float(process.tell(which))) for which in ROUNDS]
    cost = mean(share for which, share in shares if which == "with")
    cost -= mean(share for which, share in shares if which == "without")
    return [
        Figure(f"CPU of the checkpoints of {RUNS} running replies", cost * 100, "% of a core", 3, digits=2),
        Figure(f"Oplog of a reply of {REPLY_BYTES:,} bytes in a minute ÷ its text", replies / REPLY_BYTES, "", 3, 2),
        Figure("The same, with its chat", everything / REPLY_BYTES, digits=2),
    ]


def _oplog_bytes(folder: Path, url: str) -> tuple[int, int]:
    """Bytes of all entries about replies while one was written, and about everything but owners' beats."""
    chunks = REPLY_BYTES // len(TEXT)
    with running_helper("replies.wire") as wire, pymongo.MongoClient[Any](url) as client:
        settings = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"http://127.0.0.1:{wire.port}/v1"}
        with running_server(folder / "server", MONGODB_URL=url, **settings) as server:
            asyncio.run(get(wire.port, f"/set?chunks={chunks}&per_second={chunks / REPLY_SECONDS}"))
            oplog = client.get_database("local").get_collection("oplog.rs")
            start: Timestamp = oplog.find().sort("$natural", -1).limit(1)[0]["ts"]
            asyncio.run(_read(server.port))
            time.sleep(2 * CHECKPOINT_SECONDS)
    with pymongo.MongoClient[RawBSONDocument](url, document_class=RawBSONDocument) as client:
        since = {"ts": {"$gt": start}, "ns": {"$ne": "tutordesk.owners"}}
        sizes = [(entry["ns"], len(entry.raw)) for entry in client["local"]["oplog.rs"].find(since)]
    return sum(size for name, size in sizes if name == "tutordesk.replies"), sum(size for _, size in sizes)


async def _read(port: int) -> None:
    reader = await connect(port)
    reader.send(ask_request("Why does the proxy refuse my upload?"))
    await asyncio.wait_for(reader.is_over, 2 * REPLY_SECONDS)
    reader.events()


async def _main(url: str) -> None:
    await asyncio.to_thread(migrate, url)
    client = await open_database(url, (Reply,))
    replies = Replies("benchmark", Path(), Tutor(Settings(_env_file=None)), _nothing, _nothing)
    for place in range(RUNS):
        reply = _reply(place)
        await reply.insert()
        replies.running[PydanticObjectId(reply.id)] = Run(reply)
    print(0, flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(await _share(replies, line == "with"), flush=True)
    client.close()


def _reply(place: int) -> Reply:
    author_id, question = PydanticObjectId(), Message(role="user", content=f"Question {place}")
    return Reply(
        id=PydanticObjectId(),
        author_id=author_id,
        session_id=PydanticObjectId(),
        question=question,
        model="openai:load",
        owner="benchmark",
    )


async def _share(replies: Replies, is_saved: bool) -> float:
    """The share of a core that this process uses while all texts grow."""
    saving = asyncio.create_task(_save(replies)) if is_saved else None
    started, used = time.perf_counter(), time.process_time()
    for piece in range(int(SECONDS * PER_SECOND)):
        await asyncio.sleep(max(0, started + piece / PER_SECOND - time.perf_counter()))
        for run in replies.running.values():
            run.write(TEXT)
    share = (time.process_time() - used) / (time.perf_counter() - started)
    if saving:
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        if not all(run.saved for run in replies.running.values()):
            raise RuntimeError("nothing was saved")
    return share


async def _nothing(_: object) -> None:
    """No reply ends here."""


async def _save(replies: Replies) -> None:
    while True:
        await asyncio.sleep(CHECKPOINT_SECONDS)
        await replies.save_text()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
