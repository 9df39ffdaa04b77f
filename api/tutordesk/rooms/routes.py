"""How the world reaches rooms: HTTP for what is looked at and managed, the socket for what happens, SSE for the tutor.

Everybody sees which rooms there are; what is said in one is its members' alone, and to others the same 404 as a room
that does not exist.
"""

from typing import Annotated, Any

from beanie import PydanticObjectId
from fastapi import APIRouter, Header, Path, Query, Request, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tutordesk.ground.access import StreamsOf
from tutordesk.ground.errors import Forbidden, problem_responses
from tutordesk.ground.ids import object_id
from tutordesk.ground.paging import after_cursor, cursor_after
from tutordesk.ground.sse import ByteStream
from tutordesk.identity.access import LimitsOf, Member, MessageId, ReplyId, Visitor
from tutordesk.replies.access import RepliesOf
from tutordesk.replies.events import position_of, reply_frames
from tutordesk.rooms import listing
from tutordesk.rooms.agent.questions import access_answer, answer_frames, may_read_in
from tutordesk.rooms.members import (
    access_member,
    access_room,
    change_member,
    is_admin,
    join_room,
    leave_room,
    let_in_again,
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
from tutordesk.rooms.speaking import change_text, remove_message, say
from tutordesk.rooms.timeline import event_of
from tutordesk.tickets.models import access_ticket

router = APIRouter(tags=["rooms"])
ONLY_ADMINS = "Only an admin of this room may do that."
REFUSALS = problem_responses(401, 403, 404, 409, 413, 415, 422, 429)
STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}, "description": "The stream"}}
Seq = Annotated[int | None, Query(ge=0, le=2**53)]
RoomId = Annotated[str, Path(description="24 hex digits")]


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
async def list_rooms(visitor: Visitor, asked: Annotated[RoomQuery, Query()], response: Response) -> list[RoomRow]:
    wanted: dict[str, Any] = {"ticket_id": object_id(asked.ticket_id)} if asked.ticket_id else {}
    rows = await listing.list_rooms(visitor.id, wanted | after_cursor("active_at", asked.cursor), asked.limit + 1)
    if len(rows) > asked.limit:
        last = rows[asked.limit - 1]
        mark = cursor_after(last.active_at, last.id)
        only = f"&ticket_id={asked.ticket_id}" if asked.ticket_id else ""
        response.headers["Link"] = f'</rooms?limit={asked.limit}{only}&cursor={mark}>; rel="next"'
    return rows[: asked.limit]


@router.post("/rooms", operation_id="create_room", status_code=201, responses=REFUSALS)
async def create_room(body: NewRoom, member: Member, limits: LimitsOf, response: Response) -> RoomOut:
    ticket_id = PydanticObjectId((await access_ticket(object_id(body.ticket_id))).id) if body.ticket_id else None
    await limits.spend_room(str(member.id))
    room = Room(name=body.name, topic=body.topic, ticket_id=ticket_id, created_by=member.id)
    await room.insert()
    await join_room(room, member.user)
    response.headers["Location"] = f"/rooms/{room.id}"
    return await listing.read_room(await access_room(PydanticObjectId(room.id)), member.id, member.user)


@router.get("/rooms/{room_id}", operation_id="read_room", responses=problem_responses(401, 404))
async def read_room(room_id: RoomId, visitor: Visitor) -> RoomOut:
    room = await access_room(object_id(room_id))
    return await listing.read_room(room, visitor.id, await visitor.user())


@router.patch("/rooms/{room_id}", operation_id="update_room", responses=REFUSALS)
async def update_room(body: RoomChange, room_id: RoomId, member: Member) -> RoomOut:
    room = await access_room(object_id(room_id))
    if not is_admin(member.user, room):
        raise Forbidden(ONLY_ADMINS)
    if change := body.model_dump(exclude_none=True):
        await Room.get_motor_collection().update_one({"_id": room.id}, {"$set": change})
    return await listing.read_room(await access_room(PydanticObjectId(room.id)), member.id, member.user)


@router.delete(
    "/rooms/{room_id}", operation_id="delete_room", status_code=204, responses=problem_responses(401, 403, 404)
)
async def delete_room(room_id: RoomId, member: Member, request: Request, replies: RepliesOf) -> None:
    room = await access_room(object_id(room_id))
    if not is_admin(member.user, room):
        raise Forbidden(ONLY_ADMINS)
    await Room.get_motor_collection().update_one({"_id": room.id}, {"$set": {"is_deleted": True}})
    request.app.state.relay.close_room(PydanticObjectId(room.id))
    if room.reply_id:
        await replies.stop(room.reply_id)


@router.post("/rooms/{room_id}/join", operation_id="join_room", responses=problem_responses(401, 403, 404))
async def join(room_id: RoomId, member: Member, request: Request) -> RoomOut:
    room = await access_room(object_id(room_id))
    if record := await join_room(room, member.user):
        await request.app.state.relay.announce(PydanticObjectId(room.id), event_of(record, {}))
    return await listing.read_room(await access_room(PydanticObjectId(room.id)), member.id, member.user)


@router.post(
    "/rooms/{room_id}/leave", operation_id="leave_room", status_code=204, responses=problem_responses(401, 403, 404)
)
async def leave(room_id: RoomId, member: Member, request: Request) -> None:
    room = await access_room(object_id(room_id))
    record = await leave_room(await access_member(PydanticObjectId(room.id), member.id))
    await request.app.state.relay.announce(PydanticObjectId(room.id), event_of(record, {}))


@router.get("/rooms/{room_id}/messages", operation_id="list_room_messages", responses=problem_responses(401, 404, 422))
async def list_room_messages(
    room_id: RoomId,
    visitor: Visitor,
    response: Response,
    before: Seq = None,
    after: Seq = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> list[MessageOut]:
    member = await access_member(object_id(room_id), visitor.id)
    await access_room(member.room_id)
    messages = await read_messages(member.room_id, before, after, limit)
    if len(messages) == limit:
        url = f"/rooms/{member.room_id}/messages?limit={limit}"
        is_upwards = before is None and after is not None
        edge = f"after={messages[-1].seq}" if is_upwards else f"before={messages[0].seq}"
        response.headers["Link"] = f'<{url}&{edge}>; rel="next"'
    return messages


@router.patch("/rooms/{room_id}/messages/{message_id}", operation_id="update_room_message", responses=REFUSALS)
async def update_room_message(
    body: RoomMessageChange, room_id: RoomId, message_id: MessageId, member: Member, request: Request
) -> MessageOut:
    room = await access_room(object_id(room_id))
    own = await access_member(PydanticObjectId(room.id), member.id)
    return await change_text(request.app.state, own, is_admin(member.user, room), message_id, body.content)


@router.delete(
    "/rooms/{room_id}/messages/{message_id}",
    operation_id="delete_room_message",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
async def delete_room_message(room_id: RoomId, message_id: MessageId, member: Member, request: Request) -> None:
    room = await access_room(object_id(room_id))
    own = await access_member(PydanticObjectId(room.id), member.id)
    await remove_message(request.app.state, own, is_admin(member.user, room), message_id)


@router.patch(
    "/rooms/{room_id}/members/{user_id}",
    operation_id="update_room_member",
    status_code=204,
    responses=problem_responses(401, 403, 404, 415, 422),
)
async def update_room_member(
    body: MemberChange, room_id: RoomId, user_id: RoomId, member: Member, request: Request
) -> None:
    room, whose = await access_room(object_id(room_id)), object_id(user_id)
    own = await access_member(PydanticObjectId(room.id), member.id)
    may_all = is_admin(member.user, room)
    if (body.is_muted is not None and whose != own.user_id) or (
        not may_all and (body.is_silenced is not None or body.is_removed is not None)
    ):
        raise Forbidden(ONLY_ADMINS if not may_all else "Everybody mutes rooms for themselves only.")
    if body.is_removed is False:
        await let_in_again(own.room_id, whose)
        return
    if record := await change_member(await access_member(own.room_id, whose), body):
        await request.app.state.relay.announce(own.room_id, event_of(record, {}))


@router.delete(
    "/rooms/{room_id}/members/{user_id}",
    operation_id="remove_room_member",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
async def remove_room_member(room_id: RoomId, user_id: RoomId, member: Member, request: Request) -> None:
    room, whose = await access_room(object_id(room_id)), object_id(user_id)
    if not is_admin(member.user, room) or whose in (member.id, room.created_by):
        raise Forbidden(ONLY_ADMINS if whose not in (member.id, room.created_by) else "Leave the room instead.")
    record = await remove_member(await access_member(PydanticObjectId(room.id), whose))
    await request.app.state.relay.announce(PydanticObjectId(room.id), event_of(record, {}))


@router.post("/agent/stream", operation_id="ask_in_room", response_class=ByteStream, responses=STREAM | REFUSALS)
async def ask_in_room(
    body: Question, member: Member, request: Request, replies: RepliesOf, streams: StreamsOf
) -> ByteStream:
    """Ask the tutor in a room, as a message that all see. The stream begins when it is this question's turn."""
    own = await access_member(object_id(body.room_id), member.id)
    await access_room(own.room_id)
    posted = await say(request.app.state, member, own, body.prompt, None, to_tutor=True)
    return streams.respond(answer_frames(replies, posted.message.id), may_read_in(own.room_id, member.visitor))


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
    """The tutor's answer in a room, for every member, from a character on."""
    reply = await access_answer(replies, visitor.id, reply_id)
    frames = reply_frames(replies, reply, position_of(last_event_id, after))
    return streams.respond(frames, may_read_in(PydanticObjectId(reply.room_id), visitor))


@router.websocket("/rooms/{room_id}/socket")
async def room_socket(websocket: WebSocket, room_id: str) -> None:
    await serve_socket(websocket, room_id, websocket.query_params.get("after"))
