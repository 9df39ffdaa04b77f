"""One member's socket: commands in, events out. The wire is in events.py.

The socket takes its seat first, then replays the events after `?after=`, and only then gets live events, so none falls
in between. A wrong command gets an `error` event and the socket stays open. A flood of commands closes it with 4429.
"""

import asyncio
import contextlib
import time

import pymongo.errors
from beanie import PydanticObjectId
from fastapi import WebSocket
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from tutordesk.ground.access import epoch_of, is_disk_short
from tutordesk.ground.background import Background
from tutordesk.ground.errors import AppError, DiskFull, NotFound, NotSignedIn, Unavailable, is_database_away
from tutordesk.ground.ids import object_id
from tutordesk.ground.metrics import OPEN_SOCKETS
from tutordesk.ground.patience import Patience
from tutordesk.identity.access import MemberOfRequest, member_of, visitor_of
from tutordesk.rooms.access import relay_of, speaking_of, timeline_of
from tutordesk.rooms.events import (
    COMMANDS,
    FLOOD,
    NO_IDENTITY,
    NO_SUCH_ROOM,
    NOT_A_MEMBER,
    Delete,
    Edit,
    MessagePosted,
    Read,
    Refused,
    Resumed,
    Send,
    Typing,
)
from tutordesk.rooms.members import access_member, access_room, is_admin, mark_read, refresh_member
from tutordesk.rooms.models import Room, RoomMember
from tutordesk.rooms.relay.relay import Relay
from tutordesk.rooms.relay.seats import WIRE, Seat, frame_of
from tutordesk.rooms.speaking import Speaking
from tutordesk.rooms.timeline import event_of, read_events

MAX_SEATS = 20
FRAMES_AT_ONCE, FRAMES_A_SECOND = 500, 50.0
TYPING_SECONDS = 2.0
CLOSE_SECONDS = 1.0


class SocketRefused(Exception):
    """The reason to close a socket, with its close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class RoomSocket:
    """The socket of an admitted member. `serve` runs until the browser leaves; `seat.end` cancels it."""

    def __init__(
        self,
        socket: WebSocket,
        relay: Relay,
        speaking: Speaking,
        room: Room,
        member: RoomMember,
        person: MemberOfRequest,
    ) -> None:
        self._socket, self._room, self._member, self._person = socket, room, member, person
        self._relay, self._speaking = relay, speaking
        self.seat = Seat(person.id, lambda: person.visitor.is_revoked, socket.scope["extensions"][WIRE])
        self._frames, self._counted_at, self._typed_at = float(FRAMES_AT_ONCE), time.monotonic(), 0.0

    async def serve(self, after: int | None) -> None:
        """Replay the events after a `seq`, or none for None; then send live events and handle commands."""
        async with self._relay.join(self._member.room_id, self.seat, after or 0) as seq:
            await self._replay(seq if after is None else min(after, seq), seq)
            async with Background() as background:
                background.start(self.seat.write_all(), "a member's writer")
                await self._read()

    async def _replay(self, after: int, seq: int) -> None:
        while after < seq:
            events = await read_events(self._member.room_id, after, seq)
            if not events:
                break
            for event in events:
                await self._socket.send_text(event.model_dump_json())
            after = events[-1].seq
        resumed = Resumed(seq=seq, epoch=epoch_of(self._socket))
        await self._socket.send_text(resumed.model_dump_json())

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._count_frame()
            if (text := message.get("text")) is None:
                raise SocketRefused(1003, "Send commands as JSON in text frames.")
            await self._handle(text)

    def _count_frame(self) -> None:
        moment = time.monotonic()
        self._frames = min(FRAMES_AT_ONCE, self._frames + (moment - self._counted_at) * FRAMES_A_SECOND) - 1
        self._counted_at = moment
        if self._frames < 0:
            raise SocketRefused(FLOOD, "Too many commands at once. Reconnect in a few seconds.")

    async def _handle(self, text: str) -> None:
        client_message_id: str | None = None
        try:
            command = COMMANDS.validate_json(text)
            if isinstance(command, Send):
                client_message_id = command.client_message_id
            await self._execute(command)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"][1:])
            fault = f"{field} {first['msg']}".strip()
            self._send(Refused(error=f"The command is not valid: {fault}. Correct it and try again.", code="invalid"))
        except AppError as error:
            self._send(Refused(error=str(error), code=error.type, client_message_id=client_message_id))
        except pymongo.errors.PyMongoError as error:
            if not is_database_away(error):
                raise
            away = Unavailable()
            self._send(Refused(error=str(away), code=away.type, client_message_id=client_message_id))

    async def _execute(self, command: Send | Edit | Delete | Typing | Read) -> None:
        room_id = self._member.room_id
        if isinstance(command, Read):
            await mark_read(room_id, self._person.id, command.seq)
            return
        if isinstance(command, Typing):
            if time.monotonic() - self._typed_at >= TYPING_SECONDS:
                self._typed_at = time.monotonic()
                self._relay.announce_typing(room_id, self._person.id)
            return
        if is_disk_short(self._socket):
            raise DiskFull
        patience = Patience()
        with patience.limit():
            member = await access_member(room_id, self._person.id)
        if isinstance(command, Send):
            content, client_message_id = command.content, command.client_message_id
            posted = await self._speaking.say(self._person, member, content, client_message_id, patience=patience)
            if not posted.record:
                self._send(MessagePosted(seq=posted.message.seq, message=posted.message))
            return
        message_id = object_id(command.message_id)
        user = await self._person.visitor.user()
        may_manage = bool(user and is_admin(user, self._room))  # read again, since an admin may lose the role
        if isinstance(command, Edit):
            await self._speaking.change_text(member, may_manage, message_id, command.content)
        else:
            await self._speaking.remove_message(member, may_manage, message_id)

    def _send(self, event: BaseModel) -> None:
        self.seat.put(frame_of(event))


async def serve_socket(websocket: WebSocket, room_id: str, after: str | None) -> None:
    """Serve a socket from the handshake to its close code."""
    await websocket.accept()
    closing: tuple[int, str] | None = None
    socket: RoomSocket | None = None
    try:
        socket = await _admit(websocket, room_id)
        with OPEN_SOCKETS.track_inprogress():
            await socket.serve(_seq(after))
    except SocketRefused as refusal:
        closing = refusal.code, refusal.reason
    except (ClientDisconnected, WebSocketDisconnect):
        return
    except pymongo.errors.PyMongoError as error:
        if not is_database_away(error):
            raise
        closing = 1013, "The database does not answer right now. Reconnect in a few seconds."
    except asyncio.CancelledError:
        if not socket or not (closing := socket.seat.closing):
            raise
        if task := asyncio.current_task():
            task.uncancel()
    if closing:
        await _close(websocket, *closing)


async def _admit(websocket: WebSocket, room_id: str) -> RoomSocket:
    """Return the socket of a member of the room. Raises SocketRefused for others."""
    try:
        visitor = await visitor_of(websocket)
        if visitor.is_new:
            raise NotSignedIn
        person = await member_of(visitor)
    except NotSignedIn:
        raise SocketRefused(NO_IDENTITY, "You are not signed in. Sign in and try again.") from None
    except AppError as error:
        raise SocketRefused(NOT_A_MEMBER, str(error)) from None
    try:
        room = await access_room(object_id(room_id))
    except NotFound as error:
        raise SocketRefused(NO_SUCH_ROOM, str(error)) from None
    try:
        member = await access_member(PydanticObjectId(room.id), person.id)
    except NotFound as error:
        raise SocketRefused(NOT_A_MEMBER, str(error)) from None
    relay = await relay_of(websocket)
    if relay.count_seats(person.id) >= MAX_SEATS:
        raise SocketRefused(FLOOD, f"You already have {MAX_SEATS} rooms open. Close one and try again.")
    if record := await refresh_member(await timeline_of(websocket), member, person.user, room):
        await relay.announce(member.room_id, event_of(record, {}))
    return RoomSocket(websocket, relay, await speaking_of(websocket), room, member, person)


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close the socket with a reason. Aborts the connection if the browser does not read."""
    with contextlib.suppress(ClientDisconnected, WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await websocket.close(code, reason)
            return
    websocket.scope["extensions"][WIRE]["abort"]()


def _seq(after: str | None) -> int | None:
    """Return the number to replay from: None, for no replay, if absent; 0, the beginning, if it is not a number."""
    if after is None:
        return None
    return int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
