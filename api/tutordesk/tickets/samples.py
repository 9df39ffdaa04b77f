"""About 30 sample tickets, so that a new installation is not empty: `samples/**/*.toml`, one ticket a file."""

import tomllib
from datetime import timedelta
from pathlib import Path

from beanie import PydanticObjectId

from tutordesk.ground.clock import now
from tutordesk.ground.words import terms_of
from tutordesk.tickets.models import Ticket, excerpt_of

FOLDER = Path(__file__).parent / "samples"
AUTHOR = "sample"


def sample_tickets(author_id: PydanticObjectId) -> list[Ticket]:
    """Return new documents, not saved yet, newest first by the files' names. Their summaries are written by hand."""
    return [
        _ticket(tomllib.loads(path.read_text(encoding="utf-8")), author_id, place)
        for place, path in enumerate(sorted(FOLDER.rglob("*.toml"), key=lambda path: path.name))
    ]


def _ticket(fields: dict[str, object], author_id: PydanticObjectId, place: int) -> Ticket:
    title, description = str(fields["title"]), str(fields["description"]).strip()
    category, summary = str(fields["category"]), str(fields["summary"])
    tags = [str(tag) for tag in fields["tags"]] if isinstance(fields["tags"], list) else []
    created_at = now() - timedelta(minutes=place)
    return Ticket(
        title=title,
        description=description,
        excerpt=excerpt_of(description),
        category=category,
        tags=tags,
        author_id=author_id,
        ai_summary=summary,
        summary_status="ready",
        summary_model=AUTHOR,
        summary_at=created_at,
        terms=terms_of(title, description, category, tags, summary),
        created_at=created_at,
        updated_at=created_at,
    )


async def add_samples(author_id: PydanticObjectId) -> int:
    """Save the sample tickets. Returns how many."""
    tickets = sample_tickets(author_id)
    await Ticket.insert_many(tickets)
    return len(tickets)
