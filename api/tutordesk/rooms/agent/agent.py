"""The agent: the tutor taking part in a room. One answer a room at a time; further questions wait in their order.

A message that asks the tutor is its own place in the queue: it waits until it has a `reply_id`. The claim of the next
one, the `Reply` and the record that tells of it are one transaction, so of several processes one answers, once. When a
reply ends, however it ends, `deliver_reply` posts the answer and the next question is taken. What the
tutor says is never a question, so that it answers neither itself nor another agent.
"""

import asyncio
import logging
from typing import Self

import pymongo
import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.background import Background
from tutordesk.ground.clock import now
from tutordesk.ground.errors import NotFound, is_database_away
from tutordesk.replies.models import Reply
from tutordesk.replies.replies import Replies
from tutordesk.rooms.agent.prompts import reply_to
from tutordesk.rooms.events import ReplyEnded, ReplyStarted
from tutordesk.rooms.models import AGENT_NAME, Room, RoomMessage, RoomRecord, message_out
from tutordesk.rooms.relay.relay import Relay
from tutordesk.rooms.timeline import Timeline, document_of
from tutordesk.rooms.transactions import Session
from tutordesk.tutor.models import Prompt

log = logging.getLogger(__name__)
LOOK_SECONDS, CLAIM_SECONDS = 10.0, 0.5
WAITS = {"asks_tutor": True, "reply_id": None, "deleted_at": None}


class Agent:
    """Use as `async with Agent(…)`, which takes questions, also those that a dead process left."""

    def __init__(self, timeline: Timeline, relay: Relay, replies: Replies) -> None:
        self._timeline, self._relay, self._replies = timeline, relay, replies
        self._is_closed = True
        self._background = Background()

    async def answer_next(self, room_id: PydanticObjectId) -> None:
        """Take the oldest waiting question, if no answer runs; of those that ask at once one gets it."""
        while not self._is_closed:
            room = await Room.get(room_id)
            question = await RoomMessage.find_one({"room_id": room_id, **WAITS}, sort=[("seq", pymongo.ASCENDING)])
            if not room or room.is_deleted or room.reply_id or not question:
                return
            reply, prompt = await reply_to(room, question, self._replies.model, self._replies.owner)
            try:
                record = await self._claim(reply, question)
            except NotFound:
                continue  # somebody else took it, or it was deleted
            except pymongo.errors.PyMongoError as error:
                if not is_database_away(error):
                    raise
                self._background.start(self._claim_again(reply, prompt, question), f"claim of {reply.id}")
                return
            await self._start(reply, prompt, record)
            return

    async def _start(self, reply: Reply, prompt: Prompt, record: RoomRecord) -> None:
        await self._relay.announce(record.room_id, _started(record))
        await self._replies.start(reply, prompt)

    async def _claim_again(self, reply: Reply, prompt: Prompt, question: RoomMessage) -> None:
        """A claim may have been committed although MongoDB did not say so, and nobody else would answer it then."""
        while not self._is_closed:
            await asyncio.sleep(CLAIM_SECONDS)
            try:
                record = await self._claim_or_find(reply, question)
            except pymongo.errors.PyMongoError as error:
                if not is_database_away(error):
                    raise
                continue
            if record:
                await self._start(reply, prompt, record)
            return

    async def _claim_or_find(self, reply: Reply, question: RoomMessage) -> RoomRecord | None:
        """The record of this very claim; None: somebody else's was first."""
        try:
            return await self._claim(reply, question)
        except NotFound:
            return await RoomRecord.find_one({"room_id": question.room_id, "reply_id": reply.id})

    async def deliver_reply(self, reply: Reply) -> None:
        """Post the answer; idempotent. Then it is the next question's turn."""
        assert reply.room_id, "the reply is a room's"
        answer = RoomMessage(
            id=reply.id,
            room_id=reply.room_id,
            seq=0,
            user_id=None,
            is_agent=True,
            name=AGENT_NAME,
            content=reply.content,
            reply_id=reply.id,
            status=reply.status,
            error=reply.error.error if reply.error else None,
        )

        async def write(session: Session, room: dict[str, int]) -> RoomRecord:
            answer.seq = room["seq"]
            await RoomMessage.get_motor_collection().insert_one(document_of(answer), session=session)
            return RoomRecord(
                room_id=answer.room_id, seq=answer.seq, type="reply_ended", reply_id=reply.id, message_id=answer.id
            )

        done = {"reply_id": None, "active_at": now()}
        try:
            record = await self._timeline.commit(reply.room_id, write, guard={"reply_id": reply.id}, change=done)
        except NotFound:  # it was posted before, or the room is gone
            self.answer_soon(reply.room_id)
            return
        ended = ReplyEnded(seq=record.seq, reply_id=PydanticObjectId(reply.id), message=message_out(answer))
        await self._relay.announce(reply.room_id, ended)
        self.answer_soon(reply.room_id)

    async def __aenter__(self) -> Self:
        self._is_closed = False
        self._background.every(LOOK_SECONDS, self._look, "waiting questions", at_once=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        await self._background.finish()
        await self._background.close()

    async def _look(self) -> None:
        """Take up questions that wait in rooms where nobody answers, because a process died."""
        for room_id in await RoomMessage.get_motor_collection().distinct("room_id", WAITS):
            self.answer_soon(room_id)

    def answer_soon(self, room_id: PydanticObjectId) -> None:
        """See to the next question, in a task of its own."""
        self._background.start(self._answer_safely(room_id), f"next question of {room_id}")

    async def _answer_safely(self, room_id: PydanticObjectId) -> None:
        try:
            await self.answer_next(room_id)
        except pymongo.errors.PyMongoError as error:
            log.warning("the questions of room %s wait for the database: %s", room_id, type(error).__name__)

    async def _claim(self, reply: Reply, question: RoomMessage) -> RoomRecord:
        async def write(session: Session, room: dict[str, int]) -> RoomRecord:
            waiting, taken = {"_id": question.id, **WAITS}, {"$set": {"reply_id": reply.id}}
            done = await RoomMessage.get_motor_collection().update_one(waiting, taken, session=session)
            if not done.modified_count:
                raise NotFound
            await Reply.get_motor_collection().insert_one(reply.as_document(), session=session)
            return RoomRecord(
                room_id=question.room_id,
                seq=room["seq"],
                type="reply_started",
                reply_id=reply.id,
                asked_by=reply.author_id,
                message_id=question.id,
            )

        change = {"reply_id": reply.id}
        return await self._timeline.commit(question.room_id, write, guard={"reply_id": None}, change=change)


def _started(record: RoomRecord) -> ReplyStarted:
    return ReplyStarted.model_validate(record.model_dump(include={"seq", "reply_id", "asked_by", "message_id"}))
