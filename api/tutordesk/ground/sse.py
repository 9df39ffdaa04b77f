"""Server-sent events: frames as bytes, and the streams of this process that are open.

Frames are bytes because sse-starlette passes bytes on unchanged. Each process has one task that ends all streams when
the server stops, and one that checks every two seconds whether each reader may still read.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Self

import orjson
import pymongo.errors
from pydantic import BaseModel
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from tutordesk.ground.background import Background
from tutordesk.ground.metrics import OPEN_STREAMS

FIRST_BYTES = b": ok\nretry: 1000\n\n"
KEEP_ALIVE = b": still here\n\n"
KEEP_ALIVE_SECONDS = 15.0
CHECK_SECONDS = 2.0
MayRead = Callable[[], Awaitable[bool]]


def frame(event: str, data: BaseModel | dict[str, object]) -> bytes:
    """Return an event as sent over the wire, without a model's unset fields."""
    fields = data.model_dump(mode="json", exclude_unset=True) if isinstance(data, BaseModel) else data
    return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(fields))


class Streams:
    """The open streams of this process. Use as `async with Streams() as streams`."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[object], MayRead] = {}
        self._background = Background()

    def respond(self, frames: AsyncGenerator[bytes], may_read: MayRead) -> "ByteStream":
        """Return the response that sends `frames` for as long as `may_read` says so."""
        return ByteStream(frames, may_read, self._open)

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
        """End the streams of readers who signed out or were removed from the room."""
        for stream, may_read in list(self._open.items()):
            with contextlib.suppress(pymongo.errors.PyMongoError):  # the next check may reach the database
                if not await may_read() and stream in self._open:
                    del self._open[stream]
                    stream.cancel()


class ByteStream(EventSourceResponse):
    """sse-starlette's response for frames that are bytes already, with one extra task instead of a group of four.

    `frames` yields a comment at least every 15 s. A reader that leaves and a server that stops cancel the stream. So
    does `Streams`, which removes it from `streams` first.
    """

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        may_read: MayRead,
        streams: dict[asyncio.Task[object], MayRead],
        status_code: int = 200,  # FastAPI reads this default for the API's description
    ) -> None:
        self._frames, self._may_read, self._streams = frames, may_read, streams
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
            self._streams[stream] = self._may_read
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
