"""The order of a room: every change takes the room's next `seq` in one transaction and leaves a record under it.

Two processes that write at once conflict over the room's document, and MongoDB lets one of them try again; so records
are committed in the order of their numbers, none is missing, and who has read up to one has read all before it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import pymongo
import pymongo.errors
from beanie import PydanticObjectId
from pymongo import ReturnDocument

from tutordesk.ground.clock import now
from tutordesk.ground.database import Patience
from tutordesk.ground.errors import NotFound, Unavailable, is_database_away
from tutordesk.rooms.events import (
    BY_TYPE,
    MessageDeleted,
    PersistedEvent,
    ReplyEnded,
    ReplyStarted,
)
from tutordesk.rooms.models import MemberOut, MessageOut, Room, RoomMessage, RoomRecord, message_out
from tutordesk.rooms.transactions import Session, transact

Write = Callable[[Session, dict[str, Any]], Awaitable[RoomRecord]]
MISSING = "This room does not exist, or it was deleted."
PAGE = 200


class Timeline:
    """Commits to the rooms' timelines. Holds what this process knows of each room's last transaction, and its queue."""

    def __init__(self) -> None:
        self._unsure: dict[PydanticObjectId, Session] = {}
        self._locks: WeakValueDictionary[PydanticObjectId, asyncio.Lock] = WeakValueDictionary()

    async def commit(
        self,
        room_id: PydanticObjectId,
        write: Write,
        guard: Mapping[str, object] | None = None,
        change: Mapping[str, object] | None = None,
        patience: Patience | None = None,
    ) -> RoomRecord:
        """Run `write(session, room)` in a transaction that has raised the room's `seq`. Returns the record it made.

        `guard`: what else must hold for the room's document. `change`: what else is set there. Raises NotFound when
        there is no such room or `guard` does not hold, and Unavailable when others keep the room busy for too long.
        Whatever `write` raises undoes everything.
        """
        rooms, records = Room.get_motor_collection(), RoomRecord.get_motor_collection()
        selector = {"_id": room_id, "is_deleted": False, **(guard or {})}
        update = {"$inc": {"seq": 1}, "$set": change or {"active_at": now()}}

        async def attempt(session: Session) -> RoomRecord:
            room = await rooms.find_one_and_update(
                selector, update, return_document=ReturnDocument.AFTER, session=session
            )
            if not room:
                raise NotFound(MISSING)
            record = await write(session, room)
            await records.insert_one(document_of(record), session=session)
            return record

        patience = patience or Patience()
        async with self._turn(room_id, patience.remaining), self._session(room_id) as session:
            return await transact(session, attempt, patience.remaining)

    @asynccontextmanager
    async def _session(self, room_id: PydanticObjectId) -> AsyncIterator[Session]:
        """Yield a session for the room's next transaction: the last one's, when nobody knows what became of that.

        A database that wakes up may still begin that transaction, and would then keep the room locked for a minute; the
        next transaction of the same session ends it at once.
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
        """Let one write at a time into each room, of this process: two would only make each other retry.

        Raises Unavailable after so many seconds, since a queue behind a database that hangs would take much longer.
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


def document_of(document: Any) -> dict[str, Any]:
    """A Beanie document as MongoDB holds it."""
    fields: dict[str, Any] = document.model_dump(exclude={"revision_id", "id"})
    return fields | {"_id": document.id or PydanticObjectId()}


async def read_events(room_id: PydanticObjectId, after: int, up_to: int | None = None) -> list[PersistedEvent]:
    """The next events after a `seq`, at most 200, as they are now: a message that changed since is the changed one."""
    between = {"$gt": after} if up_to is None else {"$gt": after, "$lte": up_to}
    found = RoomRecord.get_motor_collection().find({"room_id": room_id, "seq": between})
    records = [RoomRecord.model_validate(row) for row in await found.sort("seq", pymongo.ASCENDING).to_list(PAGE)]
    ids = [record.message_id for record in records if record.message_id]
    rows = await RoomMessage.get_motor_collection().find({"_id": {"$in": ids}}).to_list(None) if ids else []
    messages = {row["_id"]: message_out(RoomMessage.model_validate(row)) for row in rows}
    return [event_of(record, messages) for record in records]


def event_of(record: RoomRecord, messages: dict[PydanticObjectId, MessageOut]) -> PersistedEvent:
    """The event that tells of a record. `messages` holds the one that it is about."""
    if record.type in ("member_joined", "member_left", "member_changed"):
        event: PersistedEvent = BY_TYPE[record.type](seq=record.seq, member=MemberOut.model_validate(record.member))
        return event
    assert record.message_id, "a record is about a member or a message"
    if record.type == "message_deleted":
        return MessageDeleted(seq=record.seq, message_id=record.message_id, deleted_at=record.at)
    if record.type == "reply_started":
        assert record.reply_id, "the record of a reply names it"
        assert record.asked_by, "the record of a reply names who asked"
        return ReplyStarted(
            seq=record.seq, reply_id=record.reply_id, asked_by=record.asked_by, message_id=record.message_id
        )
    message = messages[record.message_id]
    if record.type == "reply_ended":
        assert record.reply_id, "the record of a reply names it"
        return ReplyEnded(seq=record.seq, reply_id=record.reply_id, message=message)
    changed: PersistedEvent = BY_TYPE[record.type](seq=record.seq, message=message)
    return changed
