"""The agent: the tutor taking part in a room. One answer a room at a time; further questions wait in their order.

A message that asks the tutor is its own place in the queue: it waits until it has a `reply_id`. The claim of the next
one, the `Reply` and the record that tells of it are one transaction, so of several processes one answers, once. When a
reply ends, however it ends and whoever ends it, `join_reply` posts the answer and the next question is taken. What the
tutor says is never a question, so that it answers neither itself nor another agent.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import pymongo
import pymongo.errors
from beanie import PydanticObjectId

from api.errors import NotFound
from api.replies.endings import Join
from api.replies.models import Message, Reply, now
from api.replies.runs import start_reply
from api.rooms.events import ReplyEnded, ReplyStarted
from api.rooms.messages import ASKS_TUTOR
from api.rooms.models import AGENT_NAME, Room, RoomMessage, RoomRecord, message_out
from api.rooms.relay import Relay
from api.rooms.timeline import commit, document_of
from api.rooms.transactions import Session
from api.tickets.models import access_ticket, as_source
from api.tickets.search import find_sources
from api.tutor.models import Prompt, Source, Turn
from api.tutor.prompt import tutor_prompt
from api.tutor.voice import Tutor

log = logging.getLogger(__name__)
CONTEXT_MESSAGES = 60
LOOK_SECONDS = 10.0
WAITS = {"asks_tutor": True, "reply_id": None, "deleted_at": None}


class Agent:
    """`join` ends a reply for good, whatever it belongs to. Questions are taken while `taking_questions` is open."""

    def __init__(self, relay: Relay, tutor: Tutor, owner: str, join: Join) -> None:
        self._relay, self._tutor, self._owner, self._join = relay, tutor, owner, join
        self._is_closed = True
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer_next(self, room_id: PydanticObjectId) -> None:
        """Take the oldest waiting question, if no answer runs; of those that ask at once one gets it."""
        while not self._is_closed:
            room = await Room.get(room_id)
            question = await RoomMessage.find_one({"room_id": room_id, **WAITS}, sort=[("seq", pymongo.ASCENDING)])
            if not room or room.is_deleted or room.reply_id or not question:
                return
            reply, prompt = await self._prepare(room, question)
            try:
                record = await self._claim(reply, question)
            except NotFound:
                continue  # somebody else took it, or it was deleted
            await self._relay.announce(room_id, _started(record))
            await start_reply(reply, prompt, self._tutor, self._join, _nothing())
            return

    async def join_reply(self, reply: Reply) -> None:
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
            record = await commit(reply.room_id, write, guard={"reply_id": reply.id}, change=done)
        except NotFound:
            return  # it was posted before, or the room is gone
        ended = ReplyEnded(seq=record.seq, reply_id=PydanticObjectId(reply.id), message=message_out(answer))
        await self._relay.announce(reply.room_id, ended)
        self._in_background(reply.room_id)

    @asynccontextmanager
    async def taking_questions(self) -> AsyncIterator[None]:
        """At the start and now and then: questions that wait in rooms where nobody answers, because a process died."""
        self._is_closed = False
        looking = asyncio.create_task(self._look(), name="waiting questions")
        try:
            yield
        finally:
            self._is_closed = True
            looking.cancel()
            await asyncio.gather(looking, *self._tasks, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            try:
                for room_id in await RoomMessage.get_motor_collection().distinct("room_id", WAITS):
                    self._in_background(room_id)
            except pymongo.errors.PyMongoError as error:
                log.warning("waiting questions were not looked for: %s", type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    def _in_background(self, room_id: PydanticObjectId) -> None:
        task = asyncio.create_task(self._answer_safely(room_id), name=f"next question of {room_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_safely(self, room_id: PydanticObjectId) -> None:
        try:
            await self.answer_next(room_id)
        except pymongo.errors.PyMongoError as error:
            log.warning("the questions of room %s wait for the database: %s", room_id, type(error).__name__)

    async def _prepare(self, room: Room, question: RoomMessage) -> tuple[Reply, Prompt]:
        asked = ASKS_TUTOR.sub("", question.content).strip() or question.content
        sources = await _sources(room, asked)
        history = await _turns_before(question)
        prompt = tutor_prompt(history, f"{question.name}: {asked}", sources, room.ticket_id is not None, in_room=True)
        assert question.user_id, "people ask"
        reply = Reply(
            id=PydanticObjectId(),
            author_id=question.user_id,
            session_id=question.room_id,
            room_id=question.room_id,
            room_owner=room.created_by,
            ticket_id=room.ticket_id,
            ticket_ids=[PydanticObjectId(source.id) for source in sources],
            left_out_messages=prompt.left_out,
            question=Message(id=PydanticObjectId(question.id), role="user", content=asked),
            model=self._tutor.model,
            owner=self._owner,
        )
        return reply, prompt

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

        return await commit(question.room_id, write, guard={"reply_id": None}, change={"reply_id": reply.id})


async def _nothing() -> None:
    """The question of a room is in its place already."""


def _started(record: RoomRecord) -> ReplyStarted:
    return ReplyStarted.model_validate(record.model_dump(include={"seq", "reply_id", "asked_by", "message_id"}))


async def _sources(room: Room, asked: str) -> list[Source]:
    if not room.ticket_id:
        return await find_sources(asked)
    try:
        return [as_source(await access_ticket(room.ticket_id))]
    except NotFound:
        return []


async def _turns_before(question: RoomMessage) -> Sequence[Turn]:
    """What was said before, oldest first: people's messages in a row are one turn, each with its author's name."""
    before = {"room_id": question.room_id, "seq": {"$lt": question.seq}, "deleted_at": None}
    found = RoomMessage.get_motor_collection().find(before, {"name": 1, "content": 1, "is_agent": 1})
    turns: list[Turn] = []
    for row in reversed(await found.sort("seq", pymongo.DESCENDING).to_list(CONTEXT_MESSAGES)):
        if not row["content"]:
            continue
        text = row["content"] if row["is_agent"] else f"{row['name']}: {row['content']}"
        role: Literal["assistant", "user"] = "assistant" if row["is_agent"] else "user"
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, f"{turns[-1].content}\n\n{text}")
        else:
            turns.append(Turn(role, text))
    return turns
