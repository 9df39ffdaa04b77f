"""The keeper: what this process does for replies in the background, while `running_replies` is open.

| every | it |
|---|---|
| 0.1 s | stops what another process asked to stop, and reads what others write for those who follow it here |
| 0.7 s | appends the text of all runs to their documents, in bulks of at most 100, and finishes what has ended; |
| | all of it again after an election (elections.py) |
| 2 s | shows that this process lives, looks for dead ones and ends their replies as `interrupted` |
| 15 s | wakes followers, so that they can show that the connection is alive |
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pymongo.errors
from pymongo import UpdateMany

from tutordesk.ground.database import at_once
from tutordesk.ground.metrics import CHECKPOINT_LAG
from tutordesk.replies.elections import forget_unsure, look_for_election
from tutordesk.replies.endings import Deliver, Delivered, finish_delivered, recover_replies
from tutordesk.replies.events import KEEP_ALIVE_SECONDS
from tutordesk.replies.following import read_watched, watched
from tutordesk.replies.liveness import BEAT_SECONDS, Lookout, Owner
from tutordesk.replies.models import Reply, ReplyStatus
from tutordesk.replies.run import Run, end_replies, running, stop_reply

log = logging.getLogger(__name__)
PULSE_SECONDS = 0.1
CHECKPOINT_SECONDS = 0.7
BULK = 100


@asynccontextmanager
async def running_replies(owner: str, data_dir: Path, deliver: Deliver, delivered: Delivered) -> AsyncIterator[None]:
    """Recover what dead processes left, then keep this one's replies while inside; at the end give them time to end."""
    lookout = Lookout(data_dir, owner)
    await Owner(id=owner).insert()
    await _recover_unowned(deliver)

    async def pulse() -> None:
        await _stop_what_others_ask(owner)
        await read_watched()

    async def checkpoint() -> None:
        await look_for_election()
        await save_checkpoints()
        await finish_delivered(delivered)

    async def beat() -> None:
        await _show_life(owner)
        await forget_unsure()
        for dead in await lookout.look():
            await recover_replies(dead, deliver)
            await Owner.get_motor_collection().delete_one({"_id": dead})
            log.warning("the replies of %s, which has ended, were kept as interrupted", dead)

    async def keep_alive() -> None:
        for text in (*running.values(), *watched.values()):
            text.wake()

    await beat()
    tasks = [
        asyncio.create_task(_every(seconds, act), name=act.__name__)
        for seconds, act in (
            (PULSE_SECONDS, pulse),
            (CHECKPOINT_SECONDS, checkpoint),
            (BEAT_SECONDS, beat),
            (KEEP_ALIVE_SECONDS, keep_alive),
        )
    ]
    try:
        yield
    finally:
        await end_replies()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _leave(owner, delivered)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    is_away = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await act()
            is_away = False
        except pymongo.errors.PyMongoError as error:
            if not is_away:
                log.warning("%s waits for the database: %s", getattr(act, "__name__", act), type(error).__name__)
            is_away = True
        except Exception:  # one reply that cannot be read must not end the beat, which shows that this process lives
            log.exception("%s failed and is tried again", getattr(act, "__name__", act))


async def _leave(owner: str, delivered: Delivered) -> None:
    """Say goodbye, unless a reply could not be saved: then others have to find this process dead."""
    try:
        await finish_delivered(delivered)
        if all(run.is_over for run in running.values()):
            await Owner.get_motor_collection().delete_one({"_id": owner})
    except pymongo.errors.PyMongoError as error:
        log.warning("the database is away at the end: %s", type(error).__name__)
    running.clear()


async def _recover_unowned(deliver: Deliver) -> None:
    """Once at the start: replies whose owner is not even known, which a restored database may hold."""
    known = await Owner.get_motor_collection().distinct("_id")
    for owner in await Reply.get_motor_collection().distinct("owner", {"is_joined": False}):
        if owner not in known:
            await recover_replies(owner, deliver)


async def _show_life(owner: str) -> None:
    """Beat. If others found this process dead meanwhile, it lives on, but gives up what they ended."""
    if (await at_once(Owner).update_one({"_id": owner}, {"$inc": {"beat": 1}})).matched_count:
        return
    await Owner(id=owner).insert()
    own = {"_id": {"$in": list(running)}, "status": {"$ne": ReplyStatus.streaming.value}}
    for row in await Reply.get_motor_collection().find(own, {"_id": 1}).to_list(None):
        if (run := running.get(row["_id"])) and run.task and not run.is_over:
            run.task.cancel()


async def _stop_what_others_ask(owner: str) -> None:
    if any(not run.is_over for run in running.values()):
        asked = Reply.get_motor_collection().find({"is_stop_requested": True, "owner": owner}, {"_id": 1})
        await asyncio.gather(*(stop_reply(row["_id"]) for row in await asked.to_list(None)))


async def save_checkpoints() -> None:
    """Append what each run wrote since the last time.

    By id alone, which costs MongoDB half of what a guard by `status` does; what comes late finds the reply over, and
    nobody reads the parts of one that is. As "many", which the driver never sends twice: the session that it would keep
    for that is a third of the oplog's entry, and what failed is due again.
    """
    due = [run for run in running.values() if not run.is_over and len(run.text) > run.saved]
    CHECKPOINT_LAG.set(max((time.monotonic() - run.saved_at for run in due), default=0.0))
    replies = at_once(Reply)
    for start in range(0, len(due), BULK):
        batch, asked_at = [(run, len(run.text)) for run in due[start : start + BULK]], time.monotonic()
        await replies.bulk_write([_checkpoint(run, end) for run, end in batch], ordered=False)
        for run, end in batch:
            run.saved, run.saved_at = end, asked_at


def _checkpoint(run: Run, end: int) -> UpdateMany:
    part = {"at": run.saved, "text": run.text[run.saved : end]}
    return UpdateMany({"_id": run.reply.id}, {"$push": {"parts": part}})
