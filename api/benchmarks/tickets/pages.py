"""A page of 50 tickets at 100,000 tickets: the server's own time, as its access log has it, request after request.

Pages at random depth are asked for by cursors made for tickets that are known to be there.
"""

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from beanie import PydanticObjectId

from benchmarks.harness import Server, running_helper, running_server
from benchmarks.replies.first_token import added_ms
from benchmarks.tickets.library import CATEGORIES, TAGS, Mark, add_many_tickets
from testing.figures import Figure
from testing.replies.wire_reader import get
from tutordesk.tickets.search import Cursor

REQUESTS, WARM_REQUESTS = 100, 20
PAGE_MS, SEARCH_MS = 5, 50
SEARCHES = ("upload", "proxy limit", "print", "uploa", "the server", "question about the database", "stu", "zuken")
REQUEST_ID = re.compile(r"x-request-id: (\w+)", re.I)
Query = dict[str, str]


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire:
        settings = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"http://127.0.0.1:{wire.port}/v1"}
        with running_server(folder / "data", **settings) as server:
            marks = add_many_tickets(server.data_dir)
            pages = [_page(server, name, query, limit) for name, query, limit in _kinds(marks)]
            added = asyncio.run(added_ms(server.port, wire.port, REQUESTS))
    first_token = Figure("OpenAI wire: added time to first token at 100,000 tickets, p50", median(added), "ms")
    return [*(figure for page in pages for figure in page), first_token]


def _kinds(marks: list[Mark]) -> Iterable[tuple[str, Callable[[int], Query], float]]:
    """Name of a kind of page, the query of its nth request, and its limit in ms."""
    chance = random.Random(7)

    def cursor() -> str:
        id, created_at = chance.choice(marks)
        return str(Cursor(0, created_at, PydanticObjectId(id)))

    yield "first page", lambda _: {}, PAGE_MS
    yield "page at random depth", lambda _: {"cursor": cursor()}, PAGE_MS
    yield "page of a category, random depth", lambda n: {"category": CATEGORIES[n % 8], "cursor": cursor()}, PAGE_MS
    yield "page of a tag, random depth", lambda n: {"tag": TAGS[n % len(TAGS)], "cursor": cursor()}, PAGE_MS
    yield "page of category and tag", lambda n: {"category": CATEGORIES[n % 8], "tag": TAGS[n % len(TAGS)]}, PAGE_MS
    yield "search, first page", lambda n: {"q": SEARCHES[n % len(SEARCHES)]}, SEARCH_MS


def _page(server: Server, name: str, query: Callable[[int], Query], limit: float) -> list[Figure]:
    ids = asyncio.run(_ask(server.port, query))
    times = times_of(server.log, ids[-1])
    took = [times[id] for id in ids][WARM_REQUESTS:]
    return [
        Figure(f"100,000 tickets: {name}, p50", median(took), "ms", limit),
        Figure(f"100,000 tickets: {name}, p95", quantiles(took, n=20)[-1], "ms"),
    ]


async def _ask(port: int, query: Callable[[int], Query]) -> list[str]:
    """The ids of requests made one after another."""
    ids: list[str] = []
    for number in range(WARM_REQUESTS + REQUESTS):
        head, _ = await get(port, f"/tickets?{urlencode(query(number))}")
        match = REQUEST_ID.search(head)
        if " 200 " not in head.split("\r\n")[0] or not match:
            raise RuntimeError(f"a page was refused: {head[:200]}")
        ids.append(match[1])
    return ids


def times_of(log: Path, last: str) -> dict[str, float]:
    """Request ids of the access log up to `last`, and the milliseconds that each took."""
    deadline = time.monotonic() + 5
    while last not in (text := log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return {line["request_id"]: line["ms"] for line in lines if "ms" in line}
