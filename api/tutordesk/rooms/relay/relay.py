"""The relay: sends a room's events to all its members, on every process, in one order.

A record is committed first (timeline.py), then relayed. The committing process sends the event to its own members and
a hint over the bus. Each process passes events on strictly by `seq` and reads missing ones from MongoDB. Every two
seconds it also checks without a hint, so a lost hint only costs time.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from beanie import PydanticObjectId

from tutordesk.ground.background import Background
from tutordesk.rooms.events import NO_IDENTITY, NO_SUCH_ROOM, NOT_A_MEMBER, MemberLeft, PersistedEvent, TypingSeen
from tutordesk.rooms.models import Room
from tutordesk.rooms.relay.bus import ENGINE_ERRORS, Bus, Signal
from tutordesk.rooms.relay.seats import OpenRoom, Seat, frame_of
from tutordesk.rooms.timeline import read_events

log = logging.getLogger(__name__)
LISTEN_SECONDS, CHECK_SECONDS = 0.5, 2.0
HEARTBEAT_CHECKS = 7
PRESENCE_SECONDS, PRESENCE_SECONDS_A_SEAT = 0.2, 0.01


class Relay:
    """Use as `async with Relay(…)`. `process` is this process's name on the bus."""

    def __init__(self, process: str, bus: Bus) -> None:
        self._process, self._bus = process, bus
        self._open: dict[PydanticObjectId, OpenRoom] = {}
        self._background = Background()
        self._checks, self._is_bus_down, self._is_closed = 0, False, False

    @asynccontextmanager
    async def join(self, room_id: PydanticObjectId, seat: Seat, after: int) -> AsyncIterator[int]:
        """Take a seat. Yields the `seq` up to which the caller must replay; the seat gets all later events.

        `after` is the last `seq` that the member has seen, perhaps on another process that was ahead of this one.
        """
        room = self._open.setdefault(room_id, OpenRoom(room_id))
        room.users += 1
        try:
            async with room.reading:
                if room.seq is None:
                    row = await Room.get_motor_collection().find_one({"_id": room_id}, {"seq": 1})
                    room.seq = row["seq"] if row else 0
            await self._catch_up(room, after)
            room.seats.add(seat)
            seq = room.seq
            seat.put(frame_of(room.presence()))
            self._presence_changed(room_id, room, asks=len(room.seats) == 1)
            yield seq
        finally:
            room.seats.discard(seat)
            room.users -= 1
            if not room.users:
                del self._open[room_id]
            self._presence_changed(room_id, room)

    async def announce(self, room_id: PydanticObjectId, event: PersistedEvent) -> None:
        """Relay an event that this process has committed."""
        if room := self._open.get(room_id):
            if room.seq is not None and event.seq == room.seq + 1 and not room.reading.locked():
                self._pass_on(room, event)
            else:
                await self._catch_up(room, event.seq)
        self._publish({"room": str(room_id), "seq": event.seq})

    def announce_typing(self, room_id: PydanticObjectId, user_id: PydanticObjectId) -> None:
        """Tell all members of a room that one of them is typing."""
        if room := self._open.get(room_id):
            room.send(TypingSeen(user_id=user_id))
        self._publish({"room": str(room_id), "typing": str(user_id)})

    def close_room(self, room_id: PydanticObjectId) -> None:
        """Close the seats of a deleted room on every process."""
        self._close_seats(room_id)
        self._publish({"room": str(room_id), "is_deleted": True})

    def count_seats(self, user_id: PydanticObjectId) -> int:
        """Return the number of a user's sockets on this process."""
        return sum(seat.user_id == user_id for room in self._open.values() for seat in room.seats)

    async def __aenter__(self) -> Self:
        self._background.every(LISTEN_SECONDS, self._listen, "rooms' bus", at_once=True)
        self._background.every(CHECK_SECONDS, self._check, "rooms' check")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all sockets with 1012, upon which browsers reconnect by themselves."""
        for room in self._open.values():
            room.end(1012, "The server restarts. Reconnect in a few seconds.")
        self._is_closed = True
        await self._background.close()
        await self._bus.close()

    async def _listen(self) -> None:
        """Receive the signals of other processes until the bus fails."""
        try:
            async for signal in self._bus.listen():
                self._is_bus_down = False
                if signal["process"] != self._process:
                    await self._receive(signal)
        except ENGINE_ERRORS as error:
            if not self._is_bus_down:
                log.warning("cannot reach the rooms' bus, retrying: %s", type(error).__name__)
            self._is_bus_down = True

    async def _check(self) -> None:
        """Close the seats of ended sign-ins and read missed records. Every seventh time, send the heartbeat too.

        Reading comes last, because it may fail. The next check retries.
        """
        self._checks += 1
        for room in self._open.values():
            for seat in list(room.seats):
                if seat.is_revoked():
                    seat.end(NO_IDENTITY, "You signed out. Sign in again.")
        if self._checks % HEARTBEAT_CHECKS == 0:
            for room_id, room in list(self._open.items()):
                self._send_presence(room_id, room)
        await self._read_missed()

    async def _receive(self, signal: Signal) -> None:
        room_id = PydanticObjectId(signal["room"])
        if not (room := self._open.get(room_id)):
            return
        if "seq" in signal:
            await self._catch_up(room, signal["seq"])
        elif "typing" in signal:
            room.send(TypingSeen(user_id=PydanticObjectId(signal["typing"])))
        elif "users" in signal:
            before = room.presence()
            users = [PydanticObjectId(user) for user in signal["users"]]
            room.remote_users[signal["process"]] = users, time.monotonic()
            if room.presence() != before:
                room.send(room.presence())
            if signal.get("asks"):
                self._publish_users(room_id, room)
        elif "is_deleted" in signal:
            self._close_seats(room_id)

    async def _catch_up(self, room: OpenRoom, up_to: int) -> None:
        """Pass on all committed events, at least up to a `seq`."""
        async with room.reading:
            while room.seq is not None and room.seq < up_to:
                if not (events := await read_events(room.room_id, room.seq)):
                    return
                for event in events:
                    self._pass_on(room, event)

    def _pass_on(self, room: OpenRoom, event: PersistedEvent) -> None:
        room.seq = event.seq
        room.send(event)
        if isinstance(event, MemberLeft):
            room.end(NOT_A_MEMBER, "You are no longer in this room.", event.member.user_id)

    async def _read_missed(self) -> None:
        if not self._open:
            return
        selector = {"_id": {"$in": list(self._open)}}
        rows = await Room.get_motor_collection().find(selector, {"seq": 1, "is_deleted": 1}).to_list(None)
        for row in rows:
            if row["is_deleted"]:
                self._close_seats(row["_id"])
            elif room := self._open.get(row["_id"]):
                await self._catch_up(room, row["seq"])

    def _close_seats(self, room_id: PydanticObjectId) -> None:
        if room := self._open.get(room_id):
            room.end(NO_SUCH_ROOM, "The room was deleted.")

    def _presence_changed(self, room_id: PydanticObjectId, room: OpenRoom, asks: bool = False) -> None:
        """Send the presence after a delay that grows with the room, so that one event reports many arrivals."""
        if room.presence_due:
            return

        def send() -> None:
            room.presence_due = None
            self._send_presence(room_id, self._open.get(room_id, room), asks)

        delay = PRESENCE_SECONDS + PRESENCE_SECONDS_A_SEAT * len(room.seats)
        room.presence_due = asyncio.get_running_loop().call_later(delay, send)

    def _send_presence(self, room_id: PydanticObjectId, room: OpenRoom, asks: bool = False) -> None:
        room.send(room.presence())
        self._publish_users(room_id, room, asks)

    def _publish_users(self, room_id: PydanticObjectId, room: OpenRoom, asks: bool = False) -> None:
        signal: Signal = {"room": str(room_id), "users": [str(user) for user in room.local_users()]}
        if asks:
            signal["asks"] = True
        self._publish(signal)

    def _publish(self, signal: Signal) -> None:
        """Publish a signal in a task, so that nobody waits for a bus that hangs. A closed relay publishes nothing."""
        if self._is_closed:
            return
        self._background.start(self._publish_safely({**signal, "process": self._process}), "a room's signal")

    async def _publish_safely(self, signal: Signal) -> None:
        with contextlib.suppress(*ENGINE_ERRORS):  # `_listen` logs it, and the other processes check the database
            await self._bus.publish(signal)
