"""The server closes its rooms: unsure transactions end, and a closed relay sends nothing more."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from beanie import PydanticObjectId

from testing.serving import Live
from tutordesk.rooms.models import Room
from tutordesk.rooms.relay.bus import Signal
from tutordesk.rooms.relay.relay import PRESENCE_SECONDS, Relay
from tutordesk.rooms.relay.seats import Seat
from tutordesk.rooms.timeline import Timeline


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_unsure_transactions_end_with_the_timeline(live: Live, count: int) -> None:
    client, rooms = live.app.state.client, live.collection("rooms")
    room_ids = [PydanticObjectId() for _ in range(count)]
    await rooms.insert_many([{"_id": room_id, **_room()} for room_id in [*room_ids, PydanticObjectId()]])
    sessions = []
    async with Timeline() as timeline:
        for room_id in room_ids:
            session = await client.start_session()
            session.start_transaction()
            await rooms.update_one({"_id": room_id}, {"$inc": {"seq": 1}}, session=session)
            timeline._unsure[room_id] = session
            sessions.append(session)
    assert [session.has_ended for session in sessions] == [True] * count
    for room_id in room_ids:  # a transaction that still held it would refuse this write
        async with await client.start_session() as session, session.start_transaction():
            assert (await rooms.find_one_and_update({"_id": room_id}, {"$inc": {"seq": 1}}, session=session))[
                "seq"
            ] == 0


def _room() -> dict[str, object]:
    room = Room(name="Networks", created_by=PydanticObjectId())
    return {**room.model_dump(exclude={"id"}), "seq": 0}


class RecordingBus:
    """A bus that remembers what was published."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []

    async def publish(self, signal: Signal) -> None:
        self.signals.append(signal)

    async def listen(self) -> AsyncIterator[Signal]:
        await asyncio.sleep(60)
        yield {}

    async def close(self) -> None:
        """Nothing is open."""


async def test_closed_relay_publishes_nothing(live: Live) -> None:
    """A presence that was due when the server ended would open the bus again."""
    bus, room_id = RecordingBus(), PydanticObjectId()
    seat = Seat(
        PydanticObjectId(),
        lambda: False,
        {"write": lambda _: True, "writable": asyncio.Event().wait, "abort": lambda: None},
    )
    async with Relay("test", bus) as relay:
        async with relay.join(room_id, seat, 0):
            pass
        assert bus.signals == []
    await asyncio.sleep(2 * PRESENCE_SECONDS)
    assert bus.signals == []
