"""The messages of a room: post, edit, delete, and read by pages.

Each message is stored exactly once: its author's `client_message_id` makes a repeated post harmless.
"""

from dataclasses import dataclass
from datetime import datetime

import pymongo
import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.clock import now
from tutordesk.ground.database import Query, Row, Session
from tutordesk.ground.errors import Conflict, Forbidden, Invalid, NotFound, TooLong
from tutordesk.ground.patience import Patience
from tutordesk.ground.words import is_blank
from tutordesk.rooms.mentions import may_mention, mentioned_names
from tutordesk.rooms.models import MessageOut, RecordType, RoomMember, RoomMessage, RoomRecord, message_out
from tutordesk.rooms.timeline import Timeline, document_of

MAX_BYTES = 32_000
MAX_MATCHED_MEMBERS = 2_000
GONE = "This message no longer exists. Reload the room."


class Silenced(Forbidden):
    type = "silenced"
    sentence = "An admin silenced you in this room. You can read but not write."


@dataclass(frozen=True, slots=True)
class Posted:
    """A message and the record of its change. The record is None if nothing changed, such as for a repeated post."""

    message: MessageOut
    record: RoomRecord | None


async def post_message(
    timeline: Timeline,
    member: RoomMember,
    content: str,
    client_message_id: str | None,
    asks: bool,
    patience: Patience | None = None,
) -> Posted:
    """Post a message once. If `asks`, it waits for the tutor's answer.

    Raises Silenced, Invalid, TooLong, and Conflict if the `client_message_id` belongs to another message.
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

    async def write(session: Session, room: Row) -> RoomRecord:
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
    """Change a message's text. Raises Silenced, Invalid, TooLong, NotFound, and Forbidden for others' messages."""
    check_content(content)
    message = await _access_editable(member, is_admin, message_id)
    if message.content == content:
        return Posted(message_out(message), None)
    change = {
        "content": content,
        "edited_at": now(),
        "mentions": await _mentioned(member.room_id, content),
    }
    message = message.model_copy(update=change)
    return Posted(message_out(message), await _change(timeline, message, change, "message_edited"))


async def delete_message(
    timeline: Timeline, member: RoomMember, is_admin: bool, message_id: PydanticObjectId
) -> RoomRecord:
    """Delete a message's text and thinking for good, but keep its place.

    Raises Silenced, NotFound, and Forbidden for others'.
    """
    message = await _access_editable(member, is_admin, message_id)
    deleted_at = now()
    change: dict[str, object] = {"content": "", "thinking": None, "mentions": [], "deleted_at": deleted_at}
    return await _change(timeline, message, change, "message_deleted", deleted_at)


async def read_messages(
    room_id: PydanticObjectId, before: int | None, after: int | None, limit: int
) -> list[MessageOut]:
    """Return a page, oldest first: the newest messages, or those directly before or after a `seq`."""
    selector: Query = {"room_id": room_id}
    if before is not None:
        selector["seq"] = {"$lt": before}
    elif after is not None:
        selector["seq"] = {"$gt": after}
    order = pymongo.ASCENDING if before is None and after is not None else pymongo.DESCENDING
    rows = await RoomMessage.get_motor_collection().find(selector).sort("seq", order).to_list(limit)
    messages = [message_out(RoomMessage.model_validate(row)) for row in rows]
    return messages if order == pymongo.ASCENDING else messages[::-1]


def check_content(content: str) -> None:
    """Refuse content that cannot be a message. Raises Invalid and TooLong."""
    if is_blank(content):
        raise Invalid("The message is empty. Write something and try again.")
    try:
        size = len(content.encode())
    except UnicodeEncodeError:
        raise Invalid("The message contains half a character. Type it again.") from None
    if size > MAX_BYTES:
        raise TooLong(f"Your message is {size:,} bytes; the limit is {MAX_BYTES:,}. Shorten it and try again.")


async def _access_editable(member: RoomMember, is_admin: bool, message_id: PydanticObjectId) -> RoomMessage:
    """Return a message that the member may change. Raises NotFound, Forbidden, Silenced."""
    message = await RoomMessage.find_one({"_id": message_id, "room_id": member.room_id, "deleted_at": None})
    if not message:
        raise NotFound(GONE)
    if message.user_id != member.user_id and not is_admin:
        raise Forbidden("Only the author of a message or an admin of the room may change it.")
    if member.is_silenced and not is_admin:
        raise Silenced
    return message


async def _change(
    timeline: Timeline, message: RoomMessage, change: dict[str, object], type: RecordType, at: datetime | None = None
) -> RoomRecord:
    async def write(session: Session, room: Row) -> RoomRecord:
        existing = {"_id": message.id, "deleted_at": None}
        result = await RoomMessage.get_motor_collection().update_one(existing, {"$set": change}, session=session)
        if not result.matched_count:
            raise NotFound(GONE)
        return RoomRecord(
            room_id=message.room_id,
            seq=room["seq"],
            type=type,
            at=at or now(),
            message_id=PydanticObjectId(message.id),
        )

    return await timeline.commit(message.room_id, write)


async def _same_message(message: RoomMessage) -> MessageOut:
    """Return the message with the same `client_message_id`. Raises Conflict if its content is another one.

    An edited message counts as the same, because its first content is not stored.
    """
    selector = {"room_id": message.room_id, "user_id": message.user_id, "client_message_id": message.client_message_id}
    earlier = await RoomMessage.find_one(selector)
    if not earlier or (earlier.content != message.content and not earlier.edited_at and not earlier.deleted_at):
        raise Conflict("This client_message_id belongs to another message. Send yours with a new one.")
    return message_out(earlier)


async def _mentioned(room_id: PydanticObjectId, content: str) -> list[PydanticObjectId]:
    """Return the members whose names the message mentions."""
    if not may_mention(content):
        return []
    present = {"room_id": room_id, "is_removed": False}
    rows = await RoomMember.get_motor_collection().find(present, {"user_id": 1, "name": 1}).to_list(MAX_MATCHED_MEMBERS)
    user_ids = {row["name"]: row["user_id"] for row in rows}
    return [user_ids[name] for name in mentioned_names(content, user_ids)]
