"""The routes of chats: ask and follow by server-sent events, stop, list, read and change. A chat is its author's only.

The events are those of `replies/events.py`. A refused request is refused before the stream starts.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from tutordesk.chat import history
from tutordesk.chat.access import OwnChat
from tutordesk.chat.export import Format, export_chat
from tutordesk.chat.homes import home_of
from tutordesk.chat.models import MessageChange, RunningReply, SessionChange, SessionOut, SessionRow
from tutordesk.chat.reading import BEFORE_HIT, PAGE, place_of
from tutordesk.chat.turns import Ask, take_turn
from tutordesk.ground.access import StreamsOf
from tutordesk.ground.errors import Responses, problem_responses
from tutordesk.ground.ids import object_id
from tutordesk.ground.paging import after_cursor, cursor_after
from tutordesk.ground.sse import ByteStream
from tutordesk.identity.access import LimitsOf, MessageId, SessionId, TicketId, Visitor
from tutordesk.replies.access import OwnReply, RepliesOf, StoppableReply
from tutordesk.replies.events import position_of, reply_frames

router = APIRouter(prefix="/chat", tags=["chat"])


class ListQuery(BaseModel):
    """`q`: words of messages or titles, each matched from its beginning; then the answer is one page."""

    model_config = ConfigDict(extra="forbid")
    q: Annotated[str, Field(max_length=200)] = ""
    ticket_id: Annotated[str | None, Field(max_length=64)] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None


Place = Annotated[int | None, Field(ge=0, le=10_000_000)]
REFUSALS = problem_responses(401, 403, 404, 409, 413, 415, 422, 429)
STREAM: Responses = {200: {"content": {"text/event-stream": {}}, "description": "The stream"}}


@router.post(
    "/global/stream", operation_id="stream_global_chat", response_class=ByteStream, responses=STREAM | REFUSALS
)
async def stream_global_chat(
    body: Ask, visitor: Visitor, limits: LimitsOf, replies: RepliesOf, streams: StreamsOf
) -> ByteStream:
    reply = await take_turn(body, visitor, None, limits, replies)
    return streams.respond(reply_frames(replies, reply), visitor.reader)


@router.post(
    "/ticket/{ticket_id}/stream",
    operation_id="stream_ticket_chat",
    response_class=ByteStream,
    responses=STREAM | REFUSALS,
)
async def stream_ticket_chat(
    body: Ask, ticket_id: TicketId, visitor: Visitor, limits: LimitsOf, replies: RepliesOf, streams: StreamsOf
) -> ByteStream:
    reply = await take_turn(body, visitor, ticket_id, limits, replies)
    return streams.respond(reply_frames(replies, reply), visitor.reader)


@router.get(
    "/replies/{reply_id}/stream",
    operation_id="follow_reply",
    response_class=ByteStream,
    responses=STREAM | problem_responses(401, 404),
)
async def follow_reply(
    reply: OwnReply,
    visitor: Visitor,
    replies: RepliesOf,
    streams: StreamsOf,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query()] = None,
) -> ByteStream:
    return streams.respond(reply_frames(replies, reply, position_of(last_event_id, after)), visitor.reader)


@router.post(
    "/replies/{reply_id}/stop", operation_id="stop_reply", status_code=202, responses=problem_responses(401, 403, 404)
)
async def stop_reply(reply_id: StoppableReply, replies: RepliesOf) -> None:
    await replies.stop(reply_id)


@router.get("/sessions", operation_id="list_chat_sessions", responses=problem_responses(401, 404, 422))
async def list_chat_sessions(
    visitor: Visitor, query: Annotated[ListQuery, Query()], response: Response
) -> list[SessionRow]:
    ticket_id = object_id(query.ticket_id) if query.ticket_id else None
    if query.q.strip():
        return await history.search_sessions(visitor.id, query.q, ticket_id, query.limit)
    rows = await history.list_sessions(visitor.id, ticket_id, query.limit + 1, after_cursor("updated_at", query.cursor))
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        cursor = cursor_after(last.updated_at, last.id)
        of_ticket = f"&ticket_id={ticket_id}" if ticket_id else ""
        response.headers["Link"] = f'</chat/sessions?limit={query.limit}{of_ticket}&cursor={cursor}>; rel="next"'
    return rows[: query.limit]


@router.get("/sessions/{session_id}", operation_id="read_chat_session", responses=problem_responses(401, 404, 422))
async def read_chat_session(
    chat: OwnChat,
    response: Response,
    before: Annotated[
        int | None, Query(ge=0, le=10_000_000, description="The page that ends before this place")
    ] = None,
    after: Annotated[int | None, Query(ge=0, le=10_000_000, description="The page that begins at this place")] = None,
    around: Annotated[str | None, Query(max_length=64, description="The page with this message")] = None,
) -> SessionOut:
    count = chat.message_count
    if around is not None:
        start = max(0, min(await place_of(chat, object_id(around)) - BEFORE_HIT, count - PAGE))
    else:
        start = after if after is not None else max(0, min(count, count if before is None else before) - PAGE)
    end = min(count, start + PAGE, count if before is None else before)
    url = f"/chat/sessions/{chat.id}"
    links = [f'<{url}?before={start}>; rel="next"'] if start > 0 else []
    links += [f'<{url}?after={end}>; rel="prev"'] if end < count and before is None else []
    if links:
        response.headers["Link"] = ", ".join(links)
    running = RunningReply(id=chat.running_reply) if chat.running_reply else None
    row = chat.model_dump(include=SessionRow.model_fields.keys() - {"running_reply", "hit"})
    messages = await home_of(chat).read(start, end) if start < end else []
    return SessionOut(**row, running_reply=running, messages=messages)


@router.patch(
    "/sessions/{session_id}",
    operation_id="update_chat_session",
    responses=problem_responses(401, 403, 404, 413, 415, 422),
)
async def update_chat_session(body: SessionChange, chat: OwnChat) -> SessionRow:
    return await history.rename_chat(chat, body.title)


@router.delete(
    "/sessions/{session_id}",
    operation_id="delete_chat_session",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
async def delete_chat_session(chat: OwnChat, replies: RepliesOf) -> None:
    await history.delete_chat(chat, replies)


@router.post(
    "/sessions/{session_id}/restore", operation_id="restore_chat_session", responses=problem_responses(401, 403, 404)
)
async def restore_chat_session(session_id: SessionId, visitor: Visitor) -> SessionRow:
    return await history.restore_chat(visitor.id, session_id)


@router.get(
    "/sessions/{session_id}/export",
    operation_id="export_chat_session",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/markdown": {}, "application/json": {}}}, **problem_responses(401, 404, 422)},
)
async def export_chat_session(chat: OwnChat, format: Format = "markdown") -> StreamingResponse:
    return export_chat(chat, format)


@router.patch(
    "/sessions/{session_id}/messages/{message_id}",
    operation_id="update_chat_message",
    status_code=204,
    responses=problem_responses(401, 403, 404, 413, 415, 422),
)
async def update_chat_message(body: MessageChange, chat: OwnChat, message_id: MessageId) -> None:
    await history.rate_answer(chat, message_id, body.feedback)
