"""Steps that many tests take: write a ticket, ask, read events, wait until something is so."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource

TICKET = {
    "title": "Image upload error",
    "description": "Sending a photo above 4 MB ends with `413`.\n\n## Cause\n\nThe proxy refuses the body first.",
    "category": "troubleshooting",
    "tags": ["upload", "nginx"],
}


@dataclass
class Event:
    """One event of a stream. `id` is the newest that the stream gave, None before the first."""

    event: str
    data: dict[str, Any]
    id: str | None = None


async def create_ticket(client: httpx.AsyncClient, **change: Any) -> dict[str, Any]:
    answer = await client.post("/tickets", json={**TICKET, **change})
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """Read the events of an open stream, whose data are JSON. Comments are passed over."""
    async for sse in EventSource(response).aiter_sse():
        if sse.data:
            yield Event(sse.event, sse.json(), sse.id or None)


async def ask(client: httpx.AsyncClient, message: str, to: str = "/chat/global/stream", **body: Any) -> list[Event]:
    """Ask and read the whole stream."""
    async with client.stream("POST", to, json={"message": message, **body}) as response:
        assert response.status_code == 200, await response.aread()
        return [event async for event in events_of(response)]


async def start_asking(client: httpx.AsyncClient, message: str, to: str = "/chat/global/stream", **body: Any) -> Event:
    """Ask, read until the first text, then drop the connection as a closed tab does. Returns message_start."""
    async with client.stream("POST", to, json={"message": message, **body}) as response:
        assert response.status_code == 200, await response.aread()
        start: Event | None = None
        async for event in events_of(response):
            start = start or event
            if event.event == "message_delta":
                break
        assert start
        return start


async def follow(client: httpx.AsyncClient, reply_id: str, position: int | str | None = None) -> list[Event]:
    headers = {} if position is None else {"Last-Event-ID": str(position)}
    async with client.stream("GET", f"/chat/replies/{reply_id}/stream", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        return [event async for event in events_of(response)]


def text_of(events: list[Event]) -> str:
    return "".join(event.data["delta"] for event in events if event.event == "message_delta")


async def until(check: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    """Check every 20 ms until the value is true. Returns it; raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if value := await check():
            return value
        assert time.monotonic() < deadline, "it did not become so in time"
        await asyncio.sleep(0.02)
