"""A room: `Room`, its `RoomMember`s and `RoomMessage`s, and the `RoomRecord`s of its changes.

Every change takes the room's next `seq` and adds a record with it in one transaction (timeline.py), so the records of
a room are numbered without a gap. Records hold no text, so a deleted message's text is deleted everywhere.
"""

from datetime import datetime
from typing import Annotated, Literal

from beanie import Document, PydanticObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.ground.database import Row
from tutordesk.ground.text import in_one_line
from tutordesk.replies.models import ReplyStatus

SCHEMA_VERSION = 1
AGENT_NAME = "Tutor"
RoomName = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, max_length=80), AfterValidator(in_one_line)
]
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
    "room_changed",
]


class Room(Document):
    """A room. `seq` is the number of its newest record, `reply_id` the tutor's answer that is running."""

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
    """A person in a room.

    - `is_removed`: an admin removed the person, who may not join again.
    - `is_muted`: the member wants no badge for this room.
    - `is_silenced`: an admin decided that the member may read but not write.
    - `read_seq`: the member has seen everything up to it. It never decreases.
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
    """A message in a room.

    - `seq`: the number of the record of its posting.
    - `user_id`: the author, or null if the tutor wrote it (`is_agent`).
    - `asks_tutor`: it waits for an answer, or has the answer `reply_id`.
    - `status`, `error`: the ending of an answer; only the tutor's messages have them.
    - `thinking`: what the model thought before and between the text of an answer.
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
    thinking: str | None = None

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
    """One change in a room. `member` and `room` are as after the change. Of a message it holds only the id."""

    schema_version: int = SCHEMA_VERSION
    room_id: PydanticObjectId
    seq: int
    type: RecordType
    at: datetime = Field(default_factory=now)
    message_id: PydanticObjectId | None = None
    reply_id: PydanticObjectId | None = None
    asked_by: PydanticObjectId | None = None
    member: Row | None = None
    room: Row | None = None

    class Settings:
        name = "room_records"
        indexes = [IndexModel([("room_id", 1), ("seq", 1)], name="order", unique=True)]


class MessageOut(BaseModel):
    """A message of a room. A deleted one has no content but keeps its place, with `deleted_at`."""

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
    thinking: str | None


class MemberOut(BaseModel):
    """A member as everybody in the room sees it. `role` is `admin` for the room's creator and the helpdesk's admins."""

    user_id: PydanticObjectId
    name: str
    role: Literal["member", "admin"]
    joined_at: datetime
    is_silenced: bool


class RoomFace(BaseModel):
    """A room as its change tells it."""

    id: PydanticObjectId
    name: str
    topic: str


class RunningAnswer(BaseModel):
    id: PydanticObjectId
    asked_by: PydanticObjectId
    message_id: PydanticObjectId


class RoomRow(BaseModel):
    """A room in the list. `unread` and `mentions` count others' messages after the reader's `read_seq`, up to 100."""

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
    """A room with its members and the tutor's running answer, as of `seq`. Non-members see neither.

    `removed` lists the removed people, for admins of the room only.
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
    """Members set their own `is_muted`, admins the rest. `is_removed: false` readmits a removed person."""

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
