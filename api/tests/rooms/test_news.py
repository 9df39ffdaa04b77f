"""Members' pages are told of what happens in their rooms, and nobody is told of other rooms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from testing.rooms.people import Person
from testing.steps import events_of, until


@asynccontextmanager
async def news_of(person: Person) -> AsyncIterator[list[Any]]:
    """Yield the ids of changed rooms that a page of this person is told, as they come."""
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


async def test_members_are_told_of_everything_in_their_rooms(ana: Person, ben: Person, room_id: str) -> None:
    async with news_of(ben) as rooms:

        async def is_told(count: int) -> None:
            async def has_come() -> bool:
                return len(rooms) == count

            await until(has_come, 5)

        async with ana.socket(room_id) as socket:
            await socket.wait("resumed")
            await socket.say("Hello")
        await is_told(1)
        await ana.client.patch(f"/rooms/{room_id}", json={"name": "Nets"})
        await is_told(2)
        await ana.client.delete(f"/rooms/{room_id}/members/{ben.id}")
        await is_told(3)
        assert set(rooms) == {room_id}


async def test_news_begin_with_joining_and_end_with_leaving(ana: Person, ben: Person) -> None:
    room_id = (await ana.client.post("/rooms", json={"name": "Algebra"})).json()["id"]
    path = f"/rooms/{room_id}"
    async with news_of(ben) as rooms:
        await ana.client.patch(path, json={"topic": "Nobody else is told"})
        await ben.client.post(f"{path}/join")
        await ana.client.patch(path, json={"topic": "Ben is told"})

        async def is_told(count: int) -> None:
            async def has_come() -> bool:
                return len(rooms) == count

            await until(has_come, 5)

        await is_told(2)
        await ben.client.post(f"{path}/leave")
        await is_told(3)
        await ana.client.patch(path, json={"topic": "Nobody else is told again"})
        await ben.client.post(f"{path}/join")
        await is_told(4)
        await ana.client.delete(path)
        await is_told(5)
        assert rooms == [room_id] * 5
