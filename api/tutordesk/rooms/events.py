"""The wire of a room's socket: commands in, events out. The field `type` says which one it is.

| command | effect |
|---|---|
| `send client_message_id content` | posts a message; sending it again returns the same message |
| `edit message_id content`, `delete message_id` | changes your own message, or as an admin any message |
| `typing` | tells the other members; not stored |
| `read seq` | marks everything up to `seq` as read |

| event | content |
|---|---|
| `message_posted`, `message_edited` | `seq message` |
| `message_deleted` | `seq message_id deleted_at` |
| `member_joined`, `member_left`, `member_changed` | `seq member` |
| `reply_started` | `seq reply_id asked_by message_id`; follow it at `/agent/stream/{reply_id}` |
| `reply_ended` | `seq reply_id message` |
| `room_changed` | `seq room`: its `id name topic` after the change |
| `presence` | `user_ids` of the members in the room, at least every 15 s, so that it is the heartbeat too |
| `typing` | `user_id` |
| `resumed` | `seq`: everything up to it was replayed, and live events follow |
| `error` | `error` (a sentence), `code`, and the `client_message_id` of a refused message |

Events with a `seq` are stored and numbered without a gap; `?after=` replays them. Close codes: 4401 no identity, 4403
not (or no longer) a member, 4404 no such room, 4408 too slow, 4429 flood, 1009 too big.
"""

from datetime import datetime
from typing import Annotated, Literal

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from tutordesk.rooms.models import MemberOut, MessageOut, RoomFace

NO_IDENTITY, NOT_A_MEMBER, NO_SUCH_ROOM, TOO_SLOW, FLOOD = 4401, 4403, 4404, 4408, 4429
Content = Annotated[str, StringConstraints(strict=True)]
Id = Annotated[str, StringConstraints(strict=True, max_length=64)]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Send(Command):
    type: Literal["send"]
    client_message_id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)]
    content: Content


class Edit(Command):
    type: Literal["edit"]
    message_id: Id
    content: Content


class Delete(Command):
    type: Literal["delete"]
    message_id: Id


class Typing(Command):
    type: Literal["typing"]


class Read(Command):
    type: Literal["read"]
    seq: Annotated[int, Field(strict=True, ge=0, le=2**53)]


RoomCommand = Annotated[Send | Edit | Delete | Typing | Read, Field(discriminator="type")]
COMMANDS: TypeAdapter[Send | Edit | Delete | Typing | Read] = TypeAdapter(RoomCommand)


class MessagePosted(BaseModel):
    type: Literal["message_posted"] = "message_posted"
    seq: int
    message: MessageOut


class MessageEdited(BaseModel):
    type: Literal["message_edited"] = "message_edited"
    seq: int
    message: MessageOut


class MessageDeleted(BaseModel):
    type: Literal["message_deleted"] = "message_deleted"
    seq: int
    message_id: PydanticObjectId
    deleted_at: datetime


class MemberJoined(BaseModel):
    type: Literal["member_joined"] = "member_joined"
    seq: int
    member: MemberOut


class MemberLeft(BaseModel):
    type: Literal["member_left"] = "member_left"
    seq: int
    member: MemberOut


class MemberChanged(BaseModel):
    type: Literal["member_changed"] = "member_changed"
    seq: int
    member: MemberOut


class ReplyStarted(BaseModel):
    type: Literal["reply_started"] = "reply_started"
    seq: int
    reply_id: PydanticObjectId
    asked_by: PydanticObjectId
    message_id: PydanticObjectId


class ReplyEnded(BaseModel):
    type: Literal["reply_ended"] = "reply_ended"
    seq: int
    reply_id: PydanticObjectId
    message: MessageOut


class RoomChanged(BaseModel):
    type: Literal["room_changed"] = "room_changed"
    seq: int
    room: RoomFace


class Presence(BaseModel):
    type: Literal["presence"] = "presence"
    user_ids: list[PydanticObjectId]


class TypingSeen(BaseModel):
    type: Literal["typing"] = "typing"
    user_id: PydanticObjectId


class Resumed(BaseModel):
    """The end of the replay. A new `epoch` means that the data were restored, so earlier numbers are void."""

    type: Literal["resumed"] = "resumed"
    seq: int
    epoch: str


class Refused(BaseModel):
    """A refused command. `code` never changes: `invalid`, `too-long`, `silenced`, `forbidden`, `not-found`, …"""

    type: Literal["error"] = "error"
    error: str
    code: str
    client_message_id: str | None = None


PersistedEvent = (
    MessagePosted
    | MessageEdited
    | MessageDeleted
    | MemberJoined
    | MemberLeft
    | MemberChanged
    | ReplyStarted
    | ReplyEnded
    | RoomChanged
)
RoomEvent = PersistedEvent | Presence | TypingSeen | Resumed | Refused
MEMBER_EVENTS: dict[str, type[MemberJoined | MemberLeft | MemberChanged]] = {
    "member_joined": MemberJoined,
    "member_left": MemberLeft,
    "member_changed": MemberChanged,
}
MESSAGE_EVENTS: dict[str, type[MessagePosted | MessageEdited]] = {
    "message_posted": MessagePosted,
    "message_edited": MessageEdited,
}


class RoomWire(BaseModel):
    """Both directions of the wire. The client's types are generated from it."""

    command: RoomCommand
    event: Annotated[RoomEvent, Field(discriminator="type")]
