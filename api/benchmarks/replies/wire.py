"""A load wire: the streaming answers of Gemini and of OpenAI-compatible servers, at an even pace and with little CPU.

`python -m benchmarks.replies.wire` prints its port. Each request gets `chunks` chunks of 24 characters, shaped as the
real services shape them, one each 1/`per_second` s (the first at once), then the finishing chunk with its usage.

| GET | does |
|---|---|
| `/set?chunks=300&per_second=20` | what comes from now on, counted anew; 0 a second: only the first chunk |
| `/state` | `sent` chunks with text, `open` streams, `begun`, and `first_ms`, from each request to its first chunk |

Streams are spread over the pace's interval, because real ones do not tick together. What asks for a chat's title gets
one chunk at once and is not counted.
"""

import asyncio
import sys
import time
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import orjson
import uvloop

TEXT = "so the proxy says no to "
GOLDEN = 0.618034
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
TITLE_RULES = b"Name a chat between"


class Load:
    """The settings of the streams, and counts of what was sent."""

    def __init__(self) -> None:
        self.set({})

    def set(self, options: dict[str, str]) -> None:
        self.chunks = int(options.get("chunks", 300))
        self.per_second = float(options.get("per_second", 20))
        self.sent = self.begun = self.open = 0
        self.first_ms: list[float] = []

    def state(self) -> bytes:
        names = ("sent", "open", "begun", "first_ms")
        return orjson.dumps({name: getattr(self, name) for name in names})


class Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.timer: asyncio.TimerHandle | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()
        self._close_stream()

    def data_received(self, data: bytes) -> None:
        received = time.perf_counter()
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < (length := _content_length(head)):
            return
        self.buffer = body[length:]
        target = head.split(b" ", 2)[1].decode()
        if head.startswith(b"GET"):
            self._control(target)
        elif TITLE_RULES in body:
            self.chunk, self.ending = FRAMES[_kind(target)]
            self.transport.write(HEAD + self.chunk + self.ending)
        else:
            self._begin(_kind(target), received)

    def _control(self, target: str) -> None:
        address = urlsplit(target)
        if address.path == "/set":
            self.load.set(dict(parse_qsl(address.query)))
        body = self.load.state()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def _begin(self, kind: str, received: float) -> None:
        load, loop = self.load, asyncio.get_running_loop()
        self.chunk, self.ending = FRAMES[kind]
        self.left, self.step = load.chunks - 1, 1 / load.per_second if load.per_second else 0.0
        self.transport.write(HEAD + self.chunk)
        load.first_ms.append((time.perf_counter() - received) * 1000)
        load.begun, load.open, load.sent = load.begun + 1, load.open + 1, load.sent + 1
        self.is_open = True
        if self.step:
            self.due = loop.time() + self.step * (0.5 + load.begun * GOLDEN % 1)
            self.timer = loop.call_at(self.due, self._next)

    def _next(self) -> None:
        if self.left:
            self.left -= 1
            self.load.sent += 1
            self.transport.write(self.chunk)
            self.due += self.step
            self.timer = asyncio.get_running_loop().call_at(self.due, self._next)
        else:
            self._close_stream()
            self.transport.write(self.ending)

    def _close_stream(self) -> None:
        self.load.open -= self.is_open
        self.is_open = False


def _kind(target: str) -> str:
    return "gemini" if ":streamGenerateContent" in target else "openai"


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0] or 0)


def _gemini(text: str, ending: dict[str, Any]) -> dict[str, Any]:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, **ending, "index": 0}
    usage = {"promptTokenCount": 21, "candidatesTokenCount": 17, "totalTokenCount": 38}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "load", "responseId": "mO3ZaLqkL8"}


def _openai(delta: dict[str, str], ending: str | None, **usage: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ending}
    head = {"id": "chatcmpl-load", "object": "chat.completion.chunk", "created": 1790000000, "model": "load"}
    return {**head, "choices": [choice], **usage}


def _frame(data: dict[str, Any], line: bytes) -> bytes:
    return _http_chunk(b"data: " + orjson.dumps(data) + line * 2)


def _http_chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


_USAGE = {"prompt_tokens": 21, "completion_tokens": 17, "total_tokens": 38}
FRAMES = {
    "gemini": (_frame(_gemini(TEXT, {}), b"\r\n"), _frame(_gemini("", {"finishReason": "STOP"}), b"\r\n") + LAST),
    "openai": (
        _frame(_openai({"content": TEXT}, None), b"\n"),
        _frame(_openai({}, "stop", usage=_USAGE), b"\n") + _http_chunk(b"data: [DONE]\n\n") + LAST,
    ),
}


async def _main() -> None:
    load = Load()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(load), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        uvloop.run(_main())
    except KeyboardInterrupt:
        sys.exit(0)
