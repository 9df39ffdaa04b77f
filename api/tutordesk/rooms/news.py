"""Tells members' pages that something happened in one of their rooms, so that they read the list of rooms again.

The event `changed` has the room's id. It is a hint for whoever does not have the room open, on whichever process it
happened (ground/feed.py).
"""

from collections.abc import AsyncGenerator

from beanie import PydanticObjectId
from pydantic import BaseModel

from tutordesk.ground.database import Query, Row
from tutordesk.ground.feed import Feed, Follower
from tutordesk.ground.sse import frame
from tutordesk.rooms.models import Room, RoomMember, RoomRecord

CHANGES: list[Query] = [
    {
        "$match": {
            "$or": [
                {"ns.coll": RoomRecord.Settings.name, "operationType": "insert"},
                {"ns.coll": Room.Settings.name, "updateDescription.updatedFields.is_deleted": True},
            ]
        }
    },
    {
        "$project": {
            "ns": 1,
            "documentKey": 1,
            "fullDocument.room_id": 1,
            "fullDocument.type": 1,
            "fullDocument.member.user_id": 1,
        }
    },
]


class ChangedRoom(BaseModel):
    room_id: PydanticObjectId


class RoomsWire(BaseModel):
    """The data of each event of the list of rooms, by the event's name, for the client's types."""

    changed: ChangedRoom


class MemberFollower(Follower):
    def __init__(self, user_id: PydanticObjectId, rooms: set[PydanticObjectId]) -> None:
        super().__init__()
        self.user_id, self.rooms = user_id, rooms


class RoomNews(Feed[MemberFollower]):
    def __init__(self) -> None:
        super().__init__("room news", Room, CHANGES)

    async def follow(self, user_id: PydanticObjectId) -> AsyncGenerator[bytes]:
        """Return the frames of a member, from now on. Raises PyMongoError before the first frame."""
        follower = MemberFollower(user_id, set())
        frames = await self.open(follower)
        memberships = {"user_id": user_id, "is_removed": False}
        follower.rooms |= set(await RoomMember.get_motor_collection().distinct("room_id", memberships))
        return frames

    async def publish(self, change: Row) -> None:
        record = change.get("fullDocument") or {"room_id": change["documentKey"]["_id"], "type": "room_deleted"}
        room_id, type = record["room_id"], record["type"]
        user_id = record.get("member", {}).get("user_id")
        event = frame("changed", ChangedRoom(room_id=room_id))
        for follower in list(self.followers):
            if type == "member_joined" and follower.user_id == user_id:
                follower.rooms.add(room_id)
            if room_id in follower.rooms:
                self.send(follower, event)
            if type == "member_left" and follower.user_id == user_id:
                follower.rooms.discard(room_id)
