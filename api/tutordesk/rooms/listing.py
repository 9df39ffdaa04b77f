"""The list of rooms as one reader sees it: which are theirs, what is unread there, and where they were mentioned.

Unread is computed from `seq` and never counted up: others' messages after what the reader saw.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pymongo
from beanie import PydanticObjectId

from tutordesk.ground.text import plain_text, shorten
from tutordesk.identity.models import User
from tutordesk.replies.models import Reply
from tutordesk.rooms.members import is_admin
from tutordesk.rooms.models import MemberOut, Room, RoomMember, RoomMessage, RoomOut, RoomRow, RunningAnswer, member_out

MAX_COUNTED = 100
LAST_CHARACTERS = 140
MAX_MEMBERS = 1_000


async def list_rooms(user_id: PydanticObjectId, wanted: dict[str, Any], limit: int) -> list[RoomRow]:
    """Rooms that `wanted` selects, the most lately active first."""
    order = [("active_at", pymongo.DESCENDING), ("_id", pymongo.DESCENDING)]
    found = Room.get_motor_collection().find({"is_deleted": False, **wanted}).sort(order)
    rooms = [Room.model_validate(row) for row in await found.to_list(limit)]
    return await _rows(rooms, user_id)


async def read_room(room: Room, user_id: PydanticObjectId, user: User | None) -> RoomOut:
    """The room as of its `seq`, which the caller read before: what is newer than that comes over the socket."""
    row = (await _rows([room], user_id))[0]
    own = await RoomMember.find_one({"room_id": room.id, "user_id": user_id, "is_removed": False})
    is_theirs = bool(user and is_admin(user, room))
    return RoomOut(
        **row.model_dump(),
        members=await _members(room, is_removed=False) if own else [],
        removed=await _members(room, is_removed=True) if is_theirs else [],
        running_reply=await _running(room) if own else None,
        is_silenced=bool(own and own.is_silenced),
        is_admin=is_theirs,
    )


async def _members(room: Room, is_removed: bool) -> list[MemberOut]:
    found = RoomMember.find({"room_id": room.id, "is_removed": is_removed}).sort("joined_at").limit(MAX_MEMBERS)
    return [member_out(member) for member in await found.to_list()]


async def _running(room: Room) -> RunningAnswer | None:
    reply = await Reply.get(room.reply_id) if room.reply_id else None
    if not reply:
        return None
    return RunningAnswer(id=PydanticObjectId(reply.id), asked_by=reply.author_id, message_id=reply.question.id)


async def _rows(rooms: Sequence[Room], user_id: PydanticObjectId) -> list[RoomRow]:
    ids = [room.id for room in rooms]
    members = RoomMember.get_motor_collection()
    pipeline: list[dict[str, Any]] = [
        {"$match": {"room_id": {"$in": ids}, "is_removed": False}},
        {"$group": {"_id": "$room_id", "count": {"$sum": 1}}},
    ]
    grouped, owned = await asyncio.gather(
        members.aggregate(pipeline).to_list(None),
        RoomMember.find({"user_id": user_id, "room_id": {"$in": ids}}).to_list(),
    )
    counts = {row["_id"]: row["count"] for row in grouped}
    own = {member.room_id: member for member in owned}
    return await asyncio.gather(
        *(_row(room, counts.get(room.id, 0), own.get(PydanticObjectId(room.id))) for room in rooms)
    )


async def _row(room: Room, member_count: int, own: RoomMember | None) -> RoomRow:
    is_member = own is not None and not own.is_removed
    unread = mentions = 0
    last = None
    if own and is_member:
        unread, mentions, last = await _news(room, own)
    return RoomRow(
        **room.model_dump(include=set(RoomRow.model_fields)),
        member_count=member_count,
        is_member=is_member,
        is_muted=bool(own and own.is_muted),
        is_removed=bool(own and own.is_removed),
        read_seq=own.read_seq if own else 0,
        unread=unread,
        mentions=mentions,
        last_message=last,
    )


async def _news(room: Room, own: RoomMember) -> tuple[int, int, str | None]:
    """Unread messages, unread mentions, and the newest message in short."""
    messages = RoomMessage.get_motor_collection()
    new: dict[str, Any] = {"room_id": room.id, "seq": {"$gt": own.read_seq}, "user_id": {"$ne": own.user_id}}
    newest = [("seq", pymongo.DESCENDING)]
    last = await messages.find_one({"room_id": room.id}, {"name": 1, "content": 1}, sort=newest)
    unread = mentions = 0
    if room.seq > own.read_seq:
        unread, mentions = await asyncio.gather(
            messages.count_documents({**new, "deleted_at": None}, limit=MAX_COUNTED),
            messages.count_documents({**new, "mentions": own.user_id}, limit=MAX_COUNTED),
        )
    text = shorten(plain_text(last["content"], 400), LAST_CHARACTERS) if last and last["content"] else ""
    return unread, mentions, f"{last['name']}: {text}" if last and text else None
