"""Members' pages hear what happens in their rooms, and nothing of other rooms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from testing.rooms.people import Person
from testing.steps import events_of, until


@asynccontextmanager
async def news_of(person: Person) -> AsyncIterator[list[Any]]:
    """Yield the ids of changed rooms in the events for a page of this person, as they come."""
    rooms: list[Any] = []
    begun = asyncio.Event()

    async def listen() -> None:
        async with person.client.stream("GET", "/rooms/events") as stream:
            assert stream.status_code == 200
            begun.set()
            async for event in events_of(stream):
                assert event.event == "changed"
                rooms.append(event.data["room_id"])

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(begun.wait(), 5)
    try:
        yield rooms
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def test_members_hear_everything_in_their_rooms(ana: Person, ben: Person, room_id: str) -> None:
    async with news_of(ben) as rooms:

        async def hears(count: int) -> None:
            async def has_come() -> bool:
                return len(rooms) == count

            await until(has_come, 5)

        async with ana.socket(room_id) as socket:
            await socket.wait("resumed")
            await socket.say("Hello")
        await hears(1)
        await ana.client.patch(f"/rooms/{room_id}", json={"name": "Nets"})
        await hears(2)
        await ana.client.delete(f"/rooms/{room_id}/members/{ben.id}")
        await hears(3)
        assert set(rooms) == {room_id}


async def test_news_begin_with_joining_and_end_with_leaving(ana: Person, ben: Person) -> None:
    room_id = (await ana.client.post("/rooms", json={"name": "Algebra"})).json()["id"]
    path = f"/rooms/{room_id}"
    async with news_of(ben) as rooms:
        await ana.client.patch(path, json={"topic": "Only Ana hears this"})
        await ben.client.post(f"{path}/join")
        await ana.client.patch(path, json={"topic": "Ben hears this"})

        async def hears(count: int) -> None:
            async def has_come() -> bool:
                return len(rooms) == count

            await until(has_come, 5)

        await hears(2)
        await ben.client.post(f"{path}/leave")
        await hears(3)
        await ana.client.patch(path, json={"topic": "Only Ana hears this again"})
        await ben.client.post(f"{path}/join")
        await hears(4)
        await ana.client.delete(path)
        await hears(5)
        assert rooms == [room_id] * 5
