"""A ticket: the `Ticket` document, and what is read of it: a `TicketRow` in lists, a `TicketOut` alone.

Limits: title 200 characters, description 100,000, category 60, 20 tags of 40 (trimmed, case-folded, unique). Lists
read `excerpt` and never the description. Only chats read the transcripts. A deleted ticket is marked and can be
restored.
"""

from datetime import datetime
from typing import Annotated, Literal

import pymongo
from beanie import Document, PydanticObjectId
from bson import ObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pymongo import IndexModel

from tutordesk.ground.clock import now
from tutordesk.ground.database import Row
from tutordesk.ground.errors import NotFound
from tutordesk.ground.text import in_one_line, not_blank, plain_text, shorten
from tutordesk.ground.words import is_blank, one_spelling
from tutordesk.replies.models import Transcript
from tutordesk.tutor.models import Source

EXCERPT_CHARACTERS = 280
DEFAULT_CATEGORY = "general"
MAX_TAGS, MAX_TAG_CHARACTERS = 20, 40
MAX_TRANSCRIPTS, MAX_TRANSCRIPT_BYTES = 20, 1_000_000
SummaryStatus = Literal["pending", "ready", "failed"]
DOWN = pymongo.DESCENDING
UP = pymongo.ASCENDING


def _category(text: str) -> str:
    return DEFAULT_CATEGORY if is_blank(text) else " ".join(text.split())


def fold_tags(tags: list[str]) -> list[str]:
    """Return the tags in one spelling each, without a leading `#`. Raises ValueError past a limit."""
    folded = dict.fromkeys(one_spelling(tag).lstrip("#") for tag in tags)
    distinct = [tag for tag in folded if not is_blank(tag)]
    if len(distinct) > MAX_TAGS:
        raise ValueError(f"can be {MAX_TAGS} at the most")
    if any(len(tag) > MAX_TAG_CHARACTERS for tag in distinct):
        raise ValueError(f"can have {MAX_TAG_CHARACTERS} characters each at the most")
    return distinct


Title = Annotated[str, StringConstraints(max_length=200, strict=True), AfterValidator(in_one_line)]
Description = Annotated[str, StringConstraints(max_length=100_000, strict=True), AfterValidator(not_blank)]
Category = Annotated[str, StringConstraints(max_length=60, strict=True), AfterValidator(_category)]
Tag = Annotated[str, StringConstraints(max_length=200, strict=True)]
Tags = Annotated[list[Tag], Field(max_length=200), AfterValidator(fold_tags)]


class TicketIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Title
    description: Description
    category: Category = DEFAULT_CATEGORY
    tags: Tags = []
    client_ticket_id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)] | None = Field(
        None, description="Made by the client, once a ticket: sending it again answers with the same ticket."
    )


class TicketChange(BaseModel):
    """Absent fields stay unchanged; null is refused."""

    model_config = ConfigDict(extra="forbid")
    title: Title = ""
    description: Description = ""
    category: Category = ""
    tags: Tags = []


class TicketRow(BaseModel):
    """A ticket in a list."""

    id: PydanticObjectId
    title: str
    excerpt: str
    category: str
    tags: list[str]
    ai_summary: str | None
    summary_status: SummaryStatus
    created_at: datetime
    updated_at: datetime
    author_id: PydanticObjectId
    transcript_count: int


class TicketOut(BaseModel):
    """One ticket, without its transcripts. `summary_model` is the `provider:name` that wrote the summary."""

    id: PydanticObjectId
    title: str
    description: str
    category: str
    tags: list[str]
    ai_summary: str | None
    summary_status: SummaryStatus
    summary_model: str | None
    summary_at: datetime | None
    created_at: datetime
    updated_at: datetime
    author_id: PydanticObjectId
    transcript_count: int


class Ticket(Document):
    title: str
    description: str
    excerpt: str
    category: str
    tags: list[str]
    author_id: PydanticObjectId
    client_ticket_id: str = Field(default_factory=lambda: str(ObjectId()))
    ai_summary: str | None = None
    summary_status: SummaryStatus = "pending"
    summary_model: str | None = None
    summary_at: datetime | None = None
    terms: list[str] = []
    transcripts: list[Transcript] = []
    transcript_count: int = 0
    transcript_bytes: int = 0
    is_deleted: bool = False
    deleted_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    class Settings:
        name = "tickets"
        indexes = [
            IndexModel([("is_deleted", UP), ("created_at", DOWN), ("_id", DOWN)]),
            IndexModel([("is_deleted", UP), ("category", UP), ("created_at", DOWN), ("_id", DOWN)]),
            IndexModel([("is_deleted", UP), ("tags", UP), ("created_at", DOWN), ("_id", DOWN)]),
            IndexModel([("is_deleted", UP), ("category", UP), ("tags", UP), ("created_at", DOWN), ("_id", DOWN)]),
            IndexModel([("is_deleted", UP), ("terms", UP), ("created_at", DOWN), ("_id", DOWN)]),
            IndexModel(
                [("author_id", UP), ("client_ticket_id", UP)],
                unique=True,
                partialFilterExpression={"client_ticket_id": {"$type": "string"}},
            ),
            IndexModel([("summary_status", UP)], partialFilterExpression={"summary_status": "pending"}),
        ]


PARTS_OF_LIST = {name: 1 for name in TicketRow.model_fields if name != "id"}
PARTS_ALONE = {name: 1 for name in TicketOut.model_fields if name != "id"}

OPTIONAL = {
    name: field
    for name, field in Ticket.model_fields.items()
    if name in TicketOut.model_fields and name != "id" and not field.is_required()
}


def excerpt_of(description: str) -> str:
    return shorten(plain_text(description, EXCERPT_CHARACTERS * 4), EXCERPT_CHARACTERS)


def row_of(row: Row) -> TicketRow:
    """Return the list's row for what MongoDB gave for PARTS_OF_LIST."""
    return TicketRow.model_construct(id=row.pop("_id"), **row)


def ticket_of(row: Row) -> TicketOut:
    """Return the ticket for what MongoDB gave for PARTS_ALONE, without validating it again.

    Imported tickets may lack optional fields, so these get the defaults of `Ticket`.
    """
    absent = {name: field for name, field in OPTIONAL.items() if name not in row}
    defaults = {name: field.get_default(call_default_factory=True) for name, field in absent.items()}
    return TicketOut.model_construct(id=row.pop("_id"), **defaults, **row)


def as_source(ticket: TicketOut) -> Source:
    """Return the ticket as the tutor sees it."""
    return Source(
        id=str(ticket.id),
        title=ticket.title,
        category=ticket.category,
        tags=tuple(ticket.tags),
        summary=ticket.ai_summary or "",
        text=ticket.description,
    )


async def find_ticket(ticket_id: PydanticObjectId) -> TicketOut | None:
    """Return the ticket, or None for a missing one and one in the trash."""
    row = await Ticket.get_motor_collection().find_one({"_id": ticket_id, "is_deleted": False}, PARTS_ALONE)
    return ticket_of(row) if row else None


async def access_ticket(ticket_id: PydanticObjectId) -> TicketOut:
    """Return the ticket. Raises NotFound, also for one in the trash."""
    ticket = await find_ticket(ticket_id)
    if not ticket:
        raise NotFound("This ticket does not exist, or it was deleted.")
    return ticket
