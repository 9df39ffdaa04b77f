"""Reading a chat: a page of its messages by place, whichever of its homes and pages they lie in.

A message's place is its number in the chat, from 0. A page has at most 100 messages.
"""

from collections.abc import AsyncIterator

from beanie import PydanticObjectId

from tutordesk.chat.models import ChatPage, ChatSession
from tutordesk.chat.transcripts import KEPT_MESSAGES, embedded_messages
from tutordesk.ground.errors import NotFound
from tutordesk.replies.models import Message
from tutordesk.tutor.models import Turn

PAGE = 100
BEFORE_HIT = 20


async def read_messages(session: ChatSession, start: int, end: int) -> list[Message]:
    """The messages from the place `start` up to `end`, as far as there are any."""
    if session.home == "ticket":
        return (await embedded_messages(session))[start:end]
    while True:
        head, first = await _read_head(session, start, end)
        if start >= first:
            return head
        pages = ChatPage.get_motor_collection().find(
            {"session_id": session.id, "start": {"$lt": end}, "end": {"$gt": start}}
        )
        old = [
            Message.model_validate(message)
            for page in await pages.sort("start", 1).to_list(None)
            for place, message in enumerate(page["messages"], page["start"])
            if start <= place < min(end, first)
        ]
        if len(old) == min(end, first) - start:
            return [*old, *head]


async def _read_head(session: ChatSession, start: int, end: int) -> tuple[list[Message], int]:
    """What the ChatSession holds of the range, and how many messages are in pages."""
    chats = ChatSession.get_motor_collection()
    first = session.first
    while True:
        skip, most = max(0, start - first), end - max(start, first)
        parts = {"first": 1, "messages": {"$slice": [skip, max(1, most)]}}
        found = await chats.find_one({"_id": session.id}, parts)
        if not found:
            raise NotFound
        if found.get("first", 0) == first:
            return [Message.model_validate(message) for message in found["messages"]][: max(0, most)], first
        first = found["first"]  # older ones moved into a page meanwhile


async def all_messages(session: ChatSession) -> AsyncIterator[Message]:
    """Every message, oldest first, a page at a time."""
    for start in range(0, session.message_count, PAGE):
        for message in await read_messages(session, start, min(start + PAGE, session.message_count)):
            yield message


async def read_history(session: ChatSession, until: PydanticObjectId | None = None) -> list[Turn]:
    """The newest turns of a chat from `access_session(newest=…)`, oldest first, without messages that have no text.

    `until`: the question from which on they are left out.
    """
    if session.home == "ticket":
        messages = [message.model_dump() for message in (await embedded_messages(session))[-KEPT_MESSAGES:]]
    else:
        messages = session.messages  # type: ignore[assignment]  # as MongoDB gave them
    turns: list[Turn] = []
    for message in messages:
        if message["id"] == until:
            break
        if message["content"].strip():
            turns.append(Turn(message["role"], message["content"]))
    return turns


async def place_of(session: ChatSession, message_id: PydanticObjectId) -> int:
    """A message's place. Raises NotFound."""
    if session.home == "ticket":
        ids = [message.id for message in await embedded_messages(session)]
        if message_id in ids:
            return ids.index(message_id)
    else:
        places = [
            {"$project": {"first": {"$ifNull": ["$first", 0]}, "at": {"$indexOfArray": ["$messages.id", message_id]}}}
        ]
        found = (
            await ChatSession.get_motor_collection().aggregate([{"$match": {"_id": session.id}}, *places]).to_list(1)
        )
        if found and found[0]["at"] >= 0:
            return int(found[0]["first"] + found[0]["at"])
        page = await ChatPage.get_motor_collection().find_one(
            {"session_id": session.id, "messages.id": message_id}, {"start": 1, "messages.id": 1}
        )
        if page:
            return int(page["start"]) + [one["id"] for one in page["messages"]].index(message_id)
    raise NotFound("This message is not in the chat any more.")
