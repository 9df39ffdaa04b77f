"""A browser's side, with little CPU: asks over a connection of its own and reads the events to the end."""

import asyncio
import re
import time
from typing import Any, TypeVar, cast

import orjson

DELTA = b"event: message_delta"
SECONDS = 60.0
START = re.compile(rb"event: message_start\ndata: [^\n]+\n")
FRAME = re.compile(rb"id: (\d+)\nevent: message_delta\ndata: ([^\n]*)\n\n")
R = TypeVar("R", bound="WireReader")


class WireReader(asyncio.Protocol):
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
        """The visitor's cookie from the answer, as `name=value`, or None."""
        head = bytes(self.data).partition(b"\r\n\r\n")[0].decode("latin-1")
        cookies = [line[12:].split(";")[0] for line in head.split("\r\n") if line.lower().startswith("set-cookie: ")]
        return cookies[0] if cookies else None

    def start(self) -> dict[str, Any]:
        """Return the data of `message_start`: `id`, `session_id` and more."""
        line = bytes(self.data).partition(b"message_start\ndata: ")[2].split(b"\n", 1)[0]
        start: dict[str, Any] = orjson.loads(line)
        return start

    def events(self) -> list[dict[str, Any]]:
        """Return the data of all events. Raises RuntimeError unless the stream ended with `done`."""
        if b"event: done" not in self.data:
            raise RuntimeError(f"a stream broke off: {bytes(self.data[-600:])!r}")
        return [orjson.loads(line[6:]) for line in bytes(self.data).splitlines() if line.startswith(b"data: ")]

    def text(self) -> str:
        return "".join(event["delta"] for event in self.events() if "delta" in event and "is_loading" not in event)


class TimedReader(WireReader):
    """Notes when each part of the text came: `arrivals` are times with the number of bytes until then."""

    def __init__(self) -> None:
        super().__init__()
        self.ended_at = 0.0
        self.arrivals: list[tuple[float, int]] = []
        self.has_begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.has_begun.done() and START.search(self.data):
            self.has_begun.set_result(None)
        self.arrivals.append((time.perf_counter(), len(self.data)))

    def arrival_of(self, place: int) -> float | None:
        """Return when the character at `place` came, None if never. The stream was read from its beginning."""
        for frame in FRAME.finditer(self.data):
            if int(frame[1]) > place:
                return next(at for at, size in self.arrivals if size >= frame.end())
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended_at = time.perf_counter()

    def text_at(self, moment: float) -> str:
        """Return the text that had come by `moment`. The stream was read from its beginning."""
        return grow("", bytes(self.data[: max((end for at, end in self.arrivals if at <= moment), default=0)]))


def grow(text: str, data: bytes) -> str:
    """Return `text` and the whole deltas of `data` behind it. Raises RuntimeError at a gap and at a repeat."""
    for end, delta in FRAME.findall(data):
        more = orjson.loads(delta)["delta"]
        if int(end) != len(text) + len(more):
            raise RuntimeError(f"{len(more)} characters that end at {end.decode()} came behind {len(text)}")
        text += more
    return text


def follow_request(reply_id: str, cookie: str | None, position: int = 0) -> bytes:
    lines = [f"GET /chat/replies/{reply_id}/stream HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"Cookie: {cookie}", f"Last-Event-ID: {position}"]
    return "\r\n".join([*lines, "", ""]).encode()


def ask_request(
    message: str, session_id: str | None = None, cookie: str | None = None, client_message_id: str | None = None
) -> bytes:
    fields = {"message": message, "session_id": session_id, "client_message_id": client_message_id}
    body = orjson.dumps({name: value for name, value in fields.items() if value})
    lines = ["POST /chat/global/stream HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", "Connection: close"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def connect(port: int) -> WireReader:
    return await _connect(port, WireReader)


async def connect_timed(port: int) -> TimedReader:
    return await _connect(port, TimedReader)


async def _connect(port: int, kind: type[R]) -> R:
    _, reader = await asyncio.get_running_loop().create_connection(kind, "127.0.0.1", port)
    return reader


async def ask(port: int, request: bytes) -> WireReader:
    """Ask and read the whole stream."""
    reader = await connect(port)
    reader.send(request)
    await asyncio.wait_for(reader.is_over, SECONDS)
    return reader


async def get(port: int, path: str, cookie: str = "") -> tuple[str, bytes]:
    """Return head and body of a GET on a connection of its own."""
    stream, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nConnection: close\r\n"
    request += f"Cookie: {cookie}\r\n\r\n" if cookie else "\r\n"
    writer.write(request.encode())
    head = (await stream.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
    body = await stream.readexactly(length)
    writer.close()
    return head, body


async def wire_state(port: int) -> dict[str, Any]:
    state: dict[str, Any] = orjson.loads((await get(port, "/state"))[1])
    return state
