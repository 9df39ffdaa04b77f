"""About 30 sample tickets, so that an empty installation is not empty: `samples/*.toml`, one ticket a file."""

import tomllib
from datetime import timedelta
from pathlib import Path

from beanie import PydanticObjectId

from tutordesk.ground.clock import now
from tutordesk.tickets.models import Ticket, excerpt_of
from tutordesk.tickets.search import terms_of

FOLDER = Path(__file__).parent / "samples"
AUTHOR = "sample"


def sample_tickets(author_id: PydanticObjectId) -> list[Ticket]:
    """New documents, not saved yet, the first file newest. Their summaries are written by hand."""
    return [
        _ticket(tomllib.loads(path.read_text(encoding="utf-8")), author_id, place)
        for place, path in enumerate(sorted(FOLDER.glob("*.toml")))
    ]


def _ticket(found: dict[str, object], author_id: PydanticObjectId, place: int) -> Ticket:
    title, description = str(found["title"]), str(found["description"]).strip()
    category, summary = str(found["category"]), str(found["summary"])
    tags = [str(tag) for tag in found["tags"]] if isinstance(found["tags"], list) else []
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
