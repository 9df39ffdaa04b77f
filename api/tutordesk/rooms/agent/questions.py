"""Answers to questions in a room, for readers who follow them by server-sent events."""

import asyncio
from collections.abc import AsyncGenerator

from beanie import PydanticObjectId

from tutordesk.ground.errors import NotFound
from tutordesk.ground.sse import FIRST_BYTES, KEEP_ALIVE, KEEP_ALIVE_SECONDS, MayRead
from tutordesk.identity.access import VisitorOfRequest
from tutordesk.replies.events import reply_frames
from tutordesk.replies.models import Reply
from tutordesk.replies.replies import Replies
from tutordesk.rooms.members import access_member
from tutordesk.rooms.models import RoomMember, RoomMessage

CHECK_SECONDS = 0.3


async def access_answer(replies: Replies, user_id: PydanticObjectId, reply_id: PydanticObjectId) -> Reply:
    """Return the reply if it is in a room of this user. Raises NotFound."""
    reply = await replies.find(reply_id)
    if not reply or not reply.room_id:
        raise NotFound
    await access_member(reply.room_id, user_id)
    return reply


def may_read_in(room_id: PydanticObjectId, visitor: VisitorOfRequest) -> MayRead:
    """Return a check that the visitor is still signed in and a member of the room."""

    async def may_read() -> bool:
        membership = {"room_id": room_id, "user_id": visitor.id, "is_removed": False}
        return await visitor.may_read() and bool(await RoomMember.find_one(membership))

    return may_read


async def answer_frames(replies: Replies, message_id: PydanticObjectId) -> AsyncGenerator[bytes]:
    """Yield the stream of the answer to a message, with comments while earlier questions are answered first.

    If the message is deleted, the stream ends without an answer.
    """
    yield FIRST_BYTES
    waited = 0.0
    while True:
        question = await RoomMessage.get(message_id)
        if not question or question.deleted_at:
            return
        if question.reply_id:
            break
        await asyncio.sleep(CHECK_SECONDS)
        waited += CHECK_SECONDS
        if waited >= KEEP_ALIVE_SECONDS:
            waited = 0.0
            yield KEEP_ALIVE
    reply = await Reply.get(question.reply_id)
    if reply:
        async for frame in reply_frames(replies, reply):
            yield frame
