"""Members that fall behind are cut off, and nobody waits for them."""

import asyncio
import socket

import pytest
from beanie import PydanticObjectId

from testing.rooms.member_sockets import handshake
from testing.rooms.people import Person
from testing.serving import Live
from testing.steps import until
from tutordesk.rooms.relay.seats import MAX_EVENTS, Seat, Wire


async def test_member_that_never_reads_is_removed_in_ten_seconds(ana: Person, ben: Person, room_id: str) -> None:
    """It answers no ping, so it is cut off. Nobody else waits in the meantime."""
    port = int(ben.url.rsplit(":", 1)[1])
    async with ana.socket(room_id) as one:
        with socket.create_connection(("127.0.0.1", port)) as stuck:
            stuck.sendall(handshake(port, room_id, ben.cookie))
            await one.wait(lambda event: event["type"] == "presence" and ben.id in event["user_ids"])
            for number in range(20):
                await one.say(f"Message {number}")
            await one.wait(lambda event: event["type"] == "presence" and ben.id not in event["user_ids"], 10)


async def test_member_that_falls_behind_is_cut_off(live: Live, ana: Person, ben: Person, room_id: str) -> None:
    """At most 256 events or 1 MB wait for a member. It reconnects and reads what it missed."""
    port = int(ben.url.rsplit(":", 1)[1])
    long = "x" * 31_000
    async with ana.socket(room_id) as one:
        with socket.socket() as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.connect(("127.0.0.1", port))
            stuck.sendall(handshake(port, room_id, ben.cookie))
            await one.wait(lambda event: event["type"] == "presence" and ben.id in event["user_ids"])
            for number in range(200):
                await one.say(long, f"key {number}")

        async def is_gone() -> bool:
            return int(live.app.state.relay.count_seats(PydanticObjectId(ben.id))) == 0

        await until(is_gone, 3)
        async with ben.socket(room_id, after=0) as again:
            await again.wait("resumed", 10)
    assert len([event for event in again.events if event["type"] == "message_posted"]) == 200


async def test_waiting_events_are_bounded_and_the_slow_task_ends() -> None:
    seats: list[Seat] = []

    async def fill() -> None:
        wire = Wire(write=lambda _: True, writable=asyncio.Event().wait, abort=lambda: None)
        seats.append(Seat(PydanticObjectId(), lambda: False, wire))
        for number in range(MAX_EVENTS + 1):
            assert not seats[0].closing
            seats[0].put(b"%d" % number)
        await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(fill())
    assert seats[0].closing
    assert seats[0].closing[0] == 4408
