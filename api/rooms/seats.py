"""Seats: the sockets that a room has on this process. Each has a list of what is to be sent, and nobody waits for it.

Who falls 256 events or 1 MB behind is cut off.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from beanie import PydanticObjectId
from pydantic import BaseModel

from api.rooms.events import TOO_SLOW, Presence

MOST_EVENTS, MOST_CHARACTERS = 256, 1_000_000
MOST_PRESENT = 200
SILENT_SECONDS = 35.0


class Seat:
    """One socket in a room, of the task that makes it. `put` never waits; `end` closes it with a code and a reason."""

    def __init__(self, user_id: PydanticObjectId, is_revoked: Callable[[], bool]) -> None:
        self.user_id, self.is_revoked = user_id, is_revoked
        self.closing: tuple[int, str] | None = None
        self._outgoing: deque[str] = deque()
        self._characters = 0
        self._task = asyncio.current_task()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, text: str) -> None:
        if self.closing:
            return
        if len(self._outgoing) >= MOST_EVENTS or self._characters + len(text) > MOST_CHARACTERS:
            self.end(TOO_SLOW, "You fell behind what happens in the room.")
            return
        self._outgoing.append(text)
        self._characters += len(text)
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, code: int, reason: str) -> None:
        """Cancel the socket's task, which may be stuck in sending; it finds code and reason in `closing`."""
        if not self.closing:
            self.closing = code, reason
            if self._task:
                self._task.cancel()

    async def next(self) -> str:
        """What to send next; waits for it."""
        while not self._outgoing:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        text = self._outgoing.popleft()
        self._characters -= len(text)
        return text


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
        text = event.model_dump_json()
        for seat in list(self.seats):
            seat.put(text)

    def here(self) -> list[PydanticObjectId]:
        return list({seat.user_id: None for seat in self.seats})[:MOST_PRESENT]

    def presence(self) -> Presence:
        """Who is there, on any process that was heard of lately: two hundred of them at the most."""
        since = time.monotonic() - SILENT_SECONDS
        others = (users for users, heard_at in self.elsewhere.values() if heard_at > since)
        everybody = {*self.here(), *(user for users in others for user in users)}
        return Presence(user_ids=sorted(everybody)[:MOST_PRESENT])

    def end(self, code: int, reason: str, user_id: PydanticObjectId | None = None) -> None:
        """Close every seat, or those of one user."""
        for seat in list(self.seats):
            if user_id in (None, seat.user_id):
                seat.end(code, reason)
