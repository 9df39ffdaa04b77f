"""A reply as server-sent events, for everyone who follows it. The id is the position from which a reader can resume.

| event | id | data |
|---|---|---|
| `message_start` | | `MessageStart`; only from the beginning |
| `thinking_delta` | | `ThinkingDelta`, before the text or between |
| `message_delta` | characters so far | `MessageDelta` |
| `message_complete` | | `MessageComplete`, status `complete`, `stopped` or `interrupted` |
| `error` | | `Failure`, instead of `message_complete` |
| `done` | | `Done` |
"""

from collections.abc import AsyncGenerator

import orjson
from beanie import PydanticObjectId
from pydantic import BaseModel

from tutordesk.ground.sse import FIRST_BYTES, KEEP_ALIVE, frame
from tutordesk.replies.models import Citation, Failure, Reply, ReplyStatus, TokenUsage
from tutordesk.replies.replies import Replies
from tutordesk.tutor.models import FinishReason, Thinking

GONE = Failure(error="This answer no longer exists. Ask again.", type="unknown", retryable=True)


class MessageStart(BaseModel):
    """The beginning of a reply. `replaces` and the text `question` are set if its turn replaces the chat's last one."""

    id: PydanticObjectId
    session_id: PydanticObjectId
    role: str = "assistant"
    model: str
    ticket_ids: list[PydanticObjectId]
    question_id: PydanticObjectId
    left_out_messages: int
    replaces: PydanticObjectId | None = None
    question: str | None = None


class MessageDelta(BaseModel):
    delta: str


class ThinkingDelta(BaseModel):
    """A part of the model's thinking. After `message_start` it is sent from its beginning.

    `is_loading`: the server is still loading the model.
    """

    delta: str
    is_loading: bool


class MessageComplete(BaseModel):
    """The ending. `finish_reason`: of a complete answer, `length` if the model ended at its maximum length."""

    id: PydanticObjectId
    content: str
    status: ReplyStatus
    usage: TokenUsage | None
    citations: list[Citation] | None
    model: str
    finish_reason: FinishReason | None


class Done(BaseModel):
    session_id: PydanticObjectId


class ReplyWire(BaseModel):
    """The data of each event of a reply, by the event's name. The client's types are generated from it."""

    message_start: MessageStart
    thinking_delta: ThinkingDelta
    message_delta: MessageDelta
    message_complete: MessageComplete
    error: Failure
    done: Done


def position_of(last_event_id: str | None, after: str | None) -> int:
    """Return the position to continue from, in characters. Returns 0, the beginning, if neither is a number."""
    text = (last_event_id or after or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def reply_frames(replies: Replies, reply: Reply, position: int = 0) -> AsyncGenerator[bytes]:
    """Yield the whole stream of a reply's text from `position` on, up to `done`."""
    reply_id = PydanticObjectId(reply.id)
    yield FIRST_BYTES
    if position == 0:
        yield frame("message_start", _start(reply))
    async for part in replies.follow(reply_id, position):
        if isinstance(part, Thinking):
            yield frame("thinking_delta", ThinkingDelta(delta=part.text, is_loading=part.is_loading))
            continue
        end, delta = part
        if delta:
            yield b'id: %d\nevent: message_delta\ndata: {"delta":%b}\n\n' % (end, orjson.dumps(delta))
        else:
            yield KEEP_ALIVE
    ended = await replies.find(reply_id)
    yield _ending(ended) if ended else frame("error", GONE)
    yield frame("done", Done(session_id=reply.session_id))


def _start(reply: Reply) -> MessageStart:
    start = MessageStart(
        id=PydanticObjectId(reply.id),
        session_id=reply.session_id,
        role="assistant",
        model=reply.model,
        ticket_ids=reply.ticket_ids,
        question_id=reply.question.id,
        left_out_messages=reply.left_out_messages,
    )
    if reply.replaces:
        start.replaces, start.question = reply.replaces, reply.question.content
    return start


def _ending(reply: Reply) -> bytes:
    if reply.status is ReplyStatus.failed and reply.error:
        return frame("error", reply.error)
    ending = MessageComplete(
        id=PydanticObjectId(reply.id),
        content=reply.content,
        status=reply.status,
        usage=reply.usage,
        citations=reply.citations,
        model=reply.model,
        finish_reason=reply.finish_reason,
    )
    return frame("message_complete", ending)
