"""The order of a room: every change takes the room's next `seq` and adds a record with it, in one transaction.

Two processes that write at the same time conflict over the room's document, and MongoDB makes one of them retry. So
records are committed in the order of their numbers without gaps, and a reader at one number has read all before it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Self
from weakref import WeakValueDictionary

import pymongo
import pymongo.errors
from beanie import Document, PydanticObjectId
from pymongo import ReturnDocument

from tutordesk.ground.clock import now
from tutordesk.ground.database import Row, Session
from tutordesk.ground.errors import NotFound, Unavailable, is_database_away
from tutordesk.ground.patience import Patience
from tutordesk.rooms.events import (
    MEMBER_EVENTS,
    MESSAGE_EVENTS,
    MessageDeleted,
    PersistedEvent,
    ReplyEnded,
    ReplyStarted,
    RoomChanged,
)
from tutordesk.rooms.models import MemberOut, MessageOut, Room, RoomFace, RoomMessage, RoomRecord, message_out
from tutordesk.rooms.transactions import transact

Write = Callable[[Session, Row], Awaitable[RoomRecord]]
NO_ROOM = "This room does not exist, or it was deleted. Choose another one."
PAGE = 200


class Timeline:
    """Commits changes to rooms, one at a time for each room. Use as `async with Timeline()`.

    It holds the sessions whose last transaction is unsure.
    """

    def __init__(self) -> None:
        self._unsure: dict[PydanticObjectId, Session] = {}
        self._locks: WeakValueDictionary[PydanticObjectId, asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the sessions whose transactions are unsure, because a transaction without an owner shuts its room."""
        sessions, self._unsure = self._unsure.values(), {}
        await asyncio.gather(*(session.end_session() for session in sessions))

    async def commit(
        self,
        room_id: PydanticObjectId,
        write: Write,
        guard: Mapping[str, object] | None = None,
        change: Mapping[str, object] | None = None,
        patience: Patience | None = None,
    ) -> RoomRecord:
        """Increase the room's `seq`, run `write(session, room)`, and save the record that it returns.

        All of this is one transaction, which an error of `write` undoes. `guard` selects the room further, and
        `change` sets more of its fields. Returns the record. Raises NotFound if the room does not exist or `guard`
        does not hold, and Unavailable if others keep the room busy for too long.
        """
        rooms, records = Room.get_motor_collection(), RoomRecord.get_motor_collection()
        selector = {"_id": room_id, "is_deleted": False, **(guard or {})}
        update = {"$inc": {"seq": 1}, "$set": change or {"active_at": now()}}

        async def attempt(session: Session) -> RoomRecord:
            room = await rooms.find_one_and_update(
                selector, update, return_document=ReturnDocument.AFTER, session=session
            )
            if not room:
                raise NotFound(NO_ROOM)
            record = await write(session, room)
            await records.insert_one(document_of(record), session=session)
            return record

        patience = patience or Patience()
        async with self._turn(room_id, patience.remaining), self._session(room_id) as session:
            return await transact(session, attempt, patience.remaining)

    @asynccontextmanager
    async def _session(self, room_id: PydanticObjectId) -> AsyncIterator[Session]:
        """Yield a session for the room's next transaction: the last one's, if its transaction is unsure.

        A database that wakes up may still begin that transaction and lock the room for a minute. A new transaction of
        the same session ends it immediately.
        """
        client = Room.get_motor_collection().database.client
        session = self._unsure.pop(room_id, None) or await client.start_session()
        try:
            yield session
        except pymongo.errors.PyMongoError as error:
            if is_database_away(error):
                self._unsure[room_id], session = session, None
            raise
        finally:
            if session:
                await session.end_session()

    @asynccontextmanager
    async def _turn(self, room_id: PydanticObjectId, seconds: float) -> AsyncIterator[None]:
        """Wait for this process's other writes to the room, because two would only make each other retry.

        Raises Unavailable after `seconds`, since a queue behind a database that hangs would take much longer.
        """
        lock = self._locks.setdefault(room_id, asyncio.Lock())
        try:
            async with asyncio.timeout(seconds):
                await lock.acquire()
        except TimeoutError:
            raise Unavailable from None
        try:
            yield
        finally:
            lock.release()


def document_of(document: Document) -> Row:
    """Return a Beanie document as MongoDB stores it."""
    return document.model_dump(exclude={"revision_id", "id"}) | {"_id": document.id or PydanticObjectId()}


async def read_events(room_id: PydanticObjectId, after: int, up_to: int | None = None) -> list[PersistedEvent]:
    """Return the next events after a `seq`, at most 200. Messages that changed later come in their current form."""
    between = {"$gt": after} if up_to is None else {"$gt": after, "$lte": up_to}
    cursor = RoomRecord.get_motor_collection().find({"room_id": room_id, "seq": between})
    records = [RoomRecord.model_validate(row) for row in await cursor.sort("seq", pymongo.ASCENDING).to_list(PAGE)]
    ids = [record.message_id for record in records if record.message_id]
    rows = await RoomMessage.get_motor_collection().find({"_id": {"$in": ids}}).to_list(None) if ids else []
    messages = {row["_id"]: message_out(RoomMessage.model_validate(row)) for row in rows}
    return [event_of(record, messages) for record in records]


def event_of(record: RoomRecord, messages: dict[PydanticObjectId, MessageOut]) -> PersistedEvent:
    """Return the event of a record. `messages` holds its message, by the message's id."""
    if member_event := MEMBER_EVENTS.get(record.type):
        return member_event(seq=record.seq, member=MemberOut.model_validate(record.member))
    if record.type == "room_changed":
        return RoomChanged(seq=record.seq, room=RoomFace.model_validate(record.room))
    assert record.message_id, "a record is about a member, the room or a message"
    if record.type == "message_deleted":
        return MessageDeleted(seq=record.seq, message_id=record.message_id, deleted_at=record.at)
    if record.type == "reply_started":
        assert record.reply_id, "the record of a reply names it"
        assert record.asked_by, "the record of a reply names the author of the question"
        return ReplyStarted(
            seq=record.seq, reply_id=record.reply_id, asked_by=record.asked_by, message_id=record.message_id
        )
    message = messages[record.message_id]
    if record.type == "reply_ended":
        assert record.reply_id, "the record of a reply names it"
        return ReplyEnded(seq=record.seq, reply_id=record.reply_id, message=message)
    return MESSAGE_EVENTS[record.type](seq=record.seq, message=message)
