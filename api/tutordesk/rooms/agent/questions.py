"""Answers to questions in a room, for readers who follow them by server-sent events."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection

from beanie import PydanticObjectId

from tutordesk.ground.errors import NotFound
from tutordesk.ground.patience import Patience
from tutordesk.ground.sse import FIRST_BYTES, KEEP_ALIVE, KEEP_ALIVE_SECONDS, Reader
from tutordesk.identity.access import VisitorOfRequest
from tutordesk.replies.events import reply_frames
from tutordesk.replies.models import Reply
from tutordesk.replies.replies import Replies
from tutordesk.rooms.members import access_member
from tutordesk.rooms.models import RoomMember, RoomMessage

CHECK_SECONDS = 0.3
Membership = tuple[PydanticObjectId, PydanticObjectId]  # a room and a user


async def access_answer(replies: Replies, user_id: PydanticObjectId, reply_id: PydanticObjectId) -> Reply:
    """Return the reply if it is in a room of this user. Raises NotFound."""
    reply = await replies.find(reply_id)
    if not reply or not reply.room_id:
        raise NotFound
    await access_member(reply.room_id, user_id)
    return reply


def reader_in(room_id: PydanticObjectId, visitor: VisitorOfRequest) -> Reader:
    """Return the visitor as the reader of a stream that ends with the sign-in or the membership of the room."""
    return Reader(lambda: visitor.is_revoked, find_members, (room_id, visitor.id))


async def find_members(keys: Collection[Membership]) -> set[Membership]:
    """Return which of these pairs of a room and a user are members, by one query within three seconds."""
    users: defaultdict[PydanticObjectId, list[PydanticObjectId]] = defaultdict(list)
    for room_id, user_id in keys:
        users[room_id].append(user_id)
    rooms = [{"room_id": room_id, "user_id": {"$in": user_ids}} for room_id, user_ids in users.items()]
    with Patience().limit():
        rows = RoomMember.get_motor_collection().find({"$or": rooms, "is_removed": False}, {"room_id": 1, "user_id": 1})
        return {(row["room_id"], row["user_id"]) for row in await rows.to_list(None)}


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
