"""A chat: the `ChatSession` document, what grows beside it, and its shapes on the wire.

Every chat has a ChatSession, which lists read by an index that covers them. `home` says where its newest messages are
held: in the ChatSession itself, or embedded in the ticket that the chat is about while that has room. Older ones move
into `ChatPage`s, so that a chat of any length costs the same. `MessageWords` are what is searched.
"""

from datetime import datetime
from typing import Annotated, Literal

import pymongo
from beanie import Document, PydanticObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.ground.database import Row
from tutordesk.ground.text import in_one_line
from tutordesk.replies.models import Feedback, Message

DOWN, UP = pymongo.DESCENDING, pymongo.ASCENDING
TITLE_CHARACTERS = 80
Home = Literal["session", "ticket"]


class RunningReply(BaseModel):
    id: PydanticObjectId


class ChatFields(BaseModel):
    """The fields of a chat, apart from its messages.

    `first`: the number of messages in pages. `bytes`: about what the messages of the ChatSession itself take.
    `titled_by`: whether the title is the question's beginning, the model's, or a person's.
    """

    author_id: PydanticObjectId
    ticket_id: PydanticObjectId | None = None
    home: Home = "session"
    title: str
    titled_by: Literal["question", "model", "person"] = "question"
    message_count: int = 0
    first: int = 0
    bytes: int = 0
    running_reply: PydanticObjectId | None = None
    is_deleted: bool = False
    deleted_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)


class ChatHead(ChatFields):
    """A chat as it is read: without its messages."""

    id: PydanticObjectId


def head_of(row: Row) -> ChatHead:
    """Return the head in a ChatSession's row. What was validated when it was saved is not validated again."""
    return ChatHead.model_construct(id=row.pop("_id"), **row)


class ChatSession(Document, ChatFields):
    messages: list[Message] = []

    class Settings:
        name = "chat_sessions"
        indexes = [
            IndexModel(
                [
                    *(("author_id", UP), ("is_deleted", UP), ("updated_at", DOWN), ("_id", DOWN), ("ticket_id", UP)),
                    *(("title", UP), ("message_count", UP), ("running_reply", UP), ("created_at", UP)),
                ],
                name="history",
            ),
        ]


class ChatPage(Document):
    """Older messages of a chat: those from the place `start` up to `end`."""

    session_id: PydanticObjectId
    start: int
    end: int
    messages: list[Message]

    class Settings:
        name = "chat_pages"
        indexes = [IndexModel([("session_id", UP), ("start", UP)], unique=True)]


class MessageWords(Document):
    """The words of one message, and the beginning of its text for excerpts. A document with the chat's own id has the
    words of its title, each after a `=`.
    """

    author_id: PydanticObjectId
    session_id: PydanticObjectId
    terms: list[str]
    text: str

    class Settings:
        name = "message_words"
        indexes = [IndexModel([("author_id", UP), ("terms", UP), ("_id", DOWN), ("session_id", UP)])]


class SessionHit(BaseModel):
    """Where a search matched: in a message, or in the title (`message_id` is null)."""

    message_id: PydanticObjectId | None
    excerpt: str


class SessionRow(BaseModel):
    """A chat in a list. Only a search has a `hit`."""

    id: PydanticObjectId
    title: str
    ticket_id: PydanticObjectId | None
    message_count: int
    created_at: datetime
    updated_at: datetime
    running_reply: RunningReply | None
    hit: SessionHit | None = None


PARTS_OF_ROW = {name: 1 for name in SessionRow.model_fields if name not in ("id", "hit")}


class SessionOut(SessionRow):
    """One chat. `messages`: the newest page, oldest first. `Link` leads to older pages and back to newer ones."""

    messages: list[Message]


class SessionChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, StringConstraints(strict=True, max_length=120), AfterValidator(in_one_line)]


class MessageChange(BaseModel):
    """`feedback`: null removes it."""

    model_config = ConfigDict(extra="forbid")
    feedback: Feedback | None
