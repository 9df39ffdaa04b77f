"""Members of a room on two servers: some lose their connections again and again, others send until it is confirmed."""

import asyncio
import contextlib
import random

from websockets.exceptions import WebSocketException

from testing.processes import Pair
from testing.rooms.people import Event, MessageRefused, Person, Socket, open_socket


class Watcher:
    """A member that loses its connection again and again, and returns to either server with `?after=`."""

    def __init__(self, member: Person, pair: Pair, room_id: str, chance: random.Random) -> None:
        self.member, self.pair, self.room_id, self.chance = member, pair, room_id, chance
        self.seq, self.cuts, self.events = 0, 0, list[Event]()

    async def watch(self) -> None:
        while True:
            server = self.chance.choice(self.pair)
            with contextlib.suppress(OSError, WebSocketException, TimeoutError, EOFError):
                async with open_socket(server.url, self.room_id, self.member.cookie, self.seq) as connection:
                    async with asyncio.timeout(self.chance.uniform(0.2, 2.0)):
                        await self._read(Socket(connection))
            self.cuts += 1
            await asyncio.sleep(0.05)

    async def _read(self, socket: Socket) -> None:
        while True:
            event = await socket.next(60)
            if "seq" in event and event["type"] != "resumed":
                assert event["seq"] == self.seq + 1, "a gap or a double"
                self.seq = event["seq"]
                self.events.append(event)


async def send_all(sender: Person, pair: Pair, room_id: str, count: int, chance: random.Random) -> None:
    """Send each message until it is confirmed, over whichever server answers. A busy database refuses for a while."""
    number = 0
    while number < count:
        with contextlib.suppress(OSError, WebSocketException, TimeoutError, EOFError):
            async with open_socket(chance.choice(pair).url, room_id, sender.cookie) as connection:
                socket = Socket(connection)
                while number < count:
                    if await _is_posted(socket, f"{sender.name} {number}", f"key {number}"):
                        number += 1
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)


async def _is_posted(socket: Socket, content: str, key: str) -> bool:
    try:
        await socket.say(content, key)
    except MessageRefused as refusal:
        if refusal.code != "unavailable":
            raise
        return False
    return True
