"""Search: one indexed array of terms per ticket, no second store that could drift.

| term | of | finds |
|---|---|---|
| `nginx` | title, description, tags, category, summary | the whole word |
| `ngi*` | the same, words of three letters or more | beginnings: the index gives the newest, a filter checks the rest |
| `=nginx`, `=ngi*` | title and tags | the same, for what comes first: a match in the title |

A query is words, each matched from its beginning, all of them required. Nothing of a query ever becomes a pattern:
it is folded to letters and digits first. Pages go by cursor, titles that match first, each group newest first.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pymongo
from beanie import PydanticObjectId
from bson.errors import InvalidId

from tutordesk.ground.errors import FieldError, Invalid
from tutordesk.ground.text import IS_CJK, words
from tutordesk.tickets.models import (
    DOWN,
    PARTS_ALONE,
    PARTS_OF_LIST,
    UP,
    Ticket,
    TicketRow,
    as_source,
    row_of,
    ticket_of,
)
from tutordesk.tutor.models import Source

PREFIX = 3
MAX_TERMS, MAX_TERM_CHARACTERS = 4_000, 40
MAX_QUERY_WORDS = 12
MAX_SECONDS = 0.5
CANDIDATES = 40
NEWEST_FIRST = [("created_at", DOWN), ("_id", DOWN)]
MAX_SOURCE_WORDS = 4
MAX_SOURCES = 3
SAME_TICKET = {"from": "tickets", "localField": "_id", "foreignField": "_id"}


def terms_of(title: str, description: str, category: str, tags: Sequence[str], summary: str | None) -> list[str]:
    first = dict.fromkeys(with_prefixes(f"{title} {' '.join(tags)}"))
    rest = dict.fromkeys(with_prefixes(f"{category} {summary or ''} {description}"))
    return [*(f"={term}" for term in first), *{**first, **rest}][:MAX_TERMS]


def with_prefixes(text: str) -> Iterator[str]:
    for word in words(text):
        yield word[:MAX_TERM_CHARACTERS]
        if len(word) >= PREFIX and not IS_CJK.match(word):
            yield f"{word[:PREFIX]}*"


def match_words(query: str, mark: str = "") -> list[dict[str, Any]]:
    """One condition a word, to be joined by `$and`; empty when the query has no word."""
    asked = list(dict.fromkeys(words(query)))[:MAX_QUERY_WORDS]
    return [condition for word in asked for condition in _match_word(word[:MAX_TERM_CHARACTERS], mark)]


def _match_word(word: str, mark: str) -> list[dict[str, Any]]:
    if IS_CJK.match(word) and len(word) > 1:
        return [{"terms": f"{mark}{word}"}]
    if len(word) == PREFIX:
        return [{"terms": f"{mark}{word}*"}]
    begins = {"terms": {"$regex": f"^{mark}{re.escape(word)}"}}
    return [{"terms": f"{mark}{word[:PREFIX]}*"}, begins] if len(word) > PREFIX else [begins]


class Cursor:
    """Where a page ended: group (0: the title matches), time and id. Opaque text outside."""

    def __init__(self, group: int, created_at: datetime, id: PydanticObjectId) -> None:
        self.group, self.created_at, self.id = group, created_at, id

    def __str__(self) -> str:
        text = f"{self.group}.{round(self.created_at.timestamp() * 1000)}.{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises Invalid."""
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            group, moment, id = base64.urlsafe_b64decode(padded).decode("ascii").split(".")
            return cls(int(group), datetime.fromtimestamp(int(moment) / 1000, UTC), PydanticObjectId(id))
        except (ValueError, OverflowError, OSError, InvalidId) as error:
            sentence = "This page's mark cannot be read. Start again from the first page."
            raise Invalid(sentence, [FieldError(field="cursor", message="is not one that was given out")]) from error

    def after(self) -> dict[str, Any]:
        older = [{"created_at": {"$lt": self.created_at}}, {"_id": {"$lt": self.id}}]
        return {"created_at": {"$lte": self.created_at}, "$or": older}


async def list_rows(
    q: str, category: str | None, tags: Sequence[str], limit: int, cursor: Cursor | None
) -> tuple[list[TicketRow], Cursor | None]:
    """A page and where it ended (None: it was the last), newest first, or titles that match `q` first."""
    filters: dict[str, Any] = {"is_deleted": False}
    if category:
        filters["category"] = category
    if tags:
        filters["tags"] = {"$all": list(tags)} if len(tags) > 1 else tags[0]
    groups: list[list[dict[str, Any]]] = [[]]
    if q.strip():
        in_title, anywhere = match_words(q, "="), match_words(q)
        if not anywhere:
            return [], None
        groups = [in_title, [*anywhere, {"$nor": [{"$and": in_title}]}]]
    rows: list[TicketRow] = []
    for group, conditions in enumerate(groups):
        if len(rows) > limit or (cursor and group < cursor.group):
            continue
        query = dict(filters)
        after = cursor.after() if cursor and group == cursor.group else {}
        query["$and"] = [*conditions, *([after] if after else [])]
        if not query["$and"]:
            del query["$and"]
        found = await _find(query, limit + 1 - len(rows), None if conditions else _index_of(filters))
        rows += [row_of(one) for one in found]
        if len(rows) > limit:
            last = rows[limit - 1]
            in_this_group = len(found) - 1 > 0
            return rows[:limit], Cursor(group if in_this_group else group - 1, last.created_at, last.id)
    return rows, None


def _index_of(filters: dict[str, Any]) -> list[tuple[str, int]]:
    """The index made for these filters, so that MongoDB need not choose among five."""
    return [*((name, UP) for name in ("is_deleted", "category", "tags") if name in filters), *NEWEST_FIRST]


async def _find(query: dict[str, Any], limit: int, index: list[tuple[str, int]] | None) -> list[dict[str, Any]]:
    found = Ticket.get_motor_collection().find(query, PARTS_OF_LIST).sort(NEWEST_FIRST)
    if index:
        found = found.hint(index)
    with search_limit():
        rows: list[dict[str, Any]] = await found.limit(limit).to_list(limit)
    return rows


def search_limit() -> AbstractContextManager[None]:
    """S-18: what is searched inside ends after half a second, in MongoDB too. A command's own `maxTimeMS` would not do:
    the driver puts the client's time limit in its place.
    """
    limit: AbstractContextManager[None] = pymongo.timeout(MAX_SECONDS)
    return limit


async def find_sources(question: str) -> list[Source]:
    """The tickets that bear on a question most, at most three, for the tutor to teach from.

    For each of the question's four longest words (numbers first) the newest tickets that hold it, in the title or at
    all, come from the index alone and in one request; a word that fewer hold weighs more, one in a title thrice.
    """
    asked = [word for word in dict.fromkeys(words(question)) if len(word) > 2 or IS_CJK.match(word)]
    asked = sorted(asked, key=lambda word: (word.isdecimal(), len(word)), reverse=True)[:MAX_SOURCE_WORDS]
    if not asked:
        return []
    first, *others = [_holders(term, word, weight) for word in asked for term, weight in ((word, 1), (f"={word}", 2))]
    steps: list[dict[str, Any]] = [
        *first,
        *({"$unionWith": {"coll": "tickets", "pipeline": pipeline}} for pipeline in others),
        {"$group": {"_id": "$word", "held": {"$push": "$$ROOT"}}},
        {"$set": {"often": {"$size": {"$filter": {"input": "$held", "cond": {"$eq": ["$$this.weight", 1]}}}}}},
        {"$unwind": "$held"},
        {"$group": {"_id": "$held._id", "score": {"$sum": {"$divide": ["$held.weight", {"$add": [1, "$often"]}]}}}},
        {"$sort": {"score": DOWN, "_id": DOWN}},
        {"$limit": MAX_SOURCES},
        {"$lookup": {**SAME_TICKET, "as": "ticket", "pipeline": [{"$project": PARTS_ALONE}]}},
    ]
    with search_limit():
        best = await Ticket.get_motor_collection().aggregate(steps).to_list(None)
    chosen = [one["ticket"] for one in best if one["score"] >= best[0]["score"] / 3]
    return [as_source(ticket_of(ticket)) for tickets in chosen for ticket in tickets]


def _holders(term: str, word: str, weight: int) -> list[dict[str, Any]]:
    return [
        {"$match": {"is_deleted": False, "terms": term}},
        {"$sort": {"created_at": DOWN, "_id": DOWN}},
        {"$limit": CANDIDATES},
        {"$project": {"word": {"$literal": word}, "weight": {"$literal": weight}}},
    ]
