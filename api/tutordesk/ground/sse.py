"""Server-sent events: frames as bytes, and the streams of this process that are open.

Frames are bytes because sse-starlette passes bytes on unchanged. Each process has one task that ends all streams when
the server stops, and one that checks every two seconds whether the readers may still read.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any, Self

import orjson
from pydantic import BaseModel
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from tutordesk.ground.background import Background
from tutordesk.ground.metrics import OPEN_STREAMS

FIRST_BYTES = b": ok\nretry: 1000\n\n"
KEEP_ALIVE = b": still here\n\n"
KEEP_ALIVE_SECONDS = 15.0
CHECK_SECONDS = 2.0
FindReaders = Callable[[Collection[Any]], Awaitable[Collection[Any]]]


@dataclass(frozen=True, slots=True)
class Reader:
    """A stream's reader. `is_revoked` returns whether the sign-in has ended, and costs nothing.

    With `find_readers`, the database decides, too: it gets the keys of all such readers in one call, and returns those
    that may still read.
    """

    is_revoked: Callable[[], bool]
    find_readers: FindReaders | None = None
    key: Hashable = None


def frame(event: str, data: BaseModel | dict[str, object]) -> bytes:
    """Return an event as sent over the wire, without a model's unset fields."""
    fields = data.model_dump(mode="json", exclude_unset=True) if isinstance(data, BaseModel) else data
    return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(fields))


class Streams:
    """The open streams of this process. Use as `async with Streams() as streams`."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[object], Reader] = {}
        self._background = Background()

    def respond(self, frames: AsyncGenerator[bytes], reader: Reader) -> "ByteStream":
        """Return the response that sends `frames` for as long as the reader may read them."""
        return ByteStream(frames, reader, self._open)

    async def __aenter__(self) -> Self:
        self._background.start(self._end_at_exit(), "end streams at exit")
        self._background.every(CHECK_SECONDS, self._end_unreadable, "end unreadable streams")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._background.close()

    async def _end_at_exit(self) -> None:
        await EventSourceResponse._listen_for_exit_signal()
        while self._open:
            self._open.popitem()[0].cancel()

    async def _end_unreadable(self) -> None:
        """End the streams of readers who signed out or were removed from the room. Raises PyMongoError."""
        asked: defaultdict[FindReaders, list[asyncio.Task[object]]] = defaultdict(list)
        for stream, reader in list(self._open.items()):
            if reader.is_revoked():
                self._end(stream)
            elif reader.find_readers:
                asked[reader.find_readers].append(stream)
        for find_readers, streams in asked.items():
            keys = {stream: self._open[stream].key for stream in streams if stream in self._open}
            readers = await find_readers(set(keys.values()))
            for stream, key in keys.items():
                if key not in readers:
                    self._end(stream)

    def _end(self, stream: asyncio.Task[object]) -> None:
        if self._open.pop(stream, None):
            stream.cancel()


class ByteStream(EventSourceResponse):
    """sse-starlette's response for frames that are bytes already, with one extra task instead of a group of four.

    `frames` yields a comment at least every 15 s. A reader that leaves and a server that stops cancel the stream. So
    does `Streams`, which removes it from `streams` first.
    """

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        reader: Reader,
        streams: dict[asyncio.Task[object], Reader],
        status_code: int = 200,  # FastAPI reads this default for the API's description
    ) -> None:
        self._frames, self._reader, self._streams = frames, reader, streams
        super().__init__(frames, status_code, ping=0, sep="\n", headers={"Cache-Control": "no-store, no-transform"})

    async def _stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with contextlib.aclosing(self._frames):
            async for frame_bytes in self._frames:
                await send({"type": "http.response.body", "body": frame_bytes, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = asyncio.current_task()
        assert stream, "a response is sent in a task"
        async with Background() as background:
            listener = background.start(self._listen_for_disconnect(receive), "listen for the reader's leaving")
            listener.add_done_callback(lambda done: None if done.cancelled() else stream.cancel())
            self._streams[stream] = self._reader
            OPEN_STREAMS.inc()
            try:
                await self._stream_response(send)
            except asyncio.CancelledError:
                has_left = listener.done() and not listener.cancelled()
                if not has_left and stream in self._streams:
                    raise
                stream.uncancel()
                if not has_left:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                self._streams.pop(stream, None)
                OPEN_STREAMS.dec()
