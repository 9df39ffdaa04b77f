"""A query is text, whatever it looks like, and no search may take long."""

import re
import time
from typing import Any

import httpx
import pytest
from bson import ObjectId

from testing.serving import Live
from testing.steps import ask, create_ticket

MAX_SECONDS, MAX_MS = 0.2, 500
HOSTILE = ["(a+)+$", "(.*a){12}b", ".*" * 250, "^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 500, "aa aa " * 80, "[a-z]*" * 80]
PLACES = [("/tickets", "q"), ("/chat/sessions", "q")]


@pytest.fixture
async def library(live: Live, visitor: httpx.AsyncClient) -> Any:
    """Two hundred tickets of 20 kB that patterns would backtrack in, and a chat."""
    ticket = await create_ticket(visitor, title="aaaa upload", description="a" * 50 + " aaab " * 3_000)
    document = await live.collection("tickets").find_one({"_id": ObjectId(ticket["id"])})
    await live.collection("tickets").insert_many(
        {**document, "_id": ObjectId(), "client_ticket_id": str(n)} for n in range(200)
    )
    await ask(visitor, "a" * 2_000)
    return live.collection("tickets").database


@pytest.mark.parametrize(("path", "parameter"), PLACES)
async def test_hostile_patterns_are_quick(library: Any, visitor: httpx.AsyncClient, path: str, parameter: str) -> None:
    """A hostile pattern costs no more than other text."""
    await visitor.get(path, params={parameter: "warm"})
    for pattern in HOSTILE:
        started = time.perf_counter()
        answer = await visitor.get(path, params={parameter: pattern})
        assert time.perf_counter() - started <= MAX_SECONDS, pattern
        assert answer.status_code in (200, 422), answer.text
    for pattern in ("x" * 10_000, ".*" * 1_000):
        assert (await visitor.get(path, params={parameter: pattern})).status_code == 422


@pytest.mark.parametrize("pattern", ["up.*ad", "upl[o]ad", "^upload$|nothing", "u.load", "up(?=load)z*q*"])
async def test_patterns_match_nothing_but_themselves(library: Any, visitor: httpx.AsyncClient, pattern: str) -> None:
    """Each of these would match `upload` as a pattern. As text, its words are other words."""
    assert re.search(pattern, "upload")
    assert (await visitor.get("/tickets", params={"q": pattern, "limit": 1})).json() == []


async def test_every_search_has_a_time_limit(library: Any, visitor: httpx.AsyncClient) -> None:
    """Each command that a search sends has a `maxTimeMS` of 500 or less."""
    await library["system.profile"].drop()
    await library.command({"profile": 2})
    try:
        for path, parameter in PLACES:
            assert (await visitor.get(path, params={parameter: "aaaa"})).status_code == 200
        await ask(visitor, "How does upload work?")
    finally:
        await library.command({"profile": 0})
    searched = re.compile(r"\.(tickets|message_words)$")
    rows = library["system.profile"].find({"ns": searched, "op": {"$in": ["query", "command"]}})
    commands = [row["command"] async for row in rows]
    searches = [one for one in commands if "terms" in str(one)]
    assert len(searches) >= len(PLACES)
    assert all(one["maxTimeMS"] <= MAX_MS for one in searches), searches
