"""Saves replies again after an election of a new primary, which may have lost them.

Running replies are saved without waiting for a majority of MongoDB's members, so a new primary may lack them. A
primary that does not answer leaves open whether it saved a new reply. This process holds its replies in memory until
a minute after their end, so it can save them again.
"""

import time
from collections.abc import Mapping

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.database import at_once
from tutordesk.ground.errors import is_database_away
from tutordesk.replies.endings import Endings
from tutordesk.replies.models import Reply, ReplyStatus
from tutordesk.replies.run import Run

UNSURE_SECONDS = 60.0


class Elections:
    """Watches for elections. `running` holds the runs of this process, by the id of their reply."""

    def __init__(self, running: Mapping[PydanticObjectId, Run], endings: Endings) -> None:
        self._running, self._endings = running, endings
        self._unsure: dict[PydanticObjectId, float] = {}
        self.election: object = None  # the id of the last one that this process noticed

    async def save_new(self, reply: Reply) -> None:
        """Insert a reply before its run starts. Raises PyMongoError; the reply is then void, even if it was saved."""
        try:
            await at_once(Reply).insert_one(reply.as_document())
        except pymongo.errors.PyMongoError as error:
            if is_database_away(error):
                self._unsure[PydanticObjectId(reply.id)] = time.monotonic()
            raise

    async def forget_unsure(self) -> None:
        """Remove the void replies that were saved after all, also for a minute those that are saved late."""
        if not self._unsure:
            return
        deleted_at = time.monotonic()
        await Reply.get_motor_collection().delete_many({"_id": {"$in": list(self._unsure)}})
        for reply_id, since in list(self._unsure.items()):
            if deleted_at - since > UNSURE_SECONDS:
                del self._unsure[reply_id]

    async def check(self) -> None:
        """After an election, save the running replies again, and those that ended in the last minute.

        Never call it during a checkpoint, which writes the same parts.
        """
        hello = await Reply.get_motor_collection().database.client.admin.command("hello")
        if not hello.get("isWritablePrimary") or hello["electionId"] == self.election:
            return
        if self.election is not None:
            for run in list(self._running.values()):
                await self._save_again(run)
        self.election = hello["electionId"]

    async def _save_again(self, run: Run) -> None:
        """Save the whole text of a run, or check the delivery of one that is over. An ended reply stays unchanged."""
        if run.is_over:
            self._endings.recheck_delivery(run.reply)
        elif run.reply.status is ReplyStatus.streaming:
            replies = at_once(Reply)
            saved_at, size, parts = time.monotonic(), len(run.text), [{"at": 0, "text": run.text}]
            streaming = {"_id": run.reply.id, "status": ReplyStatus.streaming.value}
            try:
                if not (await replies.update_one(streaming, {"$set": {"parts": parts}})).matched_count:
                    await replies.insert_one(run.reply.as_document() | {"parts": parts})
            except pymongo.errors.DuplicateKeyError:
                return  # another process ended it between the two writes
            run.saved, run.saved_at = size, saved_at
