"""A reply as server-sent events, for whoever follows it.

| event | id | data |
|---|---|---|
| `message_start` | | `id session_id role model ticket_ids question_id left_out_messages`; only from the beginning |
| | | and `replaces`, `question` (its text) where the turn takes the place of the chat's last one |
| `message_delta` | characters so far | `delta` |
| `message_complete` | | `id content status usage citations model`, status `complete`, `stopped` or `interrupted` |
| `error` | | `error type retryable`, instead of `message_complete` |
| `done` | | `session_id` |

Frames are bytes, because sse-starlette passes bytes on as they are.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import orjson
import pymongo.errors
from beanie import PydanticObjectId
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from tutordesk.ground.metrics import OPEN_STREAMS
from tutordesk.replies.following import follow_reply
from tutordesk.replies.models import Failure, Reply, ReplyStatus
from tutordesk.replies.run import running

FIRST_BYTES = b": ok\nretry: 1000\n\n"
KEEP_ALIVE = b": still here\n\n"
GONE = Failure(error="This answer is not there any more. Ask again.", type="unknown", retryable=True)
KEEP_ALIVE_SECONDS = 15.0
LOOK_SECONDS = 2.0
MayRead = Callable[[], Awaitable[bool]]


class ByteStream(EventSourceResponse):
    """sse-starlette's response for frames that are bytes already, with one task more instead of a group of four.

    Whoever makes the frames sends a comment at least every 15 s. A reader that leaves and a server that stops cancel
    the stream; one watcher a process, not one a stream, waits for sse-starlette's sign that the server stops, and one
    asks `may_read` every two seconds: the stream ends when its reader may no longer.
    """

    def __init__(self, frames: AsyncGenerator[bytes], may_read: MayRead, status_code: int = 200) -> None:
        self._frames, self._may_read = frames, may_read
        super().__init__(frames, status_code, ping=0, sep="\n", headers={"Cache-Control": "no-store, no-transform"})

    async def _stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with contextlib.aclosing(self._frames):
            async for frame in self._frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = asyncio.current_task()
        assert stream, "a response is sent in a task"
        listener = asyncio.create_task(self._listen_for_disconnect(receive))
        listener.add_done_callback(lambda done: None if done.cancelled() else stream.cancel())
        _open_streams[stream] = self._may_read
        _watch()
        OPEN_STREAMS.inc()
        try:
            await self._stream_response(send)
        except asyncio.CancelledError:
            has_left = listener.done() and not listener.cancelled()
            if not has_left and stream in _open_streams:
                raise
            stream.uncancel()
            if not has_left:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            _open_streams.pop(stream, None)
            OPEN_STREAMS.dec()
            listener.cancel()


_open_streams: dict[asyncio.Task[Any], MayRead] = {}
_watchers: set[asyncio.Task[None]] = set()


def _watch() -> None:
    if not _watchers:
        for work in (_end_streams_at_exit, _end_what_may_not_be_read):
            watcher = asyncio.create_task(work(), name=work.__name__)
            _watchers.add(watcher)
            watcher.add_done_callback(_watchers.discard)


async def _end_streams_at_exit() -> None:
    await EventSourceResponse._listen_for_exit_signal()
    while _open_streams:
        _open_streams.popitem()[0].cancel()


async def _end_what_may_not_be_read() -> None:
    """S-13, S-04: a reader who signed out or was put out reads no further."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for stream, may_read in list(_open_streams.items()):
            with contextlib.suppress(pymongo.errors.PyMongoError):  # asked again when the database is back
                if not await may_read() and stream in _open_streams:
                    del _open_streams[stream]
                    stream.cancel()


def frame(event: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(data, default=str))


def position_of(last_event_id: str | None, after: str | None) -> int:
    """Where to go on, in characters. What makes no sense counts as the beginning."""
    text = (last_event_id or after or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def sse_frames(reply: Reply, position: int = 0) -> AsyncGenerator[bytes]:
    """The stream of one reply from a character on, from its first byte to `done`."""
    reply_id = PydanticObjectId(reply.id)
    yield FIRST_BYTES
    if position == 0:
        yield frame("message_start", _start(reply))
    async for end, delta in follow_reply(reply_id, position):
        if delta:
            yield b'id: %d\nevent: message_delta\ndata: {"delta":%b}\n\n' % (end, orjson.dumps(delta))
        else:
            yield KEEP_ALIVE
    run = running.get(reply_id)
    ended = run.reply if run else await Reply.get(reply_id)
    yield _ending(ended) if ended else frame("error", GONE.model_dump())
    yield frame("done", {"session_id": reply.session_id})


def _start(reply: Reply) -> dict[str, Any]:
    replaced = {"replaces": reply.replaces, "question": reply.question.content} if reply.replaces else {}
    return {
        **replaced,
        "id": reply.id,
        "session_id": reply.session_id,
        "role": "assistant",
        "model": reply.model,
        "ticket_ids": reply.ticket_ids,
        "question_id": reply.question.id,
        "left_out_messages": reply.left_out_messages,
    }


def _ending(reply: Reply) -> bytes:
    if reply.status is ReplyStatus.failed and reply.error:
        return frame("error", reply.error.model_dump())
    ending = reply.model_dump(mode="json", include={"content", "status", "usage", "citations", "model"})
    return frame("message_complete", {"id": reply.id, **ending})
