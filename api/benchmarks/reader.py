"""A browser's side, with little CPU: asks over a connection of its own and reads the events to the end."""

import asyncio
import time
from typing import Any, cast

import orjson

DELTA = b"event: message_delta"
SECONDS = 60.0


class Reader(asyncio.Protocol):
    """One ask and its stream. Times are of `time.perf_counter`; `first_at` is 0 until the first text is here."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.data = bytearray()
        self.sent_at = self.first_at = 0.0
        self.has_text: asyncio.Future[None] = loop.create_future()
        self.is_over: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.first_at and DELTA in self.data:
            self.first_at = time.perf_counter()
            self.has_text.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_over.done():
            self.is_over.set_result(None)

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    @property
    def cookie(self) -> str | None:
        """The visitor's cookie that came with the answer, as `name=value`."""
        head = bytes(self.data).partition(b"\r\n\r\n")[0].decode("latin-1")
        found = [line[12:].split(";")[0] for line in head.split("\r\n") if line.lower().startswith("set-cookie: ")]
        return found[0] if found else None

    def events(self) -> list[dict[str, Any]]:
        """The data of all events. Raises RuntimeError unless the stream ended as it should."""
        if b"event: done" not in self.data:
            raise RuntimeError(f"a stream broke off: {bytes(self.data[-600:])!r}")
        return [orjson.loads(line[6:]) for line in bytes(self.data).splitlines() if line.startswith(b"data: ")]

    def text(self) -> str:
        return "".join(event.get("delta", "") for event in self.events())


def ask_request(message: str, session_id: str | None = None, cookie: str | None = None) -> bytes:
    body = orjson.dumps({"message": message, **({"session_id": session_id} if session_id else {})})
    lines = ["POST /chat/global/stream HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", "Connection: close"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def connect(port: int) -> Reader:
    _, reader = await asyncio.get_running_loop().create_connection(Reader, "127.0.0.1", port)
    return reader


async def ask(port: int, request: bytes) -> Reader:
    """Ask and read the whole stream."""
    reader = await connect(port)
    reader.send(request)
    await asyncio.wait_for(reader.is_over, SECONDS)
    return reader


async def get(port: int, path: str) -> tuple[str, bytes]:
    """Head and body of a GET on a connection of its own."""
    stream, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    head = (await stream.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
    body = await stream.readexactly(length)
    writer.close()
    return head, body


async def wire_state(port: int) -> dict[str, Any]:
    state: dict[str, Any] = orjson.loads((await get(port, "/state"))[1])
    return state
