"""The agent: the tutor taking part in a room. It writes one answer a room at a time; further questions wait in order.

A message that asks the tutor is its own place in the queue: it waits until it has a `reply_id`. One transaction claims
the next question and saves the `Reply` and its record, so exactly one process answers it. When a reply ends for any
reason, `deliver_reply` posts the answer and takes the next question. The tutor's messages are never questions, so it
answers neither itself nor another agent.
"""

import asyncio
import logging
from typing import Self

import pymongo
import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.background import Background
from tutordesk.ground.clock import now
from tutordesk.ground.database import Row, Session
from tutordesk.ground.errors import NotFound, is_database_away
from tutordesk.replies.models import Reply
from tutordesk.replies.replies import Replies
from tutordesk.rooms.agent.prompts import reply_to
from tutordesk.rooms.events import ReplyEnded, ReplyStarted
from tutordesk.rooms.models import AGENT_NAME, Room, RoomMessage, RoomRecord, message_out
from tutordesk.rooms.relay.relay import Relay
from tutordesk.rooms.timeline import Timeline, document_of
from tutordesk.tutor.models import Prompt

log = logging.getLogger(__name__)
CHECK_SECONDS, CLAIM_SECONDS = 10.0, 0.5
WAITING = {"asks_tutor": True, "reply_id": None, "deleted_at": None}


class Agent:
    """Use as `async with Agent(…)`. It answers questions, including those that a dead process left waiting."""

    def __init__(self, timeline: Timeline, relay: Relay, replies: Replies) -> None:
        self._timeline, self._relay, self._replies = timeline, relay, replies
        self._is_closed = True
        self._background = Background()

    async def answer_next(self, room_id: PydanticObjectId) -> None:
        """Claim and answer the oldest waiting question, unless an answer runs or another process claims it first."""
        while not self._is_closed:
            room = await Room.get(room_id)
            question = await RoomMessage.find_one({"room_id": room_id, **WAITING}, sort=[("seq", pymongo.ASCENDING)])
            if not room or room.is_deleted or room.reply_id or not question:
                return
            reply, prompt = await reply_to(room, question, self._replies.model, self._replies.owner)
            try:
                record = await self._claim(reply, question)
            except NotFound:
                continue  # another process claimed it, or its author deleted it
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
        """Repeat a claim that MongoDB did not confirm: if it was committed, only this process can answer it."""
        while not self._is_closed:
            await asyncio.sleep(CLAIM_SECONDS)
            try:
                record = await self._claim_or_read(reply, question)
            except pymongo.errors.PyMongoError as error:
                if not is_database_away(error):
                    raise
                continue
            if record:
                await self._start(reply, prompt, record)
            return

    async def _claim_or_read(self, reply: Reply, question: RoomMessage) -> RoomRecord | None:
        """Return the record of this claim, made now or before. Returns None if another process was first."""
        try:
            return await self._claim(reply, question)
        except NotFound:
            return await RoomRecord.find_one({"room_id": question.room_id, "reply_id": reply.id})

    async def deliver_reply(self, reply: Reply) -> None:
        """Post the answer, then take the next question. Idempotent."""
        assert reply.room_id, "the reply belongs to a room"
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
            thinking=reply.thinking or None,
        )

        async def write(session: Session, room: Row) -> RoomRecord:
            answer.seq = room["seq"]
            await RoomMessage.get_motor_collection().insert_one(document_of(answer), session=session)
            return RoomRecord(
                room_id=answer.room_id, seq=answer.seq, type="reply_ended", reply_id=reply.id, message_id=answer.id
            )

        change = {"reply_id": None, "active_at": now()}
        try:
            record = await self._timeline.commit(reply.room_id, write, guard={"reply_id": reply.id}, change=change)
        except NotFound:  # an earlier call posted it, or the room was deleted
            self.answer_soon(reply.room_id)
            return
        ended = ReplyEnded(seq=record.seq, reply_id=PydanticObjectId(reply.id), message=message_out(answer))
        await self._relay.announce(reply.room_id, ended)
        self.answer_soon(reply.room_id)

    async def __aenter__(self) -> Self:
        self._is_closed = False
        self._background.every(CHECK_SECONDS, self._answer_waiting, "waiting questions", at_once=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        await self._background.finish()
        await self._background.close()

    async def _answer_waiting(self) -> None:
        """Answer the questions that wait in rooms where no process answers, because theirs died."""
        for room_id in await RoomMessage.get_motor_collection().distinct("room_id", WAITING):
            self.answer_soon(room_id)

    def answer_soon(self, room_id: PydanticObjectId) -> None:
        """Start a task that answers the room's next question."""
        self._background.start(self._answer_safely(room_id), f"next question of {room_id}")

    async def _answer_safely(self, room_id: PydanticObjectId) -> None:
        try:
            await self.answer_next(room_id)
        except pymongo.errors.PyMongoError as error:
            log.warning("cannot answer in room %s, retrying: %s", room_id, type(error).__name__)

    async def _claim(self, reply: Reply, question: RoomMessage) -> RoomRecord:
        async def write(session: Session, room: Row) -> RoomRecord:
            waiting, claim = {"_id": question.id, **WAITING}, {"$set": {"reply_id": reply.id}}
            result = await RoomMessage.get_motor_collection().update_one(waiting, claim, session=session)
            if not result.modified_count:
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
