"""A reply as server-sent events, for whoever follows it.

| event | id | data |
|---|---|---|
| `message_start` | | `id session_id role model ticket_ids question_id left_out_messages`; only from the beginning |
| `message_delta` | characters so far | `delta` |
| `message_complete` | | `id content status usage citations model`, status `complete`, `stopped` or `interrupted` |
| `error` | | `error type retryable`, instead of `message_complete` |
| `done` | | `session_id` |

Frames are bytes, because sse-starlette passes bytes on as they are.
"""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from beanie import PydanticObjectId
from sse_starlette import EventSourceResponse

from api.replies.models import Reply, Status
from api.replies.runs import follow_reply, running

PING_SECONDS = 15
FIRST_BYTES = b": ok\nretry: 1000\n\n"


def frame(event: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(data, default=str))


def stream_response(frames: AsyncIterator[bytes]) -> EventSourceResponse:
    return EventSourceResponse(frames, ping=PING_SECONDS, sep="\n", headers={"Cache-Control": "no-store, no-transform"})


def position_of(last_event_id: str | None, after: str | None) -> int:
    """Where to go on, in characters. What makes no sense counts as the beginning."""
    text = (last_event_id or after or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def sse_frames(reply: Reply, position: int = 0) -> AsyncIterator[bytes]:
    """The stream of one reply from a character on, from its first byte to `done`."""
    reply_id = PydanticObjectId(reply.id)
    yield FIRST_BYTES
    if position == 0:
        yield frame("message_start", _start(reply))
    async for end, delta in follow_reply(reply_id, position):
        yield b'id: %d\nevent: message_delta\ndata: {"delta":%b}\n\n' % (end, orjson.dumps(delta))
    run = running.get(reply_id)
    ended = run.reply if run else await Reply.get(reply_id)
    if ended is not None:
        yield _ending(ended)
    yield frame("done", {"session_id": reply.session_id})


def _start(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "session_id": reply.session_id,
        "role": "assistant",
        "model": reply.model,
        "ticket_ids": reply.ticket_ids,
        "question_id": reply.question.id,
        "left_out_messages": reply.left_out_messages,
    }


def _ending(reply: Reply) -> bytes:
    if reply.status is Status.failed and reply.error:
        return frame("error", reply.error.model_dump())
    ending = reply.model_dump(mode="json", include={"content", "status", "usage", "citations", "model"})
    return frame("message_complete", {"id": reply.id, **ending})
