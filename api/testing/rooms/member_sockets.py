"""Members of a room with little CPU: a socket that only counts and times what comes, for a thousand of them at once."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any, cast

import httpx
import orjson

from testing.serving import JSON

JOINS_AT_ONCE = 20
SECONDS = 60.0


class Refused(Exception):
    """The socket did not become live: its text is the status line of the answer, or `closed`."""


class MemberSocket(asyncio.Protocol):
    """A WebSocket that reads text frames without compression and answers pings."""

    def __init__(self, heard: Callable[[float, bytes], None]) -> None:
        self.is_live: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_closed = False
        self._heard, self._data = heard, bytearray()
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if not self.is_live.done():
            self.is_live.set_exception(Refused("closed"))

    def data_received(self, data: bytes) -> None:
        moment = time.perf_counter()
        self._data += data
        if not self._is_open:
            if b"\r\n\r\n" not in self._data:
                return
            head, _, rest = bytes(self._data).partition(b"\r\n\r\n")
            if b" 101 " not in head:
                self.is_live.set_exception(Refused(head.partition(b"\r\n")[0].decode()))
                self.transport.close()
                return
            self._is_open, self._data = True, bytearray(rest)
        while frame := self._take_frame():
            opcode, body = frame
            if opcode == 9:
                self.send(body, 10)
            elif opcode == 1:
                if body.startswith(b'{"type":"resumed"') and not self.is_live.done():
                    self.is_live.set_result(None)
                self._heard(moment, body)

    def _take_frame(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        length, start = data[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(data[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10]), 10
        if len(data) < start + length:
            return None
        opcode, body = data[0] & 15, bytes(data[start : start + length])
        del data[: start + length]
        return opcode, body

    def send(self, body: bytes, opcode: int = 1) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
        size = bytes([128 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2)
        self.transport.write(bytes([128 | opcode]) + size + mask + masked)

    def say(self, key: str, content: str) -> None:
        self.send(orjson.dumps({"type": "send", "client_message_id": key, "content": content}))


async def make_people(port: int, names: list[str]) -> tuple[str, dict[str, str]]:
    """Create a room that all of them join. Returns its id, and the cookies by the users' ids, in order."""
    url, made = f"http://127.0.0.1:{port}", dict[str, str]()
    slots = asyncio.Semaphore(JOINS_AT_ONCE)
    room_id = ""

    async def come(name: str) -> tuple[str, str]:
        async with slots, httpx.AsyncClient(base_url=url, headers=JSON, timeout=SECONDS) as client:
            me = (await client.patch("/me", json={"name": name})).raise_for_status().json()
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            if room_id:
                (await client.post(f"/rooms/{room_id}/join", json={})).raise_for_status()
            return me["id"], cookie

    owner, cookie = await come(names[0])
    async with httpx.AsyncClient(base_url=url, headers={**JSON, "Cookie": cookie}) as client:
        room_id = (await client.post("/rooms", json={"name": "A full room"})).raise_for_status().json()["id"]
    made[owner] = cookie
    made |= dict(await asyncio.gather(*(come(name) for name in names[1:])))
    return room_id, made


async def take_seat(port: int, room_id: str, cookie: str, heard: Callable[[float, bytes], None]) -> MemberSocket:
    """Open a socket and wait until it is live."""
    made: Any = await asyncio.get_running_loop().create_connection(lambda: MemberSocket(heard), "127.0.0.1", port)
    socket: MemberSocket = made[1]
    socket.transport.write(handshake(port, room_id, cookie))
    await asyncio.wait_for(socket.is_live, SECONDS)
    return socket


def handshake(port: int, room_id: str, cookie: str) -> bytes:
    lines = [f"GET /rooms/{room_id}/socket HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", f"Origin: http://127.0.0.1:{port}", f"Cookie: {cookie}"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    return "\r\n".join([*lines, "", ""]).encode()
