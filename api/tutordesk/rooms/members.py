"""The members of a room: join and leave it, remove, readmit and silence members.

Admins of a room are its creator and the admins of the helpdesk.
"""

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.database import Row, Session, at_once
from tutordesk.ground.errors import Forbidden, NotFound
from tutordesk.identity.models import User
from tutordesk.rooms.models import MemberChange, RecordType, Room, RoomMember, RoomRecord, member_out
from tutordesk.rooms.timeline import NO_ROOM, Timeline, document_of

REMOVED = "An admin removed you from this room, so you cannot join it. Ask an admin to readmit you."
NOT_A_MEMBER = "You are not in this room. Join it first."


async def access_room(room_id: PydanticObjectId) -> Room:
    """Return the room. Raises NotFound, also for a deleted room."""
    room = await Room.get(room_id)
    if not room or room.is_deleted:
        raise NotFound(NO_ROOM)
    return room


async def access_member(room_id: PydanticObjectId, user_id: PydanticObjectId) -> RoomMember:
    """Return the user's membership. Raises NotFound for others, also for removed members."""
    member = await RoomMember.find_one({"room_id": room_id, "user_id": user_id, "is_removed": False})
    if not member:
        raise NotFound(NOT_A_MEMBER)
    return member


def is_admin(user: User, room: Room) -> bool:
    """Return whether the user is an admin of the room."""
    return user.role == "admin" or room.created_by == user.id


async def join_room(timeline: Timeline, room: Room, user: User) -> RoomRecord | None:
    """Add the user to the room. Returns None if already a member. Raises Forbidden if an admin removed them."""
    member = RoomMember(
        id=PydanticObjectId(),
        room_id=PydanticObjectId(room.id),
        user_id=PydanticObjectId(user.id),
        name=user.name or "",
        role="admin" if is_admin(user, room) else "member",
    )

    async def write(session: Session, row: Row) -> RoomRecord:
        member.read_seq = row["seq"]
        await RoomMember.get_motor_collection().insert_one(document_of(member), session=session)
        return record_of("member_joined", member, row["seq"])

    try:
        return await timeline.commit(member.room_id, write)
    except pymongo.errors.DuplicateKeyError:
        existing = await RoomMember.find_one({"room_id": room.id, "user_id": user.id})
        if existing and existing.is_removed:
            raise Forbidden(REMOVED) from None
        return None


async def leave_room(timeline: Timeline, member: RoomMember) -> RoomRecord:
    """Delete the membership. Raises NotFound if it no longer exists."""

    async def write(session: Session, row: Row) -> RoomRecord:
        members = RoomMember.get_motor_collection()
        result = await members.delete_one({"_id": member.id, "is_removed": False}, session=session)
        if not result.deleted_count:
            raise NotFound(NOT_A_MEMBER)
        return record_of("member_left", member, row["seq"])

    return await timeline.commit(member.room_id, write)


async def remove_member(timeline: Timeline, member: RoomMember) -> RoomRecord:
    """Remove a member. Keeps a marked membership, so that the person cannot join again. Raises NotFound."""
    return await _change(timeline, member, {"is_removed": True}, "member_left")


async def readmit(room_id: PydanticObjectId, user_id: PydanticObjectId) -> None:
    """Let a removed person join again."""
    await RoomMember.get_motor_collection().delete_one({"room_id": room_id, "user_id": user_id, "is_removed": True})


async def change_member(timeline: Timeline, member: RoomMember, change: MemberChange) -> RoomRecord | None:
    """Mute the room for a member, or silence the member. Returns None if no other member sees it. Raises NotFound."""
    if change.is_muted is not None:
        mute = {"$set": {"is_muted": change.is_muted}}
        await RoomMember.get_motor_collection().update_one({"_id": member.id}, mute)
    if change.is_silenced is None or change.is_silenced == member.is_silenced:
        return None
    return await _change(timeline, member, {"is_silenced": change.is_silenced}, "member_changed")


async def refresh_member(timeline: Timeline, member: RoomMember, user: User, room: Room) -> RoomRecord | None:
    """Copy the user's current name and role to the membership. Returns None if they are the same. Raises NotFound."""
    role = "admin" if is_admin(user, room) else "member"
    if (member.name, member.role) == (user.name, role):
        return None
    return await _change(timeline, member, {"name": user.name, "role": role}, "member_changed")


async def mark_read(room_id: PydanticObjectId, user_id: PydanticObjectId, seq: int) -> None:
    """Mark everything up to `seq` as read. The mark never goes back, nor past the newest record. Raises NotFound."""
    room = await access_room(room_id)
    membership = {"room_id": room_id, "user_id": user_id}
    await at_once(RoomMember).update_one(membership, {"$max": {"read_seq": min(seq, room.seq)}})


async def _change(timeline: Timeline, member: RoomMember, change: dict[str, object], type: RecordType) -> RoomRecord:
    async def write(session: Session, row: Row) -> RoomRecord:
        present = {"_id": member.id, "is_removed": False}
        result = await RoomMember.get_motor_collection().update_one(present, {"$set": change}, session=session)
        if not result.matched_count:
            raise NotFound(NOT_A_MEMBER)
        return record_of(type, member.model_copy(update=change), row["seq"])

    return await timeline.commit(member.room_id, write)


def record_of(type: RecordType, member: RoomMember, seq: int) -> RoomRecord:
    """Return the record of a member's change."""
    return RoomRecord(room_id=member.room_id, seq=seq, type=type, member=member_out(member).model_dump())
