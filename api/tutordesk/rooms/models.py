"""What a room is: `Room`, its `RoomMember`s and `RoomMessage`s, and the `RoomRecord`s that order what happens there.

Whatever changes a room takes the room's next `seq` in one transaction (timeline.py) and leaves a record under it, so
the records of a room are numbered without a gap. A record holds no text: a message that was deleted is nowhere else.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.replies.models import ReplyStatus

SCHEMA_VERSION = 1
AGENT_NAME = "Tutor"
RoomName = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=80)]
Topic = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=300)]
RecordType = Literal[
    "message_posted",
    "message_edited",
    "message_deleted",
    "member_joined",
    "member_left",
    "member_changed",
    "reply_started",
    "reply_ended",
]


class Room(Document):
    """`seq`: the number of its newest record. `reply_id`: the tutor's answer that runs there just now."""

    schema_version: int = SCHEMA_VERSION
    name: str
    topic: str = ""
    ticket_id: PydanticObjectId | None = None
    created_by: PydanticObjectId
    created_at: datetime = Field(default_factory=now)
    active_at: datetime = Field(default_factory=now)
    seq: int = 0
    reply_id: PydanticObjectId | None = None
    is_deleted: bool = False

    class Settings:
        name = "rooms"
        indexes = [
            IndexModel([("is_deleted", 1), ("active_at", -1), ("_id", -1)], name="list"),
            IndexModel([("ticket_id", 1), ("is_deleted", 1), ("active_at", -1)], name="about"),
        ]


class RoomMember(Document):
    """Somebody in a room. `is_removed`: an admin put them out, and they may not join again.

    `is_muted` is the member's own wish for no badge from this room, `is_silenced` an admin's word: reads, but writes
    nothing. `read_seq`: everything up to it was seen; it only grows.
    """

    schema_version: int = SCHEMA_VERSION
    room_id: PydanticObjectId
    user_id: PydanticObjectId
    name: str
    role: Literal["member", "admin"] = "member"
    joined_at: datetime = Field(default_factory=now)
    is_muted: bool = False
    is_silenced: bool = False
    is_removed: bool = False
    read_seq: int = 0

    class Settings:
        name = "room_members"
        indexes = [
            IndexModel([("room_id", 1), ("user_id", 1)], name="member", unique=True),
            IndexModel([("user_id", 1)], name="rooms of"),
        ]


class RoomMessage(Document):
    """`seq` is the record that it was posted under. `user_id` is null when the tutor wrote it (`is_agent`).

    `asks_tutor`: it waits for an answer, or has one by `reply_id`. `status`, and `error` if it failed, are the tutor's.
    """

    schema_version: int = SCHEMA_VERSION
    room_id: PydanticObjectId
    seq: int
    user_id: PydanticObjectId | None
    is_agent: bool = False
    name: str
    content: str
    created_at: datetime = Field(default_factory=now)
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    client_message_id: str | None = None
    mentions: list[PydanticObjectId] = []
    asks_tutor: bool = False
    reply_id: PydanticObjectId | None = None
    status: ReplyStatus | None = None
    error: str | None = None

    class Settings:
        name = "room_messages"
        indexes = [
            IndexModel([("room_id", 1), ("seq", 1)], name="timeline", unique=True),
            IndexModel(
                [("room_id", 1), ("user_id", 1), ("client_message_id", 1)],
                name="once",
                unique=True,
                partialFilterExpression={"client_message_id": {"$type": "string"}},
            ),
            IndexModel([("room_id", 1), ("mentions", 1), ("seq", 1)], name="mentions"),
            IndexModel(
                [("asks_tutor", 1), ("reply_id", 1), ("room_id", 1), ("seq", 1)],
                name="waiting for the tutor",
                partialFilterExpression={"asks_tutor": True},
            ),
        ]


class RoomRecord(Document):
    """One thing that happened in a room. `member`: how the member was then; of a message only the id is kept."""

    schema_version: int = SCHEMA_VERSION
    room_id: PydanticObjectId
    seq: int
    type: RecordType
    at: datetime = Field(default_factory=now)
    message_id: PydanticObjectId | None = None
    reply_id: PydanticObjectId | None = None
    asked_by: PydanticObjectId | None = None
    member: dict[str, Any] | None = None

    class Settings:
        name = "room_records"
        indexes = [IndexModel([("room_id", 1), ("seq", 1)], name="order", unique=True)]


class MessageOut(BaseModel):
    """A message of a room. Of a deleted one only the place is left: no content, but `deleted_at`."""

    id: PydanticObjectId
    room_id: PydanticObjectId
    seq: int
    user_id: PydanticObjectId | None
    is_agent: bool
    name: str
    content: str
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    client_message_id: str | None
    mentions: list[PydanticObjectId]
    asks_tutor: bool
    reply_id: PydanticObjectId | None
    status: ReplyStatus | None
    error: str | None


class MemberOut(BaseModel):
    """A member as everybody in the room sees it. `role` is `admin` for admins and for whoever made the room."""

    user_id: PydanticObjectId
    name: str
    role: Literal["member", "admin"]
    joined_at: datetime
    is_silenced: bool


class RunningAnswer(BaseModel):
    id: PydanticObjectId
    asked_by: PydanticObjectId
    message_id: PydanticObjectId


class RoomRow(BaseModel):
    """A room in the list. `unread` and `mentions` count others' messages after what the reader saw, 100 at the most."""

    id: PydanticObjectId
    name: str
    topic: str
    ticket_id: PydanticObjectId | None
    created_by: PydanticObjectId
    created_at: datetime
    active_at: datetime
    seq: int
    member_count: int
    is_member: bool
    is_muted: bool
    is_removed: bool
    read_seq: int
    unread: int
    mentions: int
    last_message: str | None


class RoomOut(RoomRow):
    """A room with its members and the tutor's running answer, as of `seq`. Both are empty for who is no member.

    `removed`: whom admins put out, for admins of the room alone.
    """

    members: list[MemberOut]
    removed: list[MemberOut]
    running_reply: RunningAnswer | None
    is_silenced: bool
    is_admin: bool


class NewRoom(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: RoomName
    topic: Topic = ""
    ticket_id: Annotated[str, StringConstraints(strict=True, max_length=64)] | None = None


class RoomChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: RoomName | None = None
    topic: Topic | None = None


class MemberChange(BaseModel):
    """`is_muted` is one's own to set, the others an admin's. `is_removed: false` lets somebody in again."""

    model_config = ConfigDict(extra="forbid")
    is_muted: bool | None = Field(None, strict=True)
    is_silenced: bool | None = Field(None, strict=True)
    is_removed: Literal[False] | None = None


class RoomMessageChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    content: Annotated[str, StringConstraints(strict=True)]


def message_out(message: RoomMessage) -> MessageOut:
    return MessageOut.model_validate(message.model_dump(include=set(MessageOut.model_fields)))


def member_out(member: RoomMember) -> MemberOut:
    return MemberOut.model_validate(member.model_dump(include=set(MemberOut.model_fields)))
