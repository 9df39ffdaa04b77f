"""Rooms as one reader sees them: membership, unread messages, mentions.

The number of unread messages is computed, not stored: it counts others' messages after the `seq` that the reader has
seen. So no counter can drift.
"""

import asyncio
from collections.abc import Sequence

import pymongo
from beanie import PydanticObjectId

from tutordesk.ground.database import Query, Row
from tutordesk.ground.paging import after_cursor
from tutordesk.ground.text import plain_text, shorten
from tutordesk.identity.models import User
from tutordesk.replies.models import Reply
from tutordesk.rooms.members import is_admin
from tutordesk.rooms.models import MemberOut, Room, RoomMember, RoomMessage, RoomOut, RoomRow, RunningAnswer, member_out

MAX_COUNTED = 100
LAST_CHARACTERS = 140
MAX_MEMBERS = 1_000


async def list_rooms(
    user_id: PydanticObjectId, ticket_id: PydanticObjectId | None, cursor: str | None, limit: int
) -> list[RoomRow]:
    """Return the rooms after a cursor, of one ticket or of all, the most recently active first. Raises Invalid."""
    selector: Query = {"is_deleted": False, **after_cursor("active_at", cursor)}
    if ticket_id:
        selector["ticket_id"] = ticket_id
    order = [("active_at", pymongo.DESCENDING), ("_id", pymongo.DESCENDING)]
    rows = await Room.get_motor_collection().find(selector).sort(order).to_list(limit)
    return await _rows([Room.model_validate(row) for row in rows], user_id)


async def read_room(room: Room, user_id: PydanticObjectId, user: User | None) -> RoomOut:
    """Return the room for one reader.

    The caller must have read `room` before, since the reader's socket replays everything after its `seq`.
    """
    row = (await _rows([room], user_id))[0]
    membership = await RoomMember.find_one({"room_id": room.id, "user_id": user_id, "is_removed": False})
    may_manage = bool(user and is_admin(user, room))
    return RoomOut(
        **row.model_dump(),
        members=await _members(room, is_removed=False) if membership else [],
        removed=await _members(room, is_removed=True) if may_manage else [],
        running_reply=await _running_answer(room) if membership else None,
        is_silenced=bool(membership and membership.is_silenced),
        is_admin=may_manage,
    )


async def _members(room: Room, is_removed: bool) -> list[MemberOut]:
    members = RoomMember.find({"room_id": room.id, "is_removed": is_removed}).sort("joined_at").limit(MAX_MEMBERS)
    return [member_out(member) for member in await members.to_list()]


async def _running_answer(room: Room) -> RunningAnswer | None:
    reply = await Reply.get(room.reply_id) if room.reply_id else None
    if not reply:
        return None
    return RunningAnswer(id=PydanticObjectId(reply.id), asked_by=reply.author_id, message_id=reply.question.id)


async def _rows(rooms: Sequence[Room], user_id: PydanticObjectId) -> list[RoomRow]:
    ids = [room.id for room in rooms]
    members = RoomMember.get_motor_collection()
    pipeline: list[Row] = [
        {"$match": {"room_id": {"$in": ids}, "is_removed": False}},
        {"$group": {"_id": "$room_id", "count": {"$sum": 1}}},
    ]
    groups, memberships = await asyncio.gather(
        members.aggregate(pipeline).to_list(None),
        RoomMember.find({"user_id": user_id, "room_id": {"$in": ids}}).to_list(),
    )
    counts = {group["_id"]: group["count"] for group in groups}
    by_room = {membership.room_id: membership for membership in memberships}
    return await asyncio.gather(
        *(_row(room, counts.get(room.id, 0), by_room.get(PydanticObjectId(room.id))) for room in rooms)
    )


async def _row(room: Room, member_count: int, membership: RoomMember | None) -> RoomRow:
    is_member = membership is not None and not membership.is_removed
    unread = mentions = 0
    last = None
    if membership and is_member:
        unread, mentions, last = await _news(room, membership)
    return RoomRow(
        **room.model_dump(include=set(RoomRow.model_fields)),
        member_count=member_count,
        is_member=is_member,
        is_muted=bool(membership and membership.is_muted),
        is_removed=bool(membership and membership.is_removed),
        read_seq=membership.read_seq if membership else 0,
        unread=unread,
        mentions=mentions,
        last_message=last,
    )


async def _news(room: Room, membership: RoomMember) -> tuple[int, int, str | None]:
    """Return the numbers of unread messages and mentions, and the newest message in short."""
    messages = RoomMessage.get_motor_collection()
    newest_first = [("seq", pymongo.DESCENDING)]
    last = await messages.find_one({"room_id": room.id}, {"name": 1, "content": 1}, sort=newest_first)
    unread = mentions = 0
    if room.seq > membership.read_seq:
        user_id = membership.user_id
        selector: Query = {"room_id": room.id, "seq": {"$gt": membership.read_seq}, "user_id": {"$ne": user_id}}
        unread, mentions = await asyncio.gather(
            messages.count_documents({**selector, "deleted_at": None}, limit=MAX_COUNTED),
            messages.count_documents({**selector, "mentions": user_id}, limit=MAX_COUNTED),
        )
    text = shorten(plain_text(last["content"], 400), LAST_CHARACTERS) if last and last["content"] else ""
    return unread, mentions, f"{last['name']}: {text}" if last and text else None
