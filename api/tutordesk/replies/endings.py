"""Endings: one update guarded by `status` ends a reply, so that one caller only does; then it joins its transcript.

The ending need not wait for the disk, because the transcript's write that follows does. What is left to do then, and
the mark that spares a later recovery the work, the keeper does for many at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pymongo.errors

from tutordesk.ground.database import at_once
from tutordesk.replies.models import Reply, ReplyStatus, now

log = logging.getLogger(__name__)
MAX_BATCH = 100
Deliver = Callable[[Reply], Awaitable[None]]
Delivered = Callable[[list[Reply]], Awaitable[None]]
_delivered: list[Reply] = []


async def save_ending(reply: Reply, deliver: Deliver) -> None:
    """The guarded update and the transcript; tried until the database is back."""
    pause = 0.2
    while True:
        try:
            if await _end_in_database(reply):
                await _deliver_once(reply, deliver)
            return
        except pymongo.errors.PyMongoError as error:
            log.warning("reply %s is not saved yet: %s", reply.id, type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


async def recover_replies(owner: str, deliver: Deliver) -> None:
    """End what a dead process was writing as `interrupted`, with its text, and deliver what is in no transcript yet."""
    async for found in Reply.find({"is_joined": False, "owner": owner}):
        reply: Reply | None = found
        if found.status is ReplyStatus.streaming:
            found.content, found.status, found.ended_at, found.parts = found.text, ReplyStatus.interrupted, now(), []
            if not await _end_in_database(found):
                reply = await Reply.get(found.id)  # another process recovers it just now
        if reply:
            await _deliver_once(reply, deliver)


async def finish_delivered(delivered: Delivered) -> None:
    """Call `delivered` with what joined its transcript since the last time, then mark it as finished."""
    while batch := _delivered[:MAX_BATCH]:
        await delivered(batch)
        replies, by_id = at_once(Reply), {reply.id: reply for reply in batch}
        async for row in replies.find({"_id": {"$in": list(by_id)}, "status": ReplyStatus.streaming.value}, {"_id": 1}):
            await _end_in_database(by_id[row["_id"]])  # an election took its ending away
        await replies.update_many({"_id": {"$in": list(by_id)}}, {"$set": {"is_joined": True}})
        del _delivered[: len(batch)]


def recheck_delivery(reply: Reply) -> None:
    """Let `finish_delivered` look once more whether a reply that is over is saved as such."""
    if reply not in _delivered:
        _delivered.append(reply)


async def _end_in_database(reply: Reply) -> bool:
    """Whether this call (or an earlier try of it) ended the reply; False: another process did.

    A reply that a killed database lost with its last tenth of a second is saved again whole.
    """
    ending = reply.model_dump(include={"model", "content", "usage", "citations", "error", "ended_at"})
    ending["status"] = reply.status.value
    replies = at_once(Reply)
    change = {"$set": ending, "$unset": {"parts": 1, "is_stop_requested": 1}}
    if (await replies.update_one({"_id": reply.id, "status": ReplyStatus.streaming.value}, change)).matched_count:
        return True
    saved = await replies.find_one({"_id": reply.id}, {"ended_at": 1})
    if saved is None:
        await replies.insert_one(reply.as_document())
        return True
    return bool(saved["ended_at"] == reply.ended_at)


async def _deliver_once(reply: Reply, deliver: Deliver) -> None:
    await deliver(reply)
    _delivered.append(reply)
