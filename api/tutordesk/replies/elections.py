"""What a failover may take away, and how it comes back: what no majority of MongoDB's members held yet.

Running answers are saved without waiting for other members, so a new primary may not have them, and a primary that
fell silent leaves open whether it took a new one. This process has all of it in memory for as long as it may matter.
"""

import time
from typing import Any

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.database import at_once
from tutordesk.ground.errors import is_database_away
from tutordesk.replies.endings import recheck_delivery
from tutordesk.replies.models import Reply, ReplyStatus
from tutordesk.replies.run import Run, running

UNSURE_SECONDS = 60.0
_unsure: dict[PydanticObjectId, float] = {}
_election: Any = None


async def save_new(reply: Reply) -> None:
    """Insert a reply before its run starts. When MongoDB does not answer it is not to be, whether it arrived or not."""
    try:
        await at_once(Reply).insert_one(reply.as_document())
    except pymongo.errors.PyMongoError as error:
        if is_database_away(error):
            _unsure[PydanticObjectId(reply.id)] = time.monotonic()
        raise


async def forget_unsure() -> None:
    """Remove what `save_new` was not sure of, and for a minute what arrives late."""
    if not _unsure:
        return
    asked_at = time.monotonic()
    await Reply.get_motor_collection().delete_many({"_id": {"$in": list(_unsure)}})
    for reply_id, since in list(_unsure.items()):
        if asked_at - since > UNSURE_SECONDS:
            del _unsure[reply_id]


async def look_for_election() -> None:
    """After an election, save again what runs and what ended in the last minute. Never beside `save_checkpoints`."""
    global _election
    hello = await Reply.get_motor_collection().database.client.admin.command("hello")
    if not hello.get("isWritablePrimary") or hello["electionId"] == _election:
        return
    if _election is not None:
        await _save_again(list(running.values()))
    _election = hello["electionId"]


async def _save_again(runs: list[Run]) -> None:
    """Twice does no harm: what is over by now stays so."""
    replies = at_once(Reply)
    for run in runs:
        if run.is_over:
            recheck_delivery(run.reply)
        elif run.reply.status is ReplyStatus.streaming:
            asked_at, size, parts = time.monotonic(), len(run.text), [{"at": 0, "text": run.text}]
            streaming = {"_id": run.reply.id, "status": ReplyStatus.streaming.value}
            try:
                if not (await replies.update_one(streaming, {"$set": {"parts": parts}})).matched_count:
                    await replies.insert_one(run.reply.as_document() | {"parts": parts})
            except pymongo.errors.DuplicateKeyError:
                continue  # it has ended meanwhile
            run.saved, run.saved_at = size, asked_at
