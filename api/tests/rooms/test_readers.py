"""Readers of answers in rooms: a stream ends for those who leave or are removed, and for nobody else."""

import asyncio

import httpx
import pytest
from beanie import PydanticObjectId

from testing.fake_gemini import FakeModels
from testing.rooms.answers import LONG_ANSWER, answer_stream
from testing.rooms.people import Person
from testing.steps import events_of
from tutordesk.rooms.agent.questions import find_members


async def _running_reply(who: Person, room_id: str) -> str:
    """Ask, and leave the stream once the answer has begun. Returns its id."""
    body = {"room_id": room_id, "prompt": "Why?"}
    async with who.client.stream("POST", "/agent/stream", json=body) as response:
        async for event in events_of(response):
            if event.event == "message_start":
                return str(event.data["id"])
    raise AssertionError("the answer did not begin")


async def _read_to_its_end(client: httpx.AsyncClient, reply_id: str, is_open: asyncio.Event) -> None:
    async with answer_stream(client, reply_id) as events:
        async for _ in events:
            is_open.set()


async def test_stream_ends_for_removed_members_alone(fake: FakeModels, ana: Person, ben: Person, room_id: str) -> None:
    fake.script, fake.text = "stall@2", LONG_ANSWER
    other_room = await ben.make_room("Other")
    await ana.join(other_room)
    replies = {room: await _running_reply(ana, room) for room in (room_id, other_room)}
    streams: dict[tuple[str, str], asyncio.Task[None]] = {}
    for who in (ana, ben):
        for room in (room_id, other_room):
            is_open = asyncio.Event()
            streams[who.name, room] = asyncio.create_task(_read_to_its_end(who.client, replies[room], is_open))
            await asyncio.wait_for(is_open.wait(), 10)
    assert (await ana.client.delete(f"/rooms/{room_id}/members/{ben.id}")).status_code == 204
    await asyncio.wait_for(streams["Ben", room_id], 10)
    assert [key for key, stream in streams.items() if stream.done()] == [("Ben", room_id)]
    for stream in streams.values():
        stream.cancel()
    await asyncio.wait(streams.values())


@pytest.mark.parametrize("is_removed", [False, True], ids=["member", "removed"])
async def test_members_are_found_by_room_and_user_together(
    ana: Person, ben: Person, room_id: str, is_removed: bool
) -> None:
    """A member of one room is not taken for a member of another one that is asked about, too."""
    other_room = await ana.make_room("Other")
    if is_removed:
        await ana.client.delete(f"/rooms/{room_id}/members/{ben.id}")
    pairs = [(room, who.id) for room in (room_id, other_room) for who in (ana, ben)]
    keys = {(PydanticObjectId(room), PydanticObjectId(user)) for room, user in pairs}
    members = {(str(room), str(user)) for room, user in await find_members(keys)}
    expected = {(room_id, ana.id), (other_room, ana.id)}
    assert members == (expected if is_removed else expected | {(room_id, ben.id)})
