"""The homes of a chat: where its newest messages are held and how they grow. One interface for both.

| home | holds the newest messages | older ones |
|---|---|---|
| `TicketHome` | in the ticket, of at most 20 chats and about 1 MB; then the chat moves out, unchanged | |
| `SessionHome` | in the ChatSession | in `ChatPage`s, once it holds 200 messages or half a megabyte |

Every change is idempotent by the ids of messages, so that a turn may be delivered again after a crash.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from beanie import PydanticObjectId

from tutordesk.chat.models import ChatHead, ChatPage, ChatSession
from tutordesk.chat.versions import size_of
from tutordesk.ground.database import AsyncCollection, Change, Row, at_once
from tutordesk.ground.errors import NotFound
from tutordesk.replies.models import Message, Transcript
from tutordesk.tickets.models import MAX_TRANSCRIPT_BYTES, MAX_TRANSCRIPTS, Ticket

MAX_MESSAGES, MAX_BYTES = 200, 500_000
KEPT_MESSAGES = 20


def home_of(chat: ChatHead) -> "Home":
    """Return the home that holds the chat's newest messages."""
    return TicketHome(chat) if chat.home == "ticket" else SessionHome(chat)


class Home(ABC):
    """The messages of one chat."""

    def __init__(self, chat: ChatHead) -> None:
        self._chat = chat

    @abstractmethod
    async def held(self) -> list[Message]:
        """Return the messages that the home itself holds, oldest first."""

    @abstractmethod
    async def read(self, start: int, end: int) -> list[Message]:
        """Return the messages from the place `start` up to `end`, as far as they exist. Raises NotFound."""

    @abstractmethod
    async def place_of(self, message_id: PydanticObjectId) -> int | None:
        """Return a message's place in the chat, or None."""

    @abstractmethod
    def claim(self, question: Message) -> Change:
        """Return what the update that claims the chat for a turn also writes to append the question."""

    @abstractmethod
    async def settle(self, question: Message | None) -> None:
        """Finish the claim: append the question if that did not, and make room. The caller holds the claim."""

    @abstractmethod
    async def append(self, message: Message) -> None:
        """Append a message that is not held yet."""

    @abstractmethod
    async def count(self) -> Row | int:
        """Return the number of held messages, as an expression of the ChatSession's update."""

    @abstractmethod
    async def replace(self, place: int, turn: Sequence[Message], growth: int) -> None:
        """Let `turn`, which is larger by `growth` bytes, replace the held messages from `place` on."""

    @abstractmethod
    async def rate(self, message_id: PydanticObjectId, feedback: Row | None) -> bool:
        """Set an answer's feedback. Returns whether the chat has the answer."""


class SessionHome(Home):
    async def held(self) -> list[Message]:
        row = await _sessions().find_one({"_id": self._chat.id}, {"messages": 1})
        return [Message.model_validate(message) for message in row["messages"]] if row else []

    async def read(self, start: int, end: int) -> list[Message]:
        while True:
            head, first = await self._read_head(start, end)
            if start >= first:
                return head
            pages = _pages().find({"session_id": self._chat.id, "start": {"$lt": end}, "end": {"$gt": start}})
            older = [
                Message.model_validate(message)
                for page in await pages.sort("start", 1).to_list(None)
                for place, message in enumerate(page["messages"], page["start"])
                if start <= place < min(end, first)
            ]
            if len(older) == min(end, first) - start:
                return [*older, *head]

    async def place_of(self, message_id: PydanticObjectId) -> int | None:
        place = {"first": {"$ifNull": ["$first", 0]}, "at": {"$indexOfArray": ["$messages.id", message_id]}}
        rows = await _sessions().aggregate([{"$match": {"_id": self._chat.id}}, {"$project": place}]).to_list(1)
        if rows and rows[0]["at"] >= 0:
            return int(rows[0]["first"] + rows[0]["at"])
        page = await _pages().find_one(
            {"session_id": self._chat.id, "messages.id": message_id}, {"start": 1, "messages.id": 1}
        )
        return int(page["start"]) + [message["id"] for message in page["messages"]].index(message_id) if page else None

    def claim(self, question: Message) -> Change:
        return {"$inc": {"message_count": 1, "bytes": size_of(question)}, "$push": {"messages": question.model_dump()}}

    async def settle(self, question: Message | None) -> None:
        if self._chat.bytes > MAX_BYTES or self._chat.message_count - self._chat.first > MAX_MESSAGES:
            await self._page_out()

    async def append(self, message: Message) -> None:
        absent = {"_id": self._chat.id, "messages.id": {"$ne": message.id}}
        growth = {"$push": {"messages": message.model_dump()}, "$inc": {"bytes": size_of(message)}}
        await _sessions().update_one(absent, growth)

    async def count(self) -> Row | int:
        return {"$size": "$messages"}

    async def replace(self, place: int, turn: Sequence[Message], growth: int) -> None:
        not_yet = {"_id": self._chat.id, "messages.id": {"$ne": turn[-1].id}}
        change = {"messages": _with_turn("$messages", place, turn), "bytes": {"$add": ["$bytes", growth]}}
        await _sessions().update_one(not_yet, [{"$set": change}])

    async def rate(self, message_id: PydanticObjectId, feedback: Row | None) -> bool:
        answer, change = _answer(message_id), {"$set": {"messages.$.feedback": feedback}}
        if (await _sessions().update_one({"_id": self._chat.id, "messages": answer}, change)).matched_count:
            return True
        in_page = {"session_id": self._chat.id, "messages": answer}
        return bool((await _pages().update_one(in_page, change)).matched_count)

    async def _read_head(self, start: int, end: int) -> tuple[list[Message], int]:
        """Return what the ChatSession holds of the range, and how many messages are in pages."""
        first = self._chat.first
        while True:
            skip, count = max(0, start - first), end - max(start, first)
            parts = {"first": 1, "messages": {"$slice": [skip, max(1, count)]}}
            row = await _sessions().find_one({"_id": self._chat.id}, parts)
            if not row:
                raise NotFound
            if row.get("first", 0) == first:
                return [Message.model_validate(message) for message in row["messages"]][: max(0, count)], first
            first = row["first"]  # older messages have moved into a page

    async def _page_out(self) -> None:
        """Move all but the newest messages into a page: written first, then removed here by one guarded update."""
        unchanged = {"_id": self._chat.id, "first": self._chat.first}
        row = await _sessions().find_one(unchanged, {"messages": 1})
        if not row or len(row["messages"]) <= KEPT_MESSAGES:
            return
        older = row["messages"][:-KEPT_MESSAGES]
        end = self._chat.first + len(older)
        key = {"session_id": self._chat.id, "start": self._chat.first}
        await _pages().replace_one(key, {**key, "end": end, "messages": older}, upsert=True)
        moved = sum(size_of(Message.model_validate(message)) for message in older)
        rest = {"$slice": ["$messages", len(older), MAX_MESSAGES * 10]}
        change = {"messages": rest, "first": end, "bytes": {"$subtract": ["$bytes", moved]}}
        await _sessions().update_one(unchanged, [{"$set": change}])


class TicketHome(Home):
    async def held(self) -> list[Message]:
        parts = {"transcripts": {"$elemMatch": {"id": self._chat.id}}}
        row = await _tickets().find_one({"_id": self._chat.ticket_id}, parts)
        transcripts = (row or {}).get("transcripts") or [{"messages": []}]
        return [Message.model_validate(message) for message in transcripts[0]["messages"]]

    async def read(self, start: int, end: int) -> list[Message]:
        return (await self.held())[start:end]

    async def place_of(self, message_id: PydanticObjectId) -> int | None:
        return next((place for place, message in enumerate(await self.held()) if message.id == message_id), None)

    def claim(self, question: Message) -> Change:
        return {"$inc": {"message_count": 1}}

    async def settle(self, question: Message | None) -> None:
        full = {"_id": self._chat.ticket_id, "transcript_bytes": {"$gte": MAX_TRANSCRIPT_BYTES}}
        home: Home = await self._move_out() if await _tickets().find_one(full, {"_id": 1}) else self
        if question:
            await home.append(question)

    async def append(self, message: Message) -> None:
        absent = {"$elemMatch": {"id": self._chat.id, "messages.id": {"$ne": message.id}}}
        growth = {
            "$push": {"transcripts.$[chat].messages": message.model_dump()},
            "$inc": {"transcript_bytes": size_of(message)},
        }
        chat = [{"chat.id": self._chat.id}]
        await _tickets().update_one({"_id": self._chat.ticket_id, "transcripts": absent}, growth, array_filters=chat)

    async def count(self) -> Row | int:
        return len(await self.held())

    async def replace(self, place: int, turn: Sequence[Message], growth: int) -> None:
        is_this = {"$eq": ["$$chat.id", self._chat.id]}
        grown = {"$mergeObjects": ["$$chat", {"messages": _with_turn("$$chat.messages", place, turn)}]}
        chats = {"$map": {"input": "$transcripts", "as": "chat", "in": {"$cond": [is_this, grown, "$$chat"]}}}
        change = {"transcripts": chats, "transcript_bytes": {"$add": ["$transcript_bytes", growth]}}
        await _tickets().update_one({"_id": self._chat.ticket_id}, [{"$set": change}])

    async def rate(self, message_id: PydanticObjectId, feedback: Row | None) -> bool:
        chat = {"$elemMatch": {"id": self._chat.id, "messages": _answer(message_id)}}
        result = await _tickets().update_one(
            {"_id": self._chat.ticket_id, "transcripts": chat},
            {"$set": {"transcripts.$[chat].messages.$[message].feedback": feedback}},
            array_filters=[{"chat.id": self._chat.id}, {"message.id": message_id}],
        )
        return bool(result.matched_count)

    async def _move_out(self) -> SessionHome:
        """Move the transcript out of a full ticket, unchanged. The caller holds the claim, so nobody appends."""
        messages = await self.held()
        size = sum(map(size_of, messages))
        moved = {"home": "session", "bytes": size, "messages": [message.model_dump() for message in messages]}
        await _sessions().update_one({"_id": self._chat.id}, {"$set": moved})
        await _tickets().update_one(
            {"_id": self._chat.ticket_id, "transcripts.id": self._chat.id},
            {"$pull": {"transcripts": {"id": self._chat.id}}, "$inc": {"transcript_bytes": -size}},
        )
        return SessionHome(self._chat)


async def embed_transcript(chat: ChatHead, question: Message) -> bool:
    """Embed a new chat in its ticket, if that has room. Returns whether the ticket holds it. Idempotent."""
    transcript = Transcript(id=chat.id, author_id=chat.author_id, messages=[question])
    has_room = {
        "_id": chat.ticket_id,
        f"transcripts.{MAX_TRANSCRIPTS - 1}": {"$exists": False},
        "transcript_bytes": {"$lt": MAX_TRANSCRIPT_BYTES},
        "transcripts.id": {"$ne": chat.id},
    }
    tickets = at_once(Ticket)
    growth = {"transcript_count": 1, "transcript_bytes": size_of(question)}
    push = {"$push": {"transcripts": transcript.model_dump()}, "$inc": growth}
    if (await tickets.update_one(has_room, push)).modified_count:
        return True
    if await tickets.find_one({"_id": chat.ticket_id, "transcripts.id": chat.id}, {"_id": 1}):
        return True
    await tickets.update_one({"_id": chat.ticket_id}, {"$inc": {"transcript_count": 1}})
    return False


def _with_turn(messages: str, place: int, turn: Sequence[Message]) -> Row:
    """Return the expression for the array `messages` up to `place`, followed by the turn."""
    earlier = {"$slice": [messages, place]} if place else {"$literal": []}
    return {"$concatArrays": [earlier, {"$literal": [message.model_dump() for message in turn]}]}


def _answer(message_id: PydanticObjectId) -> Mapping[str, object]:
    return {"$elemMatch": {"id": message_id, "role": "assistant"}}


def _sessions() -> AsyncCollection:
    return ChatSession.get_motor_collection()


def _pages() -> AsyncCollection:
    return ChatPage.get_motor_collection()


def _tickets() -> AsyncCollection:
    return Ticket.get_motor_collection()
