"""A reply: the `Reply` document while it is written, and afterwards a `Message` of a transcript.

The text of a running reply is in `parts`. Each says at which character it begins, so that writing a part twice does
no harm. When the reply ends, `content` holds the whole text.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import pymongo
from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.ground.database import Row
from tutordesk.tutor.models import ErrorType, FinishReason

MAX_CHARACTERS = 64_000
MAX_THINKING_CHARACTERS = 20_000
MAX_SECONDS = 120.0


class ReplyStatus(StrEnum):
    streaming = "streaming"
    complete = "complete"
    stopped = "stopped"
    interrupted = "interrupted"
    failed = "failed"


class Failure(BaseModel):
    """The failure of a reply: a sentence, its class, and whether a retry may help."""

    error: str
    type: ErrorType
    retryable: bool


class TokenUsage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0


class Citation(BaseModel):
    ticket_id: PydanticObjectId
    quote: str


class Feedback(BaseModel):
    """A reader's opinion of an answer."""

    model_config = ConfigDict(extra="forbid")
    thumb: Literal["up", "down"]
    reason: Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=1_000)] = ""


class Version(BaseModel):
    """One version of a message. Fields that only the tutor's messages have are null or empty in a person's.

    `thinking`: what the model thought before and between its text. `finish_reason`: of a complete answer, `length` if
    the model ended at its maximum length.
    """

    # Responses hold every field, so the API's description marks all as required.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    content: str
    status: ReplyStatus = ReplyStatus.complete
    created_at: datetime = Field(default_factory=now)
    ended_at: datetime | None = None
    model: str | None = None
    usage: TokenUsage | None = None
    citations: list[Citation] = []
    thinking: str | None = None
    finish_reason: FinishReason | None = None
    feedback: Feedback | None = None
    error: Failure | None = None


class Alternative(Version):
    """An earlier version of a message. A question's version also has its answers."""

    answers: list[Version] = []


class Message(Version):
    """One message of a transcript. `alternatives` are its earlier versions, oldest first."""

    role: Literal["user", "assistant"]
    alternatives: list[Alternative] = []


class TextPart(BaseModel):
    """A part of a running reply's text, which begins at the character `at`."""

    at: int
    text: str


def assemble_text(text: str, parts: Iterable[Row]) -> str:
    """Return `text` with the stored `parts` written over it in their order, except a part that would leave a gap."""
    for part in parts:
        if part["at"] <= len(text):
            text = text[: part["at"]] + part["text"]
    return text


class Reply(Document):
    """The tutor's answer to `question`.

    - `is_joined`: question and answer are in the transcript of the chat or room `session_id`.
    - `owner`: the process that writes the reply (liveness.py).
    - `replaces`: the question whose turn this reply replaces. It equals `question` when another answer is requested,
      and differs when the question was edited.
    - `opens_session`: the reply begins the chat.
    - `room_id`: the room that it answers in, or null. `room_owner` created that room and may stop the reply.
    """

    author_id: PydanticObjectId
    client_message_id: str | None = None
    session_id: PydanticObjectId
    ticket_id: PydanticObjectId | None = None
    ticket_ids: list[PydanticObjectId] = []
    left_out_messages: int = 0
    question: Message
    replaces: PydanticObjectId | None = None
    opens_session: bool = False
    room_id: PydanticObjectId | None = None
    room_owner: PydanticObjectId | None = None
    model: str
    status: ReplyStatus = ReplyStatus.streaming
    parts: list[TextPart] = []
    content: str = ""
    thinking: str = ""
    finish_reason: FinishReason | None = None
    usage: TokenUsage | None = None
    citations: list[Citation] = []
    error: Failure | None = None
    is_joined: bool = False
    is_stop_requested: bool = False
    owner: str
    created_at: datetime = Field(default_factory=now)
    ended_at: datetime | None = None

    class Settings:
        name = "replies"
        indexes = [
            IndexModel(
                [("author_id", pymongo.ASCENDING), ("client_message_id", pymongo.ASCENDING)],
                unique=True,
                partialFilterExpression={"client_message_id": {"$type": "string"}},
            ),
            IndexModel([("owner", pymongo.ASCENDING)], partialFilterExpression={"is_joined": False}),
            IndexModel(
                [("is_stop_requested", pymongo.ASCENDING), ("owner", pymongo.ASCENDING)],
                partialFilterExpression={"is_stop_requested": True},
            ),
        ]

    @property
    def text(self) -> str:
        """Return the whole saved text of a running or ended reply."""
        if self.status is not ReplyStatus.streaming:
            return self.content
        return assemble_text("", [part.model_dump() for part in sorted(self.parts, key=lambda part: part.at)])

    def as_document(self) -> Row:
        """Return the document for MongoDB, several times faster than Beanie does."""
        document = self.model_dump(exclude={"revision_id"})
        document["_id"] = document.pop("id")
        return document

    def as_message(self) -> Message:
        """Return an ended reply as the tutor's message."""
        return Message(
            id=PydanticObjectId(self.id),
            role="assistant",
            content=self.content,
            status=self.status,
            created_at=self.created_at,
            ended_at=self.ended_at,
            model=self.model,
            usage=self.usage,
            citations=self.citations,
            thinking=self.thinking or None,
            finish_reason=self.finish_reason,
            error=self.error,
        )


class Transcript(BaseModel):
    """The messages of one chat, oldest first, embedded in its ticket or its ChatSession."""

    id: PydanticObjectId
    author_id: PydanticObjectId
    messages: list[Message] = []
