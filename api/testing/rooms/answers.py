"""The tutor's answers in a room, as a member reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from testing.steps import Event, events_of

LONG_ANSWER = "The proxy refuses the body. " * 20


@asynccontextmanager
async def answer_stream(
    client: httpx.AsyncClient, reply_id: str, after: int = 0
) -> AsyncIterator[AsyncIterator[Event]]:
    async with client.stream("GET", f"/agent/stream/{reply_id}", params={"after": after}) as response:
        assert response.status_code == 200
        yield events_of(response)


async def read_answer(client: httpx.AsyncClient, reply_id: str, after: int = 0) -> list[Event]:
    async with answer_stream(client, reply_id, after) as events:
        return [event async for event in events]
