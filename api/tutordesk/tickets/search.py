"""Searches tickets: one indexed array of terms in each ticket, no second store that could drift.

| term | of | matches |
|---|---|---|
| `nginx` | title, description, tags, category, summary | the whole word |
| `ngi*` | the same, words of three letters or more | beginnings: the index gives the newest, a filter checks the rest |
| `=nginx`, `=ngi*` | title and tags | the same, for what comes first: a match in the title |

A query is words, each matched from its beginning, all required. A query never becomes a pattern: it is folded to
letters and digits first. Pages are ordered by cursor: matching titles first, and newest first in each group.
"""

import base64
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pymongo
from beanie import PydanticObjectId
from bson.errors import InvalidId

from tutordesk.ground.database import Query, Row
from tutordesk.ground.errors import FieldError, Invalid
from tutordesk.ground.words import MAX_TERM_CHARACTERS, PREFIX, is_pair, is_unspaced, words
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

MAX_QUERY_WORDS = 12
MAX_SECONDS = 0.5
CANDIDATES = 40
NEWEST_FIRST = [("created_at", DOWN), ("_id", DOWN)]
MAX_SOURCE_WORDS = 4
MAX_SOURCES = 3
SAME_TICKET = {"from": "tickets", "localField": "_id", "foreignField": "_id"}


def match_words(query: str, mark: str = "") -> list[Query]:
    """Return the conditions of the query's words, for `$and`; none when it has no word."""
    distinct = list(dict.fromkeys(words(query)))[:MAX_QUERY_WORDS]
    return [condition for word in distinct for condition in _match_word(word[:MAX_TERM_CHARACTERS], mark)]


def _match_word(word: str, mark: str) -> list[Query]:
    if is_pair(word):
        return [{"terms": f"{mark}{word}"}]
    if len(word) == PREFIX:
        return [{"terms": f"{mark}{word}*"}]
    begins: Query = {"terms": {"$regex": f"^{mark}{re.escape(word)}"}}
    return [{"terms": f"{mark}{word[:PREFIX]}*"}, begins] if len(word) > PREFIX else [begins]


class Cursor:
    """Where a page ended: group (0: the title matches), time and id. Clients see it as opaque text."""

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
            sentence = "The cursor of this page is not valid. Start again from the first page."
            raise Invalid(sentence, [FieldError(field="cursor", message="is not one that was given out")]) from error

    def after(self) -> Query:
        older = [{"created_at": {"$lt": self.created_at}}, {"_id": {"$lt": self.id}}]
        return {"created_at": {"$lte": self.created_at}, "$or": older}


async def list_rows(
    q: str, category: str | None, tags: Sequence[str], limit: int, cursor: Cursor | None
) -> tuple[list[TicketRow], Cursor | None]:
    """Return a page, and where it ended unless it is the last. Newest first, matching titles before others."""
    filters: Query = {"is_deleted": False}
    if category:
        filters["category"] = category
    if tags:
        filters["tags"] = {"$all": list(tags)} if len(tags) > 1 else tags[0]
    groups: list[list[Query]] = [[]]
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
        matches = await _find(query, limit + 1 - len(rows), None if conditions else _index_of(filters))
        rows += [row_of(match) for match in matches]
        if len(rows) > limit:
            last = rows[limit - 1]
            in_this_group = len(matches) - 1 > 0
            return rows[:limit], Cursor(group if in_this_group else group - 1, last.created_at, last.id)
    return rows, None


def _index_of(filters: Query) -> list[tuple[str, int]]:
    """Return the index made for these filters, so that MongoDB need not choose among five."""
    return [*((name, UP) for name in ("is_deleted", "category", "tags") if name in filters), *NEWEST_FIRST]


async def _find(query: Query, limit: int, index: list[tuple[str, int]] | None) -> list[Row]:
    tickets = Ticket.get_motor_collection().find(query, PARTS_OF_LIST).sort(NEWEST_FIRST)
    if index:
        tickets = tickets.hint(index)
    with search_limit():
        rows: list[Row] = await tickets.limit(limit).to_list(limit)
    return rows


def search_limit() -> AbstractContextManager[None]:
    """Return the context of a search, which ends after half a second, in MongoDB too.

    A command's own `maxTimeMS` has no effect, because the driver replaces it by the client's time limit.
    """
    limit: AbstractContextManager[None] = pymongo.timeout(MAX_SECONDS)
    return limit


async def find_sources(question: str) -> list[Source]:
    """Return at most three tickets that bear on a question, for the tutor to teach from.

    One request finds the newest tickets with each of the question's four longest words (numbers first), in the title or
    anywhere, from the index alone. Rarer words weigh more, and a word in a title weighs three times as much.
    """
    rare = [word for word in dict.fromkeys(words(question)) if len(word) > 2 or is_unspaced(word)]
    rare = sorted(rare, key=lambda word: (word.isdecimal(), len(word)), reverse=True)[:MAX_SOURCE_WORDS]
    if not rare:
        return []
    first, *others = [_holders(term, word, weight) for word in rare for term, weight in ((word, 1), (f"={word}", 2))]
    unions: list[Query] = [{"$unionWith": {"coll": "tickets", "pipeline": pipeline}} for pipeline in others]
    steps: list[Query] = [
        *first,
        *unions,
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
    chosen = [row["ticket"] for row in best if row["score"] >= best[0]["score"] / 3]
    return [as_source(ticket_of(ticket)) for tickets in chosen for ticket in tickets]


def _holders(term: str, word: str, weight: int) -> list[Query]:
    return [
        {"$match": {"is_deleted": False, "terms": term}},
        {"$sort": {"created_at": DOWN, "_id": DOWN}},
        {"$limit": CANDIDATES},
        {"$project": {"word": {"$literal": word}, "weight": {"$literal": weight}}},
    ]
