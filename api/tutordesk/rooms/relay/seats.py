"""Seats: the sockets that a room has on this process. Nobody waits for any of them.

An event is made into a frame once and written to every socket that takes it (server.py's RoomProtocol); for one that is
behind, it waits in a list. Who falls 256 events or 1 MB behind is cut off.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from beanie import PydanticObjectId
from pydantic import BaseModel
from websockets.frames import Frame, Opcode

from tutordesk.rooms.events import TOO_SLOW, Presence

MAX_EVENTS, MAX_BYTES = 256, 1_000_000
WIRE = "tutordesk.wire"
Wire = dict[str, Any]
MAX_PRESENT_USERS = 200
SILENT_SECONDS = 35.0


class Seat:
    """One socket in a room, of the task that makes it. `put` never waits; `end` closes it with a code and a reason.

    `wire` is the socket's way past ASGI. Until `write_all` runs, which is after the replay, everything is only kept.
    """

    def __init__(self, user_id: PydanticObjectId, is_revoked: Callable[[], bool], wire: Wire) -> None:
        self.user_id, self.is_revoked = user_id, is_revoked
        self.closing: tuple[int, str] | None = None
        self._wire, self._outgoing, self._bytes = wire, deque[bytes](), 0
        self._task = asyncio.current_task()
        self._is_live = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, frame: bytes) -> None:
        if self.closing or (self._is_live and not self._outgoing and self._wire["write"](frame)):
            return
        if len(self._outgoing) >= MAX_EVENTS or self._bytes + len(frame) > MAX_BYTES:
            self.end(TOO_SLOW, "You fell behind what happens in the room.")
            return
        self._outgoing.append(frame)
        self._bytes += len(frame)
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, code: int, reason: str) -> None:
        """Cancel the socket's task, which may be stuck in sending; it finds code and reason in `closing`."""
        if not self.closing:
            self.closing = code, reason
            if self._task:
                self._task.cancel()

    async def write_all(self) -> None:
        """Write what was kept, and for ever what has to wait."""
        self._is_live = True
        while True:
            while self._outgoing:
                await self._wire["writable"]()
                frame = self._outgoing.popleft()
                self._bytes -= len(frame)
                self._wire["write"](frame)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter


def frame_of(event: BaseModel) -> bytes:
    """The event as a WebSocket's text frame."""
    return Frame(Opcode.TEXT, event.model_dump_json().encode()).serialize(mask=False)


class OpenRoom:
    """A room that somebody is in on this process. `seq`: what was passed on to them; null until it was read.

    `users`: how many joins hold it, `elsewhere`: who is there on other processes, and when those were heard last.
    """

    def __init__(self, room_id: PydanticObjectId) -> None:
        self.room_id = room_id
        self.seats: set[Seat] = set()
        self.users = 0
        self.seq: int | None = None
        self.reading = asyncio.Lock()
        self.elsewhere: dict[str, tuple[list[PydanticObjectId], float]] = {}
        self.presence_due: asyncio.TimerHandle | None = None

    def send(self, event: BaseModel) -> None:
        frame = frame_of(event)
        for seat in list(self.seats):
            seat.put(frame)

    def here(self) -> list[PydanticObjectId]:
        return list({seat.user_id: None for seat in self.seats})[:MAX_PRESENT_USERS]

    def presence(self) -> Presence:
        """Who is there, on any process that was heard of lately: two hundred of them at the most."""
        since = time.monotonic() - SILENT_SECONDS
        others = (users for users, heard_at in self.elsewhere.values() if heard_at > since)
        everybody = {*self.here(), *(user for users in others for user in users)}
        return Presence(user_ids=sorted(everybody)[:MAX_PRESENT_USERS])

    def end(self, code: int, reason: str, user_id: PydanticObjectId | None = None) -> None:
        """Close every seat, or those of one user."""
        for seat in list(self.seats):
            if user_id in (None, seat.user_id):
                seat.end(code, reason)
