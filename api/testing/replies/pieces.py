"""Reads one reply in pieces, over connections that break at any byte, also inside a character and inside a frame."""

import asyncio
import random
from collections.abc import Sequence

from testing.replies.wire_reader import WireReader, ask, follow_request, grow

MAX_BYTES = 3_000


class Pieces:
    """One browser's text. Each piece begins where the last whole frame ended, or at the start after a reload."""

    def __init__(self, ports: Sequence[int], first: WireReader, chance: random.Random) -> None:
        self.ports, self.chance = ports, chance
        self.reply_id, self.cookie = first.start()["id"], first.cookie
        first.transport.abort()
        self.text = ""
        self.cuts = self.halves = 0

    async def read(self, cuts: int, max_bytes: int = MAX_BYTES) -> None:
        """Read to the end with at most `cuts` cuts. Raises RuntimeError at a gap and at a repeat."""
        while self.cuts < cuts and not await self._read_some(self.chance.randint(1, max_bytes)):
            self.cuts += 1
            if self.chance.random() < 0.2:
                self.text = ""
        last = await ask(self._port(), follow_request(self.reply_id, self.cookie, len(self.text)))
        self.text = grow(self.text, bytes(last.data))
        ending = last.events()[-2]
        if ending["content"] != self.text:
            raise RuntimeError(f"{len(self.text)} characters came, but the ending is {ending}")

    async def _read_some(self, size: int) -> bool:
        """Read `size` bytes and break the connection. Returns whether the stream was over before."""
        stream, writer = await asyncio.open_connection("127.0.0.1", self._port())
        writer.write(follow_request(self.reply_id, self.cookie, len(self.text)))
        try:
            data = await asyncio.wait_for(stream.readexactly(size), 20)
        except asyncio.IncompleteReadError as ended:
            self.text = grow(self.text, ended.partial)
            return True
        finally:
            writer.transport.abort()
        self.text = grow(self.text, data)
        self.halves += _ends_in_a_character(data)
        return False

    def _port(self) -> int:
        return self.chance.choice(self.ports)


def _ends_in_a_character(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False
