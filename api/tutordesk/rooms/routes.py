"""The routes of rooms: HTTP to read and manage them, a socket for live events, SSE for the tutor's answers.

Everybody sees the list of rooms. Only members read a room's messages; others get the same 404 as for an unknown room.
"""

from typing import Annotated

from beanie import PydanticObjectId
from fastapi import APIRouter, Header, Query, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tutordesk.ground.access import StreamsOf
from tutordesk.ground.errors import Forbidden, Responses, problem_responses
from tutordesk.ground.ids import object_id
from tutordesk.ground.paging import cursor_after
from tutordesk.ground.sse import ByteStream
from tutordesk.identity.access import LimitsOf, Member, MessageId, ReplyId, RoomId, UserId, Visitor
from tutordesk.replies.access import RepliesOf
from tutordesk.replies.events import position_of, reply_frames
from tutordesk.rooms import listing
from tutordesk.rooms.access import (
    ONLY_ADMINS,
    OpenRoom,
    RelayOf,
    RoomAdmin,
    RoomNewsOf,
    RoomOfMember,
    SpeakingOf,
    TimelineOf,
)
from tutordesk.rooms.agent.questions import access_answer, answer_frames, reader_in
from tutordesk.rooms.changes import change_room
from tutordesk.rooms.members import (
    access_member,
    access_room,
    change_member,
    is_admin,
    join_room,
    leave_room,
    readmit,
    remove_member,
)
from tutordesk.rooms.messages import read_messages
from tutordesk.rooms.models import (
    MemberChange,
    MessageOut,
    NewRoom,
    Room,
    RoomChange,
    RoomMessageChange,
    RoomOut,
    RoomRow,
)
from tutordesk.rooms.sockets import serve_socket
from tutordesk.rooms.timeline import event_of
from tutordesk.tickets.models import access_ticket

router = APIRouter(tags=["rooms"])
REFUSALS = problem_responses(401, 403, 404, 409, 413, 415, 422, 429)
STREAM: Responses = {200: {"content": {"text/event-stream": {}}, "description": "The stream"}}
IRREMOVABLE = "You can remove neither yourself nor the room's creator. To go, leave the room."
Seq = Annotated[int | None, Query(ge=0, le=2**53)]


class RoomQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ticket_id: Annotated[str | None, Field(max_length=64)] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")
    room_id: Annotated[str, StringConstraints(strict=True, max_length=64)]
    prompt: Annotated[str, StringConstraints(strict=True)]


@router.get("/rooms", operation_id="list_rooms", responses=problem_responses(401, 404, 422))
async def list_rooms(visitor: Visitor, query: Annotated[RoomQuery, Query()], response: Response) -> list[RoomRow]:
    ticket_id = object_id(query.ticket_id) if query.ticket_id else None
    rows = await listing.list_rooms(visitor.id, ticket_id, query.cursor, query.limit + 1)
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        cursor = cursor_after(last.active_at, last.id)
        only = f"&ticket_id={query.ticket_id}" if query.ticket_id else ""
        response.headers["Link"] = f'</rooms?limit={query.limit}{only}&cursor={cursor}>; rel="next"'
    return rows[: query.limit]


@router.get(
    "/rooms/events", operation_id="follow_rooms", response_class=ByteStream, responses=STREAM | problem_responses(401)
)
async def follow_rooms(visitor: Visitor, news: RoomNewsOf, streams: StreamsOf) -> ByteStream:
    """Stream a hint for each change of a room that the visitor is a member of."""
    return streams.respond(await news.follow(visitor.id), visitor.reader)


@router.post("/rooms", operation_id="create_room", status_code=201, responses=REFUSALS)
async def create_room(
    body: NewRoom, member: Member, limits: LimitsOf, timeline: TimelineOf, response: Response
) -> RoomOut:
    ticket_id = (await access_ticket(object_id(body.ticket_id))).id if body.ticket_id else None
    await limits.spend_room(str(member.id))
    room = Room(name=body.name, topic=body.topic, ticket_id=ticket_id, created_by=member.id)
    await room.insert()
    await join_room(timeline, room, member.user)
    response.headers["Location"] = f"/rooms/{room.id}"
    return await listing.read_room(await access_room(PydanticObjectId(room.id)), member.id, member.user)


@router.get("/rooms/{room_id}", operation_id="read_room", responses=problem_responses(401, 404))
async def read_room(visitor: Visitor, room: OpenRoom) -> RoomOut:
    return await listing.read_room(room, visitor.id, await visitor.user())


@router.patch("/rooms/{room_id}", operation_id="update_room", responses=REFUSALS)
async def update_room(
    body: RoomChange, member: Member, room: RoomAdmin, timeline: TimelineOf, relay: RelayOf
) -> RoomOut:
    if record := await change_room(timeline, room, body):
        await relay.announce(record.room_id, event_of(record, {}))
    return await listing.read_room(await access_room(PydanticObjectId(room.id)), member.id, member.user)


@router.delete(
    "/rooms/{room_id}", operation_id="delete_room", status_code=204, responses=problem_responses(401, 403, 404)
)
async def delete_room(room: RoomAdmin, relay: RelayOf, replies: RepliesOf) -> None:
    await Room.get_motor_collection().update_one({"_id": room.id}, {"$set": {"is_deleted": True}})
    relay.close_room(PydanticObjectId(room.id))
    if room.reply_id:
        await replies.stop(room.reply_id)


@router.post("/rooms/{room_id}/join", operation_id="join_room", responses=problem_responses(401, 403, 404))
async def join(member: Member, room: OpenRoom, timeline: TimelineOf, relay: RelayOf) -> RoomOut:
    if record := await join_room(timeline, room, member.user):
        await relay.announce(PydanticObjectId(room.id), event_of(record, {}))
    return await listing.read_room(await access_room(PydanticObjectId(room.id)), member.id, member.user)


@router.post(
    "/rooms/{room_id}/leave", operation_id="leave_room", status_code=204, responses=problem_responses(401, 403, 404)
)
async def leave(membership: RoomOfMember, timeline: TimelineOf, relay: RelayOf) -> None:
    record = await leave_room(timeline, membership.member)
    await relay.announce(record.room_id, event_of(record, {}))


@router.get("/rooms/{room_id}/messages", operation_id="list_room_messages", responses=problem_responses(401, 404, 422))
async def list_room_messages(
    room_id: RoomId,
    visitor: Visitor,
    response: Response,
    before: Seq = None,
    after: Seq = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> list[MessageOut]:
    member = await access_member(room_id, visitor.id)
    await access_room(member.room_id)
    messages = await read_messages(member.room_id, before, after, limit)
    if len(messages) == limit:
        url = f"/rooms/{member.room_id}/messages?limit={limit}"
        is_forward = before is None and after is not None
        start = f"after={messages[-1].seq}" if is_forward else f"before={messages[0].seq}"
        response.headers["Link"] = f'<{url}&{start}>; rel="next"'
    return messages


@router.patch("/rooms/{room_id}/messages/{message_id}", operation_id="update_room_message", responses=REFUSALS)
async def update_room_message(
    body: RoomMessageChange, membership: RoomOfMember, message_id: MessageId, speaking: SpeakingOf
) -> MessageOut:
    return await speaking.change_text(membership.member, membership.is_admin, message_id, body.content)


@router.delete(
    "/rooms/{room_id}/messages/{message_id}",
    operation_id="delete_room_message",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
async def delete_room_message(membership: RoomOfMember, message_id: MessageId, speaking: SpeakingOf) -> None:
    await speaking.remove_message(membership.member, membership.is_admin, message_id)


@router.patch(
    "/rooms/{room_id}/members/{user_id}",
    operation_id="update_room_member",
    status_code=204,
    responses=problem_responses(401, 403, 404, 415, 422),
)
async def update_room_member(
    body: MemberChange, membership: RoomOfMember, user_id: UserId, timeline: TimelineOf, relay: RelayOf
) -> None:
    room_id, is_admin = membership.member.room_id, membership.is_admin
    if (body.is_muted is not None and user_id != membership.person.id) or (
        not is_admin and (body.is_silenced is not None or body.is_removed is not None)
    ):
        raise Forbidden("You can mute a room only for yourself." if is_admin else ONLY_ADMINS)
    if body.is_removed is False:
        await readmit(room_id, user_id)
        return
    if record := await change_member(timeline, await access_member(room_id, user_id), body):
        await relay.announce(room_id, event_of(record, {}))


@router.delete(
    "/rooms/{room_id}/members/{user_id}",
    operation_id="remove_room_member",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
async def remove_room_member(
    member: Member, room: OpenRoom, user_id: UserId, timeline: TimelineOf, relay: RelayOf
) -> None:
    is_irremovable = user_id in (member.id, room.created_by)
    if is_irremovable or not is_admin(member.user, room):
        raise Forbidden(IRREMOVABLE if is_irremovable else ONLY_ADMINS)
    record = await remove_member(timeline, await access_member(PydanticObjectId(room.id), user_id))
    await relay.announce(record.room_id, event_of(record, {}))


@router.post("/agent/stream", operation_id="ask_in_room", response_class=ByteStream, responses=STREAM | REFUSALS)
async def ask_in_room(
    body: Question, member: Member, speaking: SpeakingOf, replies: RepliesOf, streams: StreamsOf
) -> ByteStream:
    """Ask the tutor in a room, as a message that all members see. The stream begins when earlier ones are answered."""
    membership = await access_member(object_id(body.room_id), member.id)
    await access_room(membership.room_id)
    posted = await speaking.say(member, membership, body.prompt, None, to_tutor=True)
    return streams.respond(answer_frames(replies, posted.message.id), reader_in(membership.room_id, member.visitor))


@router.get(
    "/agent/stream/{reply_id}",
    operation_id="follow_agent",
    response_class=ByteStream,
    responses=STREAM | problem_responses(401, 404),
)
async def follow_agent(
    reply_id: ReplyId,
    visitor: Visitor,
    replies: RepliesOf,
    streams: StreamsOf,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query()] = None,
) -> ByteStream:
    """Stream the tutor's answer in a room to a member, from a position on."""
    reply = await access_answer(replies, visitor.id, reply_id)
    frames = reply_frames(replies, reply, position_of(last_event_id, after))
    return streams.respond(frames, reader_in(PydanticObjectId(reply.room_id), visitor))


@router.websocket("/rooms/{room_id}/socket")
async def room_socket(websocket: WebSocket, room_id: str) -> None:
    await serve_socket(websocket, room_id, websocket.query_params.get("after"))
