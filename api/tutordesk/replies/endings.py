"""Ends replies: one update guarded by `status`, so exactly one caller succeeds. Then the reply is delivered.

The ending does not wait for the disk, because the transcript's write that follows does. `finish_delivered` does the
rest for many replies together, and marks them so that no recovery delivers them again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pymongo.errors

from tutordesk.ground.clock import now
from tutordesk.ground.database import at_once
from tutordesk.replies.models import Reply, ReplyStatus

log = logging.getLogger(__name__)
MAX_BATCH = 100
MAX_PAUSE_SECONDS = 5.0
ENDING = {"model", "content", "thinking", "finish_reason", "usage", "citations", "error", "ended_at"}
Deliver = Callable[[Reply], Awaitable[None]]
Delivered = Callable[[list[Reply]], Awaitable[None]]


class Endings:
    """`deliver` puts an ended reply into its chat or room. `on_delivered` receives those replies later, in batches."""

    def __init__(self, deliver: Deliver, on_delivered: Delivered) -> None:
        self._deliver, self._on_delivered = deliver, on_delivered
        self._delivered: list[Reply] = []

    async def save(self, reply: Reply) -> Reply:
        """End the reply in MongoDB and deliver it. Retries until the database answers again.

        Returns the reply as it is stored, which is another process's ending if that took this one for dead.
        """
        pause = 0.2
        while True:
            try:
                if not await _end_in_database(reply):
                    return await Reply.get(reply.id) or reply
                await self._deliver_once(reply)
                return reply
            except pymongo.errors.PyMongoError as error:
                log.warning("cannot save reply %s, retrying: %s", reply.id, type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(MAX_PAUSE_SECONDS, pause * 2)

    async def recover(self, owner: str) -> None:
        """End the running replies of a dead process as `interrupted`, and deliver all that no transcript holds yet."""
        async for reply in Reply.find({"is_joined": False, "owner": owner}):
            ended: Reply | None = reply
            if reply.status is ReplyStatus.streaming:
                reply.content, reply.parts = reply.text, []
                reply.status, reply.ended_at = ReplyStatus.interrupted, now()
                if not await _end_in_database(reply):
                    ended = await Reply.get(reply.id)  # another process recovers it right now
            if ended:
                await self._deliver_once(ended)

    async def finish_delivered(self) -> None:
        """Pass on the replies delivered since the last call, then mark them as finished."""
        while batch := self._delivered[:MAX_BATCH]:
            await self._on_delivered(batch)
            replies, by_id = at_once(Reply), {reply.id: reply for reply in batch}
            streaming = {"_id": {"$in": list(by_id)}, "status": ReplyStatus.streaming.value}
            async for row in replies.find(streaming, {"_id": 1}):
                await _end_in_database(by_id[row["_id"]])  # an election lost its ending
            await replies.update_many({"_id": {"$in": list(by_id)}}, {"$set": {"is_joined": True}})
            del self._delivered[: len(batch)]

    def recheck_delivery(self, reply: Reply) -> None:
        """Let `finish_delivered` check again that an ended reply is saved as ended."""
        if reply not in self._delivered:
            self._delivered.append(reply)

    def forget_delivered(self) -> None:
        """Leave the delivered replies to the process that recovers this one's."""
        self._delivered.clear()

    async def _deliver_once(self, reply: Reply) -> None:
        await self._deliver(reply)
        self._delivered.append(reply)


async def _end_in_database(reply: Reply) -> bool:
    """End the reply in MongoDB. Returns False if another process did so.

    A database that was killed may have lost the whole reply with its last tenth of a second. Then it is inserted again.
    """
    ending = reply.model_dump(include=ENDING)
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
