"""Transcripts: where the messages of a chat lie and how they grow. Embedded in a ticket or in the chat's own
document, by one code path: a `Place` is a collection, a filter and a prefix of field names.

Bounded: a ticket holds 20 transcripts and about 1 MB of them, further chats about it keep their own messages; a chat
ends at 4 MB. Appending is idempotent by the message's id.
"""

from dataclasses import dataclass, field
from typing import Any, cast

from beanie import PydanticObjectId
from pymongo import WriteConcern

from api.chat.models import TITLE_CHARACTERS, ChatSession, RunningReply, SessionRow
from api.database import AT_ONCE
from api.errors import Conflict, NotFound, TooLong
from api.replies.models import Message, Reply, Status, Transcript, now
from api.tickets.models import MOST_TRANSCRIPT_BYTES, MOST_TRANSCRIPTS, Ticket
from api.tutor.models import Turn
from api.tutor.text import plain_text, shorten

MOST_CHAT_BYTES = 4_000_000
PAGE = 100
HISTORY_MESSAGES = 20
STILL_ANSWERING = "The tutor is still answering in this chat. Wait for it or stop it; your message is kept."


@dataclass(frozen=True, slots=True)
class Place:
    """Where the messages of one chat lie."""

    collection: Any
    filter: dict[str, Any]
    prefix: str = ""
    array_filters: list[dict[str, Any]] | None = None
    counters: str = "bytes"
    not_yet: dict[str, Any] = field(default_factory=dict)


def place_of(session_id: PydanticObjectId, ticket_id: PydanticObjectId | None, home: str, new_message: Any) -> Place:
    """Where `new_message` (an id) goes, if it is not there yet."""
    if home == "session" or ticket_id is None:
        return Place(
            ChatSession.get_motor_collection(), {"_id": session_id}, not_yet={"messages.id": {"$ne": new_message}}
        )
    absent = {"transcripts": {"$elemMatch": {"id": session_id, "messages.id": {"$ne": new_message}}}}
    return Place(
        Ticket.get_motor_collection(),
        {"_id": ticket_id},
        prefix="transcripts.$[chat].",
        array_filters=[{"chat.id": session_id}],
        counters="transcript_bytes",
        not_yet=absent,
    )


async def append_message(session: ChatSession, message: Message) -> bool:
    """Whether the message was added now; False: it was there already."""
    place = place_of(PydanticObjectId(session.id), session.ticket_id, session.home, message.id)
    result = await place.collection.update_one(
        {**place.filter, **place.not_yet},
        {
            "$push": {f"{place.prefix}messages": message.model_dump()},
            "$inc": {place.counters: _bytes(message)},
        },
        array_filters=place.array_filters,
    )
    return bool(result.modified_count)


def _bytes(message: Message) -> int:
    return len(message.content.encode()) + 400


async def access_session(author_id: PydanticObjectId, session_id: PydanticObjectId, newest: int = 0) -> ChatSession:
    """The chat, if it is this author's, with as many of its newest messages as it holds itself. Raises NotFound."""
    parts = {"messages": {"$slice": -newest}} if newest else {"messages": 0}
    found = await ChatSession.get_motor_collection().find_one({"_id": session_id, "author_id": author_id}, parts)
    if not found:
        raise NotFound("This chat does not exist, or it is not yours.")
    return _session_of(found)


def _session_of(found: dict[str, Any]) -> ChatSession:
    """A ChatSession of the parts that were read; what was validated when it was saved is not validated again."""
    messages = [Message.model_construct(**message) for message in found.pop("messages", [])]
    return cast(ChatSession, ChatSession.model_construct(id=found.pop("_id"), messages=messages, **found))


async def open_session(reply: Reply) -> ChatSession:
    """Make the chat that `reply` begins; it holds the question already. Its title is the question's beginning."""
    title = shorten(plain_text(reply.question.content, 400) or "Chat", TITLE_CHARACTERS)
    session = ChatSession(
        id=reply.session_id,
        author_id=reply.author_id,
        ticket_id=reply.ticket_id,
        title=title,
        message_count=1,
        running_reply=reply.id,
    )
    if reply.ticket_id and await _embed_transcript(session, reply.ticket_id, reply.question):
        session.home = "ticket"
    else:
        session.messages, session.bytes = [reply.question], _bytes(reply.question)
    document = session.model_dump(exclude={"id", "revision_id"}) | {"_id": session.id}
    await _sessions(AT_ONCE).insert_one(document)
    return session


def _sessions(concern: WriteConcern | None = None) -> Any:
    return ChatSession.get_motor_collection().with_options(write_concern=concern)


async def _embed_transcript(session: ChatSession, ticket_id: PydanticObjectId, question: Message) -> bool:
    """Whether the ticket holds the new transcript now: it does while it has room."""
    transcript = Transcript(id=PydanticObjectId(session.id), author_id=session.author_id, messages=[question])
    has_room = {
        "_id": ticket_id,
        f"transcripts.{MOST_TRANSCRIPTS - 1}": {"$exists": False},
        "transcript_bytes": {"$lt": MOST_TRANSCRIPT_BYTES},
        "transcripts.id": {"$ne": session.id},
    }
    tickets = Ticket.get_motor_collection().with_options(write_concern=AT_ONCE)
    growth = {"transcript_count": 1, "transcript_bytes": _bytes(question)}
    push = {"$push": {"transcripts": transcript.model_dump()}, "$inc": growth}
    if (await tickets.update_one(has_room, push)).modified_count:
        return True
    if await tickets.find_one({"_id": ticket_id, "transcripts.id": session.id}, {"_id": 1}):
        return True
    await tickets.update_one({"_id": ticket_id}, {"$inc": {"transcript_count": 1}})
    return False


async def continue_session(session: ChatSession, reply: Reply) -> None:
    """Claim the chat for one more turn and append its question. Raises Conflict while another answer is on its way.

    It is on the disk within a tenth of a second; what a killed database loses of that, the reply's ending saves again.
    """
    question, is_own = reply.question, session.home == "session"
    claim: dict[str, Any] = {
        "$set": {"running_reply": reply.id, "updated_at": now()},
        "$inc": {"message_count": 1, **({"bytes": _bytes(question)} if is_own else {})},
        **({"$push": {"messages": question.model_dump()}} if is_own else {}),
    }
    unclaimed = {"_id": session.id, "running_reply": session.running_reply}
    if not (await _sessions(AT_ONCE).update_one(unclaimed, claim)).modified_count:
        raise Conflict(STILL_ANSWERING)
    if not is_own:
        if await _is_ticket_full(session.ticket_id):
            await _move_out(session)
        await append_message(session, question)


async def _is_ticket_full(ticket_id: PydanticObjectId | None) -> bool:
    full = {"_id": ticket_id, "transcript_bytes": {"$gte": MOST_TRANSCRIPT_BYTES}}
    return await Ticket.get_motor_collection().find_one(full, {"_id": 1}) is not None


async def _move_out(session: ChatSession) -> None:
    """Move a transcript out of a full ticket, unchanged. The caller holds the chat's claim, so nobody appends."""
    session.messages, _ = await read_messages(session, None, most=MOST_CHAT_BYTES)
    session.home, session.bytes = "session", sum(map(_bytes, session.messages))
    moved = session.model_dump(include={"messages", "home", "bytes"})
    await ChatSession.get_motor_collection().update_one({"_id": session.id}, {"$set": moved})
    await Ticket.get_motor_collection().update_one(
        {"_id": session.ticket_id, "transcripts.id": session.id},
        {"$pull": {"transcripts": {"id": session.id}}, "$inc": {"transcript_bytes": -session.bytes}},
    )


async def refuse_while_answering(session: ChatSession) -> None:
    """Raises Conflict while a reply to this chat runs, on any process, and TooLong when the chat is full."""
    if session.running_reply:
        reply = await Reply.get(session.running_reply)
        if reply and reply.status is Status.streaming:
            raise Conflict(STILL_ANSWERING)
    if session.bytes > MOST_CHAT_BYTES:
        raise TooLong("This chat is full. Start a new one; your message is kept.")


async def join_reply(reply: Reply) -> None:
    """Put the question (if a crash kept it out) and the answer into the transcript; idempotent."""
    if await _join_at_once(reply):
        return
    sessions = ChatSession.get_motor_collection()
    found = await sessions.find_one({"_id": reply.session_id}, {"messages": 0})
    session = _session_of(found) if found else await open_session(reply)
    await append_message(session, reply.question)
    await append_message(session, reply.as_message())
    change = {
        "message_count": {"$size": "$messages"} if session.home == "session" else await _count_embedded(session),
        "updated_at": reply.ended_at,
        "running_reply": {"$cond": [{"$eq": ["$running_reply", reply.id]}, None, "$running_reply"]},
    }
    await sessions.update_one({"_id": session.id}, [{"$set": change}])


async def _join_at_once(reply: Reply) -> bool:
    """The ordinary ending of a chat that holds its own messages, in one write; False: nothing was done."""
    answer = reply.as_message()
    ordinary = {
        "_id": reply.session_id,
        "home": "session",
        "running_reply": reply.id,
        "messages.id": {"$eq": reply.question.id, "$ne": answer.id},
    }
    change = {
        "$push": {"messages": answer.model_dump()},
        "$inc": {"message_count": 1, "bytes": _bytes(answer)},
        "$set": {"updated_at": reply.ended_at, "running_reply": None},
    }
    return bool((await ChatSession.get_motor_collection().update_one(ordinary, change)).modified_count)


async def _count_embedded(session: ChatSession) -> int:
    counted = {"$size": {"$ifNull": ["$transcript.messages", []]}}
    steps = [*_embedded(session), {"$project": {"count": counted}}]
    found = await Ticket.get_motor_collection().aggregate(steps).to_list(1)
    return int(found[0]["count"]) if found else 0


def _embedded(session: ChatSession) -> list[dict[str, Any]]:
    mine = {"$filter": {"input": "$transcripts", "cond": {"$eq": ["$$this.id", session.id]}}}
    return [{"$match": {"_id": session.ticket_id}}, {"$project": {"transcript": {"$first": mine}}}]


async def read_messages(session: ChatSession, before: int | None, most: int = PAGE) -> tuple[list[Message], int]:
    """At most `most` messages that end before the place `before` (None: the newest), and the place of the first."""
    is_own = session.home == "session"
    all_messages: dict[str, Any] = {"$ifNull": ["$messages" if is_own else "$transcript.messages", []]}
    end: dict[str, Any] = {"$min": [{"$size": "$all"}, *([] if before is None else [before])]}
    steps: list[dict[str, Any]] = [
        *([{"$match": {"_id": session.id}}] if is_own else _embedded(session)),
        {"$project": {"all": all_messages}},
        {"$project": {"all": 1, "end": end}},
        {"$project": {"all": 1, "end": 1, "start": {"$max": [0, {"$subtract": ["$end", most]}]}}},
        {"$match": {"end": {"$gt": 0}}},
        {"$project": {"start": 1, "messages": {"$slice": ["$all", "$start", {"$subtract": ["$end", "$start"]}]}}},
    ]
    home = ChatSession if is_own else Ticket
    found = await home.get_motor_collection().aggregate(steps).to_list(1)
    if not found:
        return [], 0
    return [Message.model_validate(message) for message in found[0]["messages"]], found[0]["start"]


async def read_history(session: ChatSession) -> list[Turn]:
    """The newest turns of a chat from `access_session(newest=…)`, oldest first, without messages that have no text."""
    messages = session.messages
    if session.home == "ticket":
        messages, _ = await read_messages(session, None, most=HISTORY_MESSAGES)
    return [Turn(message.role, message.content) for message in messages if message.content.strip()]


async def list_sessions(
    author_id: PydanticObjectId, ticket_id: PydanticObjectId | None, limit: int, after: dict[str, Any]
) -> list[SessionRow]:
    """Newest first, from the index alone: no transcript is read."""
    parts = {name: 1 for name in SessionRow.model_fields if name != "id"}
    query: dict[str, Any] = {"author_id": author_id, **({"ticket_id": ticket_id} if ticket_id else {}), **after}
    sessions = ChatSession.get_motor_collection().find(query, parts).sort([("updated_at", -1), ("_id", -1)])
    return [row_of(found) for found in await sessions.hint("list").limit(limit).to_list(limit)]


def row_of(found: dict[str, Any]) -> SessionRow:
    reply_id = found.pop("running_reply", None)
    session_id = found.pop("_id")
    return SessionRow(id=session_id, running_reply=RunningReply(id=reply_id) if reply_id else None, **found)
