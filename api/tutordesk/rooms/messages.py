"""Messages of a room: post, edit, delete, and read by pages. Each is exactly once and in the room's order."""

import re
from dataclasses import dataclass
from datetime import datetime

import pymongo
import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.clock import now
from tutordesk.ground.database import Patience
from tutordesk.ground.errors import Conflict, Forbidden, Invalid, NotFound, TooLong
from tutordesk.rooms.models import MessageOut, RecordType, RoomMember, RoomMessage, RoomRecord, message_out
from tutordesk.rooms.timeline import Timeline, document_of
from tutordesk.rooms.transactions import Session

MAX_BYTES = 32_000
MAX_MENTIONS = 50
SILENCED = "An admin silenced you in this room: you can read, but not write."
CODE = re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)|`[^`\n]*`", re.S)
ASKS_TUTOR = re.compile(r"(?<![\w@/.])@tutor\b", re.I)
MENTION = re.compile(r"(?<![\w@/.])@(?=\S)")


class Silenced(Forbidden):
    type = "silenced"
    sentence = SILENCED


@dataclass(frozen=True, slots=True)
class Posted:
    """A message, and the record of its posting; no record when it had been posted before."""

    message: MessageOut
    record: RoomRecord | None


def asks_tutor(content: str) -> bool:
    """Whether it mentions the tutor, outside of code."""
    return bool(ASKS_TUTOR.search(CODE.sub(" ", content)))


async def post_message(
    timeline: Timeline,
    member: RoomMember,
    content: str,
    client_message_id: str | None,
    asks: bool,
    patience: Patience | None = None,
) -> Posted:
    """Post it once; `asks`: it waits for the tutor's answer.

    Raises Silenced, Invalid, TooLong, and Conflict when the `client_message_id` belongs to another message.
    """
    check_content(content)
    if member.is_silenced:
        raise Silenced
    message = RoomMessage(
        id=PydanticObjectId(),
        room_id=member.room_id,
        seq=0,
        user_id=member.user_id,
        name=member.name,
        content=content,
        client_message_id=client_message_id,
        mentions=await _mentioned(member.room_id, content),
        asks_tutor=asks,
    )

    async def write(session: Session, room: dict[str, int]) -> RoomRecord:
        message.seq = room["seq"]
        await RoomMessage.get_motor_collection().insert_one(document_of(message), session=session)
        return RoomRecord(
            room_id=message.room_id, seq=message.seq, type="message_posted", message_id=PydanticObjectId(message.id)
        )

    try:
        record = await timeline.commit(member.room_id, write, patience=patience)
    except pymongo.errors.DuplicateKeyError:
        return Posted(await _same_message(message), None)
    return Posted(message_out(message), record)


async def edit_message(
    timeline: Timeline, member: RoomMember, is_admin: bool, message_id: PydanticObjectId, content: str
) -> Posted:
    """Raises Silenced, Forbidden for somebody else's, NotFound for one that no longer exists."""
    check_content(content)
    message = await _access_own(member, is_admin, message_id)
    if message.content == content:
        return Posted(message_out(message), None)
    change = {
        "content": content,
        "edited_at": now(),
        "mentions": await _mentioned(member.room_id, CODE.sub(" ", content)),
    }
    message = message.model_copy(update=change)
    return Posted(message_out(message), await _change(timeline, message, change, "message_edited"))


async def delete_message(
    timeline: Timeline, member: RoomMember, is_admin: bool, message_id: PydanticObjectId
) -> RoomRecord:
    """Take the text away for good; its place stays. Raises as `edit_message`."""
    message = await _access_own(member, is_admin, message_id)
    deleted_at = now()
    change = {"content": "", "mentions": [], "deleted_at": deleted_at}
    return await _change(timeline, message, change, "message_deleted", deleted_at)


async def read_messages(
    room_id: PydanticObjectId, before: int | None, after: int | None, limit: int
) -> list[MessageOut]:
    """A page, oldest first: the newest, or those just before or just after a `seq`."""
    between = {} if before is None and after is None else {"seq": {"$gt": after} if before is None else {"$lt": before}}
    order = pymongo.ASCENDING if before is None and after is not None else pymongo.DESCENDING
    found = RoomMessage.get_motor_collection().find({"room_id": room_id, **between}).sort("seq", order)
    rows = [message_out(RoomMessage.model_validate(row)) for row in await found.to_list(limit)]
    return rows if order == pymongo.ASCENDING else rows[::-1]


def check_content(content: str) -> None:
    if not content.strip():
        raise Invalid("An empty message cannot be sent.")
    try:
        size = len(content.encode())
    except UnicodeEncodeError:
        raise Invalid("The message holds half a character. Write it again.") from None
    if size > MAX_BYTES:
        raise TooLong(f"Your message is {size:,} bytes; the limit is {MAX_BYTES:,}. Shorten it and try again.")


async def _access_own(member: RoomMember, is_admin: bool, message_id: PydanticObjectId) -> RoomMessage:
    message = await RoomMessage.find_one({"_id": message_id, "room_id": member.room_id, "deleted_at": None})
    if not message:
        raise NotFound("This message no longer exists.")
    if message.user_id != member.user_id and not is_admin:
        raise Forbidden("Only the author of a message or an admin of the room may change it.")
    if member.is_silenced and not is_admin:
        raise Silenced
    return message


async def _change(
    timeline: Timeline, message: RoomMessage, change: dict[str, object], type: RecordType, at: datetime | None = None
) -> RoomRecord:
    async def write(session: Session, room: dict[str, int]) -> RoomRecord:
        there = {"_id": message.id, "deleted_at": None}
        done = await RoomMessage.get_motor_collection().update_one(there, {"$set": change}, session=session)
        if not done.matched_count:
            raise NotFound("This message no longer exists.")
        return RoomRecord(
            room_id=message.room_id,
            seq=room["seq"],
            type=type,
            at=at or now(),
            message_id=PydanticObjectId(message.id),
        )

    return await timeline.commit(message.room_id, write)


async def _same_message(message: RoomMessage) -> MessageOut:
    """The message that was posted under this `client_message_id`. Raises Conflict when it said something else.

    One that was edited since is the same: what its author sent first is not kept.
    """
    sent = {"room_id": message.room_id, "user_id": message.user_id, "client_message_id": message.client_message_id}
    earlier = await RoomMessage.find_one(sent)
    if not earlier or (earlier.content != message.content and not earlier.edited_at and not earlier.deleted_at):
        raise Conflict("This client_message_id belongs to another message. Send yours with a new one.")
    return message_out(earlier)


async def _mentioned(room_id: PydanticObjectId, text: str) -> list[PydanticObjectId]:
    """The members whose names follow an `@`; of two names that begin alike the longer one counts."""
    text = CODE.sub(" ", text)
    places = [match.end() for match in MENTION.finditer(text)]
    if not places:
        return []
    found = RoomMember.get_motor_collection().find({"room_id": room_id, "is_removed": False}, {"user_id": 1, "name": 1})
    named = sorted(((row["name"].casefold(), row["user_id"]) for row in await found.to_list(2_000)), reverse=True)
    folded = [text[place : place + 60].casefold() for place in places[:MAX_MENTIONS]]
    mentioned: dict[PydanticObjectId, None] = {}
    for follows in folded:
        names = {name for name, _ in named if follows.startswith(name) and not follows[len(name) :][:1].isalnum()}
        longest = max(names, key=len, default="")
        mentioned |= {user_id: None for name, user_id in named if name == longest and names}
    return list(mentioned)
