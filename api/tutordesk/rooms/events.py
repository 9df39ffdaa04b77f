"""The wire of a room's socket, both ways: commands in, events out, told apart by `type`.

| command | does |
|---|---|
| `send client_message_id content` | posts a message; sending it again gives the same one |
| `edit message_id content`, `delete message_id` | one's own message, or as an admin anybody's |
| `typing` | tells the others; not kept |
| `read seq` | everything up to there was seen |

| event | says |
|---|---|
| `message_posted`, `message_edited` | `seq message` |
| `message_deleted` | `seq message_id deleted_at` |
| `member_joined`, `member_left`, `member_changed` | `seq member` |
| `reply_started` | `seq reply_id asked_by message_id`; follow it at `/agent/stream/{reply_id}` |
| `reply_ended` | `seq reply_id message` |
| `presence` | `user_ids` who are there, at least every 15 s: it is the heartbeat too |
| `typing` | `user_id` |
| `resumed` | `seq`: everything up to there was replayed, what follows is live |
| `error` | `error` a sentence, `code`, and the `client_message_id` of a message that was not taken |

What has a `seq` is persisted and numbered without a gap; it can be replayed by `?after=`. Close codes: 4401 no
identity, 4403 not (or no longer) a member, 4404 no such room, 4408 too slow, 4429 flood, 1009 too big.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from tutordesk.rooms.models import MemberOut, MessageOut

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
COMMAND: TypeAdapter[Send | Edit | Delete | Typing | Read] = TypeAdapter(RoomCommand)


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


class Presence(BaseModel):
    type: Literal["presence"] = "presence"
    user_ids: list[PydanticObjectId]


class TypingSeen(BaseModel):
    type: Literal["typing"] = "typing"
    user_id: PydanticObjectId


class Resumed(BaseModel):
    """`epoch`: another one than before says that the data were restored, and that numbers of before are void."""

    type: Literal["resumed"] = "resumed"
    seq: int
    epoch: str


class Refused(BaseModel):
    """`code` is stable: `invalid`, `too-long`, `silenced`, `forbidden`, `not-found`, `conflict`, `too-many`, ..."""

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
)
RoomEvent = PersistedEvent | Presence | TypingSeen | Resumed | Refused
BY_TYPE: dict[str, type[Any]] = {
    "member_joined": MemberJoined,
    "member_left": MemberLeft,
    "member_changed": MemberChanged,
    "message_posted": MessagePosted,
    "message_edited": MessageEdited,
}


class RoomWire(BaseModel):
    """Both directions in one shape, so that the description of the API and the client's types hold them."""

    command: RoomCommand
    event: Annotated[RoomEvent, Field(discriminator="type")]
