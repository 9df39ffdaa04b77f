"""What a reply is: the `Reply` document while it is written, a `Message` of a transcript when it is over.

A running reply's text lies in `parts`, each with the place (in characters) where it begins, so that a part written
twice does no harm. When it ends, `content` holds all of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pymongo
from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.tutor.models import ErrorType

MAX_CHARACTERS = 64_000
MAX_SECONDS = 120.0


class ReplyStatus(StrEnum):
    streaming = "streaming"
    complete = "complete"
    stopped = "stopped"
    interrupted = "interrupted"
    failed = "failed"


class Failure(BaseModel):
    """Why a reply failed: a sentence, its class, and whether trying again may help."""

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
    """What the reader thinks of an answer."""

    model_config = ConfigDict(extra="forbid")
    thumb: Literal["up", "down"]
    reason: Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=1_000)] = ""


class Version(BaseModel):
    """One version of a message. What is the tutor's alone is null or empty in a person's."""

    # Answers hold every field, so the API's description calls none of them optional.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    content: str
    status: ReplyStatus = ReplyStatus.complete
    created_at: datetime = Field(default_factory=now)
    ended_at: datetime | None = None
    model: str | None = None
    usage: TokenUsage | None = None
    citations: list[Citation] = []
    feedback: Feedback | None = None
    error: Failure | None = None


class Alternative(Version):
    """An earlier version. That of a question keeps the answers that it had."""

    answers: list[Version] = []


class Message(Version):
    """One message of a transcript. `alternatives`: its earlier versions, oldest first."""

    role: Literal["user", "assistant"]
    alternatives: list[Alternative] = []


class TextPart(BaseModel):
    at: int
    text: str


def assemble_text(text: str, parts: Sequence[Mapping[str, Any]]) -> str:
    """`text` with `parts` (`at`, `text`), in their order, written over it; one that would leave a gap is left out."""
    for part in parts:
        if part["at"] <= len(text):
            text = text[: part["at"]] + part["text"]
    return text


class Reply(Document):
    """`question` is the message that it answers; `is_joined`: both are in the transcript of `session_id`.

    `owner` names the process that writes it (liveness.py). `replaces`: the question whose turn this one takes; the
    same question for one more answer, another for an edited one. `opens_session`: it begins the chat.
    `room_id`: it is an answer in a room, which is its session too; `room_owner` made that room and may stop it.
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
        """All of the text that was saved, whether the reply is over or not."""
        if self.status is not ReplyStatus.streaming:
            return self.content
        return assemble_text("", [part.model_dump() for part in sorted(self.parts, key=lambda part: part.at)])

    def as_document(self) -> dict[str, Any]:
        """As MongoDB holds it; several times quicker than Beanie's own way."""
        document: dict[str, Any] = self.model_dump(exclude={"revision_id"})
        document["_id"] = document.pop("id")
        return document

    def as_message(self) -> Message:
        """The tutor's message, of a reply that is over."""
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
            error=self.error,
        )


class Transcript(BaseModel):
    """The messages of one chat, oldest first: embedded in the ticket that it is about, or in its ChatSession."""

    id: PydanticObjectId
    author_id: PydanticObjectId
    messages: list[Message] = []
