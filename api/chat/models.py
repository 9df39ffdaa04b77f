"""A chat: the `ChatSession` document, and its shapes on the wire.

Every chat has a ChatSession, which lists read by an index that covers them. Where its messages lie is `home`: here
for a chat in global mode, embedded in the ticket for one about a ticket (here too when that ticket has no room left).
"""

from datetime import datetime
from typing import Literal

import pymongo
from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from api.replies.models import Message, now

DOWN, UP = pymongo.DESCENDING, pymongo.ASCENDING
TITLE_CHARACTERS = 80
Home = Literal["session", "ticket"]


class RunningReply(BaseModel):
    id: PydanticObjectId


class ChatSession(Document):
    author_id: PydanticObjectId
    ticket_id: PydanticObjectId | None = None
    home: Home = "session"
    title: str
    message_count: int = 0
    bytes: int = 0
    running_reply: PydanticObjectId | None = None
    messages: list[Message] = []
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    class Settings:
        name = "chat_sessions"
        indexes = [
            IndexModel(
                [
                    *(("author_id", UP), ("updated_at", DOWN), ("_id", DOWN), ("ticket_id", UP), ("title", UP)),
                    *(("message_count", UP), ("running_reply", UP), ("created_at", UP)),
                ],
                name="list",
            ),
        ]


class SessionRow(BaseModel):
    """A chat in a list."""

    id: PydanticObjectId
    title: str
    ticket_id: PydanticObjectId | None
    message_count: int
    created_at: datetime
    updated_at: datetime
    running_reply: RunningReply | None


class SessionOut(SessionRow):
    """A chat alone. `messages`: oldest first, the newest page; the `Link` header leads to older ones."""

    messages: list[Message]
