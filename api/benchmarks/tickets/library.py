"""A hundred thousand tickets in an embedded database, put there past the API.

They are 10,000 different tickets of about 120 words, ten times each, a minute apart; some words are common and most
are rare, as in real text. Indexes are built afterwards, which is much quicker than growing them.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import pymongo
from bson import ObjectId

from tutordesk.ground.words import terms_of
from tutordesk.operations.embedded.mongod import mongodb_url
from tutordesk.tickets.models import Ticket, excerpt_of

MANY, DIFFERENT, BATCH = 100_000, 10_000, 2_000
WORDS, TITLE_WORDS, VOCABULARY = 120, 7, 8_000
CATEGORIES = ("general", "networking", "programming", "mathematics", "databases", "security", "printing", "accounts")
TAGS = tuple(f"{kind}-{number}" for kind in ("course", "lab", "device", "topic") for number in range(50))
SYLLABLES = "ba ce di fo gu ka le mi no pu ra se ti vo zu cha dre fli gro stu pla ken lor mar nex tion ing er al"
COMMON = (
    "the of and to in is it you that a for on are with as this be at or have from one had by but not what all were "
    "we when your can there use an each which how if will up about out many then them so some would make like into "
    "time has look two more write go see number way could people my than first been call who its now find long down "
    "day did get come made may part server error file upload proxy limit network password printer query table index "
    "student course answer question browser page cookie request timeout connection database function variable loop"
)
START = datetime(2026, 1, 1, tzinfo=UTC)
Mark = tuple[ObjectId, datetime]


def add_many_tickets(data_dir: Path, count: int = MANY) -> list[Mark]:
    """Add the first `count` of them to the running server's database. Returns id and time of each, oldest first."""
    made: list[Mark] = []
    different = list(_different())
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_url(data_dir), w=1)
    with client:
        tickets = client.get_default_database()[Ticket.Settings.name]
        tickets.drop_indexes()
        for first in range(0, count, BATCH):
            batch = [_at(different[place % DIFFERENT], place) for place in range(first, first + BATCH)]
            tickets.insert_many(batch, ordered=False)
            made += [(one["_id"], one["created_at"]) for one in batch]
        tickets.create_indexes(Ticket.Settings.indexes)
    return made


def texts(chance: random.Random, words: int) -> Iterator[list[str]]:
    """Texts of so many words without end: common words often, most words rarely, as in real text."""
    syllables, common = SYLLABLES.split(), COMMON.split()
    rare = ["".join(chance.choices(syllables, k=chance.randint(2, 5))) for _ in range(VOCABULARY)]
    vocabulary = [*common, *rare]
    weights = list(accumulate(1 / (place + 5) for place in range(len(vocabulary))))
    while True:
        yield chance.choices(vocabulary, cum_weights=weights, k=words)


def _different() -> Iterator[dict[str, Any]]:
    chance = random.Random(20)
    author_id = ObjectId()
    for words in islice(texts(chance, WORDS + TITLE_WORDS), DIFFERENT):
        title, description = " ".join(words[:TITLE_WORDS]).capitalize(), paragraphs(words[TITLE_WORDS:])
        category, tags = chance.choice(CATEGORIES), chance.sample(TAGS, k=chance.randint(0, 4))
        yield _ticket(title, description, category, tags, author_id)


def paragraphs(words: list[str]) -> str:
    sentences = [" ".join(words[place : place + 12]).capitalize() + "." for place in range(0, len(words), 12)]
    return "\n\n".join(" ".join(sentences[place : place + 5]) for place in range(0, len(sentences), 5))


def _ticket(title: str, description: str, category: str, tags: list[str], author_id: ObjectId) -> dict[str, Any]:
    summary = description[:200]
    ticket = {
        "title": title,
        "description": description,
        "excerpt": excerpt_of(description),
        "category": category,
        "tags": tags,
        "author_id": author_id,
        "ai_summary": summary,
        "summary_status": "ready",
        "summary_model": "benchmark",
        "summary_at": START,
        "terms": terms_of(title, description, category, tags, summary),
        "transcripts": [],
        "transcript_count": 0,
        "transcript_bytes": 0,
        "is_deleted": False,
        "deleted_at": None,
    }
    of_each = {"id", "revision_id", "client_ticket_id", "created_at", "updated_at"}
    missing = Ticket.model_fields.keys() - ticket.keys() - of_each
    assert not missing, f"a ticket has new fields: {missing}"
    return ticket


def _at(ticket: dict[str, Any], place: int) -> dict[str, Any]:
    created_at = START + timedelta(minutes=place)
    id = ObjectId()
    return {"_id": id, **ticket, "client_ticket_id": str(id), "created_at": created_at, "updated_at": created_at}
