"""Seats: the sockets of a room on this process. No socket delays another one.

An event becomes a frame once, and is written to every socket that is ready (`RoomProtocol` in serving/server.py). For
a slow socket it waits in a list. A socket that falls 256 events or 1 MB behind is closed.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypedDict

from beanie import PydanticObjectId
from pydantic import BaseModel
from websockets.frames import Frame, Opcode

from tutordesk.rooms.events import TOO_SLOW, Presence

MAX_EVENTS, MAX_BYTES = 256, 1_000_000
WIRE = "tutordesk.wire"
MAX_PRESENT_USERS = 200
MAX_SILENT_SECONDS = 35.0


class Wire(TypedDict):
    """A socket's functions beside ASGI. `write` returns False while the socket is not writable."""

    write: Callable[[bytes], bool]
    writable: Callable[[], Awaitable[object]]
    abort: Callable[[], None]


class Seat:
    """One socket in a room, which belongs to the task that creates it.

    `put` never waits. `end` closes the socket with a code and a reason. Frames wait until `write_all` runs, which must
    be after the replay.
    """

    def __init__(self, user_id: PydanticObjectId, is_revoked: Callable[[], bool], wire: Wire) -> None:
        self.user_id, self.is_revoked = user_id, is_revoked
        self.closing: tuple[int, str] | None = None
        self._wire, self._outgoing, self._bytes = wire, deque[bytes](), 0
        self._task = asyncio.current_task()
        self._is_live = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, frame: bytes) -> None:
        """Write a frame, or let it wait. Closes a socket that is too far behind."""
        if self.closing or (self._is_live and not self._outgoing and self._wire["write"](frame)):
            return
        if len(self._outgoing) >= MAX_EVENTS or self._bytes + len(frame) > MAX_BYTES:
            self.end(TOO_SLOW, "Your connection is too slow. Reconnect to catch up.")
            return
        self._outgoing.append(frame)
        self._bytes += len(frame)
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, code: int, reason: str) -> None:
        """Cancel the socket's task, which may be stuck in sending. It reads code and reason from `closing`."""
        if not self.closing:
            self.closing = code, reason
            if self._task:
                self._task.cancel()

    async def write_all(self) -> None:
        """Write the waiting frames, now and whenever there are new ones. Runs until it is cancelled."""
        self._is_live = True
        try:
            while not self.closing:
                while self._outgoing:
                    await self._wire["writable"]()
                    frame = self._outgoing.popleft()
                    self._bytes -= len(frame)
                    self._wire["write"](frame)
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        except Exception:  # a socket without its writer would look alive and show nothing
            self.end(1011, "The server failed. Reconnect in a few seconds.")
            raise


def frame_of(event: BaseModel) -> bytes:
    """Return the event as a WebSocket's text frame."""
    return Frame(Opcode.TEXT, event.model_dump_json().encode()).serialize(mask=False)


class OpenRoom:
    """A room that has seats on this process.

    - `seq`: the number of the last event passed on, or None until it was read from MongoDB.
    - `users`: the number of running `Relay.join`s.
    - `remote_users`: for every other process, its users in the room and the time of its last signal.
    """

    def __init__(self, room_id: PydanticObjectId) -> None:
        self.room_id = room_id
        self.seats: set[Seat] = set()
        self.users = 0
        self.seq: int | None = None
        self.reading = asyncio.Lock()
        self.remote_users: dict[str, tuple[list[PydanticObjectId], float]] = {}
        self.presence_due: asyncio.TimerHandle | None = None

    def send(self, event: BaseModel) -> None:
        """Put an event to every seat."""
        frame = frame_of(event)
        for seat in list(self.seats):
            seat.put(frame)

    def local_users(self) -> list[PydanticObjectId]:
        """Return the users with seats on this process, at most two hundred."""
        return list({seat.user_id: None for seat in self.seats})[:MAX_PRESENT_USERS]

    def presence(self) -> Presence:
        """Return the users in the room on all processes that sent a signal lately, at most two hundred."""
        since = time.monotonic() - MAX_SILENT_SECONDS
        remote = (users for users, received_at in self.remote_users.values() if received_at > since)
        everybody = {*self.local_users(), *(user for users in remote for user in users)}
        return Presence(user_ids=sorted(everybody)[:MAX_PRESENT_USERS])

    def end(self, code: int, reason: str, user_id: PydanticObjectId | None = None) -> None:
        """Close every seat, or those of one user."""
        for seat in list(self.seats):
            if user_id in (None, seat.user_id):
                seat.end(code, reason)
