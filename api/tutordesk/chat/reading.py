"""Reads a chat by places: a page of its messages, all of them, or the newest turns for a prompt.

A message's place is its number in the chat, from 0. A page has at most 100 messages.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

from beanie import PydanticObjectId

from tutordesk.chat.homes import KEPT_MESSAGES, home_of
from tutordesk.chat.models import ChatHead, head_of
from tutordesk.chat.transcripts import access_row
from tutordesk.ground.errors import NotFound
from tutordesk.replies.models import Message
from tutordesk.tutor.models import Turn

PAGE = 100
BEFORE_HIT = 20


async def all_messages(chat: ChatHead) -> AsyncIterator[Message]:
    """Yield every message, oldest first, reading a page at a time."""
    home = home_of(chat)
    for start in range(0, chat.message_count, PAGE):
        for message in await home.read(start, min(start + PAGE, chat.message_count)):
            yield message


async def place_of(chat: ChatHead, message_id: PydanticObjectId) -> int:
    """Return a message's place. Raises NotFound."""
    place = await home_of(chat).place_of(message_id)
    if place is None:
        raise NotFound("This message is no longer in the chat.")
    return place


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message as a prompt needs it."""

    id: PydanticObjectId
    role: Literal["user", "assistant"]
    content: str


async def access_newest(
    author_id: PydanticObjectId, session_id: PydanticObjectId
) -> tuple[ChatHead, list[PastMessage]]:
    """Return the chat if it is this author's, with those of its newest messages that its ChatSession holds.

    One read, because every turn begins with it. Raises NotFound.
    """
    row = await access_row(author_id, session_id, {"messages": {"$slice": -KEPT_MESSAGES}})
    messages = [PastMessage(message["id"], message["role"], message["content"]) for message in row.pop("messages")]
    return head_of(row), messages


async def read_history(
    chat: ChatHead, newest: Sequence[PastMessage], until: PydanticObjectId | None = None
) -> list[Turn]:
    """Return the newest turns before the question `until`, oldest first, without messages that have no text.

    `newest`: what `access_newest` returned with the chat.
    """
    turns: list[Turn] = []
    for message in newest or (await home_of(chat).held())[-KEPT_MESSAGES:]:
        if message.id == until:
            break
        if message.content.strip():
            turns.append(Turn(message.role, message.content))
    return turns
