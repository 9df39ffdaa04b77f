"""Who is in a room: joining, leaving, and what admins may do to a member.

Admins of a room are the admins of the helpdesk and whoever made the room.
"""

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.database import at_once
from tutordesk.ground.errors import Forbidden, NotFound
from tutordesk.identity.models import User
from tutordesk.rooms.models import MemberChange, RecordType, Room, RoomMember, RoomRecord, member_out
from tutordesk.rooms.timeline import MISSING, Timeline, document_of
from tutordesk.rooms.transactions import Session

REMOVED = "An admin removed you from this room, so you cannot join it again."
NOT_IN = "You are not in this room. Join it first."


async def access_room(room_id: PydanticObjectId) -> Room:
    """Raises NotFound, also for one that was deleted."""
    room = await Room.get(room_id)
    if not room or room.is_deleted:
        raise NotFound(MISSING)
    return room


async def access_member(room_id: PydanticObjectId, user_id: PydanticObjectId) -> RoomMember:
    """The membership of who is in the room now. Raises NotFound."""
    member = await RoomMember.find_one({"room_id": room_id, "user_id": user_id, "is_removed": False})
    if not member:
        raise NotFound(NOT_IN)
    return member


def is_admin(user: User, room: Room) -> bool:
    return user.role == "admin" or room.created_by == user.id


async def join_room(timeline: Timeline, room: Room, user: User) -> RoomRecord | None:
    """Make the user a member; None: they were one already. Raises Forbidden for who was put out."""
    member = RoomMember(
        id=PydanticObjectId(),
        room_id=PydanticObjectId(room.id),
        user_id=PydanticObjectId(user.id),
        name=user.name or "",
        role="admin" if is_admin(user, room) else "member",
    )

    async def write(session: Session, found: dict[str, int]) -> RoomRecord:
        member.read_seq = found["seq"]
        await RoomMember.get_motor_collection().insert_one(document_of(member), session=session)
        return record_of("member_joined", member, found["seq"])

    try:
        return await timeline.commit(member.room_id, write)
    except pymongo.errors.DuplicateKeyError:
        known = await RoomMember.find_one({"room_id": room.id, "user_id": user.id})
        if known and known.is_removed:
            raise Forbidden(REMOVED) from None
        return None


async def leave_room(timeline: Timeline, member: RoomMember) -> RoomRecord:
    """Raises NotFound when they left meanwhile."""

    async def write(session: Session, found: dict[str, int]) -> RoomRecord:
        members = RoomMember.get_motor_collection()
        gone = await members.delete_one({"_id": member.id, "is_removed": False}, session=session)
        if not gone.deleted_count:
            raise NotFound(NOT_IN)
        return record_of("member_left", member, found["seq"])

    return await timeline.commit(member.room_id, write)


async def remove_member(timeline: Timeline, member: RoomMember) -> RoomRecord:
    """Put somebody out; the mark stays, so that they cannot come back by themselves."""
    return await _change(timeline, member, {"is_removed": True}, "member_left")


async def let_in_again(room_id: PydanticObjectId, user_id: PydanticObjectId) -> None:
    await RoomMember.get_motor_collection().delete_one({"room_id": room_id, "user_id": user_id, "is_removed": True})


async def change_member(timeline: Timeline, member: RoomMember, change: MemberChange) -> RoomRecord | None:
    """Mute for oneself, which nobody else hears of; or silence, which everybody does."""
    if change.is_muted is not None:
        muted = {"$set": {"is_muted": change.is_muted}}
        await RoomMember.get_motor_collection().update_one({"_id": member.id}, muted)
    if change.is_silenced is None or change.is_silenced == member.is_silenced:
        return None
    return await _change(timeline, member, {"is_silenced": change.is_silenced}, "member_changed")


async def bring_up_to_date(timeline: Timeline, member: RoomMember, user: User, room: Room) -> RoomRecord | None:
    """Tell the room of a new name or role that its member has by now."""
    role = "admin" if is_admin(user, room) else "member"
    if (member.name, member.role) == (user.name, role):
        return None
    return await _change(timeline, member, {"name": user.name, "role": role}, "member_changed")


async def mark_read(room_id: PydanticObjectId, user_id: PydanticObjectId, seq: int) -> None:
    """What was seen only grows, and not past what there is."""
    room = await access_room(room_id)
    own = {"room_id": room_id, "user_id": user_id}
    await at_once(RoomMember).update_one(own, {"$max": {"read_seq": min(seq, room.seq)}})


async def _change(timeline: Timeline, member: RoomMember, change: dict[str, object], type: RecordType) -> RoomRecord:
    async def write(session: Session, found: dict[str, int]) -> RoomRecord:
        there = {"_id": member.id, "is_removed": False}
        done = await RoomMember.get_motor_collection().update_one(there, {"$set": change}, session=session)
        if not done.matched_count:
            raise NotFound(NOT_IN)
        return record_of(type, member.model_copy(update=change), found["seq"])

    return await timeline.commit(member.room_id, write)


def record_of(type: RecordType, member: RoomMember, seq: int) -> RoomRecord:
    shown = member_out(member).model_dump()
    return RoomRecord(room_id=member.room_id, seq=seq, type=type, member=shown)
