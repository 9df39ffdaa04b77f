"""Changes of a room's name and topic, which its members see like everything else that happens in it."""

from beanie import PydanticObjectId

from tutordesk.ground.database import Row, Session
from tutordesk.rooms.models import Room, RoomChange, RoomFace, RoomRecord
from tutordesk.rooms.timeline import Timeline


async def change_room(timeline: Timeline, room: Room, change: RoomChange) -> RoomRecord | None:
    """Change the name or the topic. Returns None if both stay the same. Raises NotFound."""
    room_id = PydanticObjectId(room.id)
    fields = {
        name: value for name, value in change.model_dump(exclude_none=True).items() if getattr(room, name) != value
    }
    if not fields:
        return None

    async def write(_: Session, row: Row) -> RoomRecord:
        face = RoomFace(id=room_id, name=row["name"], topic=row["topic"])
        return RoomRecord(room_id=room_id, seq=row["seq"], type="room_changed", room=face.model_dump())

    return await timeline.commit(room_id, write, change=fields)
