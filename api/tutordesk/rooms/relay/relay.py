"""The relay: how what happens in a room reaches all who are in it, on any process, in one order.

A record is committed first (timeline.py), then relayed. The process that committed it tells its own members at once
and gives the others a hint over the bus; each process passes records on strictly by `seq` and reads from MongoDB what
it is missing, so a lost hint costs time and nothing else: every two seconds it looks for itself.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.background import Background
from tutordesk.rooms.events import NO_IDENTITY, NO_SUCH_ROOM, NOT_A_MEMBER, MemberLeft, PersistedEvent, TypingSeen
from tutordesk.rooms.models import Room
from tutordesk.rooms.relay.bus import ENGINE_ERRORS, Bus, Signal
from tutordesk.rooms.relay.seats import OpenRoom, Seat, frame_of
from tutordesk.rooms.timeline import read_events

log = logging.getLogger(__name__)
LISTEN_SECONDS, LOOK_SECONDS = 0.5, 2.0
HEARTBEAT_LOOKS = 7
PRESENCE_SECONDS, PRESENCE_SECONDS_A_SEAT = 0.2, 0.01


class Relay:
    """Use as `async with Relay(…)`. `process` names this process to the others."""

    def __init__(self, process: str, bus: Bus) -> None:
        self._process, self._bus = process, bus
        self._open: dict[PydanticObjectId, OpenRoom] = {}
        self._background = Background()
        self._looks, self._is_away = 0, False

    @asynccontextmanager
    async def join(self, room_id: PydanticObjectId, seat: Seat, after: int) -> AsyncIterator[int]:
        """Take a seat. Yields the `seq` up to which the member is to be told by replay; what follows is put to it.

        `after`: what the member knows already. Who comes from another process may know more than this one does.
        """
        room = self._open.setdefault(room_id, OpenRoom(room_id))
        room.users += 1
        try:
            async with room.reading:
                if room.seq is None:
                    found = await Room.get_motor_collection().find_one({"_id": room_id}, {"seq": 1})
                    room.seq = found["seq"] if found else 0
            await self._catch_up(room, after)
            room.seats.add(seat)
            seq = room.seq
            seat.put(frame_of(room.presence()))
            self._presence_changed(room_id, room, {"asks": True} if len(room.seats) == 1 else {})
            yield seq
        finally:
            room.seats.discard(seat)
            room.users -= 1
            if not room.users:
                del self._open[room_id]
            self._presence_changed(room_id, room)

    async def announce(self, room_id: PydanticObjectId, event: PersistedEvent) -> None:
        """Relay what this process has just committed."""
        if room := self._open.get(room_id):
            if room.seq is not None and event.seq == room.seq + 1 and not room.reading.locked():
                self._pass_on(room, event)
            else:
                await self._catch_up(room, event.seq)
        self._publish({"room": str(room_id), "seq": event.seq})

    def tell_typing(self, room_id: PydanticObjectId, user_id: PydanticObjectId) -> None:
        if room := self._open.get(room_id):
            room.send(TypingSeen(user_id=user_id))
        self._publish({"room": str(room_id), "typing": str(user_id)})

    def close_room(self, room_id: PydanticObjectId) -> None:
        """Everybody out: it was deleted."""
        self._end_all(room_id)
        self._publish({"room": str(room_id), "is_deleted": True})

    def count_seats(self, user_id: PydanticObjectId) -> int:
        return sum(seat.user_id == user_id for room in self._open.values() for seat in room.seats)

    async def __aenter__(self) -> Self:
        self._background.every(LISTEN_SECONDS, self._listen, "rooms' bus", at_once=True)
        self._background.every(LOOK_SECONDS, self._look, "rooms' look")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Sockets close with 1012, and browsers come back by themselves."""
        for room in self._open.values():
            room.end(1012, "The server restarts.")
        await self._background.close()
        await self._bus.close()

    async def _listen(self) -> None:
        """Hear the other processes until the bus breaks off."""
        try:
            async for signal in self._bus.listen():
                self._is_away = False
                if signal["process"] != self._process:
                    await self._hear(signal)
        except ENGINE_ERRORS as error:
            if not self._is_away:
                log.warning("the rooms do without their bus: %s", type(error).__name__)
            self._is_away = True

    async def _look(self) -> None:
        """End the seats of ended identities, and read what was missed; the heartbeat every seventh time."""
        self._looks += 1
        for room in self._open.values():
            for seat in list(room.seats):
                if seat.is_revoked():
                    seat.end(NO_IDENTITY, "You signed out.")
        with contextlib.suppress(pymongo.errors.PyMongoError):  # then it looks again in two seconds
            await self._look_for_missed()
        if self._looks % HEARTBEAT_LOOKS == 0:
            for room_id, room in list(self._open.items()):
                self._tell_presence(room_id, room, {})

    async def _hear(self, signal: Signal) -> None:
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
            room.elsewhere[signal["process"]] = users, time.monotonic()
            if room.presence() != before:
                room.send(room.presence())
            if signal.get("asks"):
                self._publish_users(room_id, room, {})
        elif "is_deleted" in signal:
            self._end_all(room_id)

    async def _catch_up(self, room: OpenRoom, up_to: int) -> None:
        """Pass on all that is committed, at least up to that `seq`."""
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

    async def _look_for_missed(self) -> None:
        if not self._open:
            return
        here = {"_id": {"$in": list(self._open)}}
        found = Room.get_motor_collection().find(here, {"seq": 1, "is_deleted": 1})
        for row in await found.to_list(None):
            if row["is_deleted"]:
                self._end_all(row["_id"])
            elif room := self._open.get(row["_id"]):
                await self._catch_up(room, row["seq"])

    def _end_all(self, room_id: PydanticObjectId) -> None:
        if room := self._open.get(room_id):
            room.end(NO_SUCH_ROOM, "The room was deleted.")

    def _presence_changed(self, room_id: PydanticObjectId, room: OpenRoom, more: Signal | None = None) -> None:
        """Tell it soon, and the later the more there are: many who come at once are told of in one event."""
        if room.presence_due:
            return

        def tell() -> None:
            room.presence_due = None
            self._tell_presence(room_id, self._open.get(room_id, room), more or {})

        delay = PRESENCE_SECONDS + PRESENCE_SECONDS_A_SEAT * len(room.seats)
        room.presence_due = asyncio.get_running_loop().call_later(delay, tell)

    def _tell_presence(self, room_id: PydanticObjectId, room: OpenRoom, more: Signal) -> None:
        room.send(room.presence())
        self._publish_users(room_id, room, more)

    def _publish_users(self, room_id: PydanticObjectId, room: OpenRoom, more: Signal) -> None:
        self._publish({"room": str(room_id), "users": [str(user) for user in room.here()], **more})

    def _publish(self, signal: Signal) -> None:
        """On its way beside what is done: an engine that hangs holds up nobody."""
        self._background.start(self._send({**signal, "process": self._process}), "a room's signal")

    async def _send(self, signal: Signal) -> None:
        with contextlib.suppress(*ENGINE_ERRORS):  # `_listen` says that it is away; the others look for themselves
            await self._bus.publish(signal)
