"""Transcripts: where the messages of a chat lie and how they grow.

| home | the newest messages | older ones |
|---|---|---|
| `ticket` | embedded in the ticket, of at most 20 chats and about 1 MB; then a chat moves out, unchanged | |
| `session` | in the ChatSession | in `ChatPage`s, once 200 messages or half a megabyte have come together |

A running reply holds its chat's claim (`running_reply`), so one turn at a time grows it. Everything is idempotent by
the ids of messages, so that a turn may be joined again after a crash.
"""

from typing import Any

from beanie import PydanticObjectId

from tutordesk.chat.models import TITLE_CHARACTERS, ChatPage, ChatSession
from tutordesk.chat.versions import replaced_turn, size_of
from tutordesk.ground.clock import now
from tutordesk.ground.database import at_once
from tutordesk.ground.errors import Conflict, NotFound
from tutordesk.ground.text import plain_text, shorten
from tutordesk.replies.models import Message, Reply, ReplyStatus, Transcript
from tutordesk.tickets.models import MAX_TRANSCRIPT_BYTES, MAX_TRANSCRIPTS, Ticket

MAX_MESSAGES, MAX_BYTES = 200, 500_000
KEPT_MESSAGES = 20
STILL_ANSWERING = "The tutor is still answering in this chat. Wait for it or stop it; your message is kept."


async def access_session(author_id: PydanticObjectId, session_id: PydanticObjectId, newest: int = 0) -> ChatSession:
    """The chat, if it is this author's, with as many of its newest messages as it holds itself. Raises NotFound."""
    parts = {"messages": {"$slice": -newest}} if newest else {"messages": 0}
    query = {"_id": session_id, "author_id": author_id, "is_deleted": False}
    found = await ChatSession.get_motor_collection().find_one(query, parts)
    if not found:
        raise NotFound("This chat does not exist, or it is not yours.")
    return _session_of(found)


def _session_of(found: dict[str, Any]) -> ChatSession:
    """A ChatSession of the parts that were read; what was validated when it was saved is not validated again."""
    return ChatSession.model_construct(id=found.pop("_id"), **found)


async def refuse_while_answering(session: ChatSession) -> bool:
    """Raises Conflict while a reply to this chat runs, on any process.

    One that is over and still on its way into the chat is put there; True: the chat has changed by that.
    """
    reply = await Reply.get(session.running_reply) if session.running_reply else None
    if reply and reply.status is ReplyStatus.streaming:
        raise Conflict(STILL_ANSWERING)
    if reply:
        await deliver_reply(reply)
    return reply is not None


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
        session.messages, session.bytes = [reply.question], size_of(reply.question)
    document = session.model_dump(exclude={"id", "revision_id"}) | {"_id": session.id}
    await at_once(ChatSession).insert_one(document)
    return session


def _sessions() -> Any:
    return ChatSession.get_motor_collection()


async def _embed_transcript(session: ChatSession, ticket_id: PydanticObjectId, question: Message) -> bool:
    """Whether the ticket holds the new transcript now: it does while it has room."""
    transcript = Transcript(id=PydanticObjectId(session.id), author_id=session.author_id, messages=[question])
    has_room = {
        "_id": ticket_id,
        f"transcripts.{MAX_TRANSCRIPTS - 1}": {"$exists": False},
        "transcript_bytes": {"$lt": MAX_TRANSCRIPT_BYTES},
        "transcripts.id": {"$ne": session.id},
    }
    tickets = at_once(Ticket)
    growth = {"transcript_count": 1, "transcript_bytes": size_of(question)}
    push = {"$push": {"transcripts": transcript.model_dump()}, "$inc": growth}
    if (await tickets.update_one(has_room, push)).modified_count:
        return True
    if await tickets.find_one({"_id": ticket_id, "transcripts.id": session.id}, {"_id": 1}):
        return True
    await tickets.update_one({"_id": ticket_id}, {"$inc": {"transcript_count": 1}})
    return False


async def continue_session(session: ChatSession, reply: Reply) -> None:
    """Claim the chat for one more turn and append its question, unless the turn takes the place of the last one.

    It is on the disk within a tenth of a second; what a killed database loses of that, the reply's ending saves again.
    Raises Conflict while another answer is on its way.
    """
    question, is_own, grows = reply.question, session.home == "session", reply.replaces is None
    claim: dict[str, Any] = {"$set": {"running_reply": reply.id, "updated_at": now()}}
    if grows:
        claim["$inc"] = {"message_count": 1, **({"bytes": size_of(question)} if is_own else {})}
        if is_own:
            claim["$push"] = {"messages": question.model_dump()}
    unclaimed = {"_id": session.id, "running_reply": session.running_reply}
    if not (await at_once(ChatSession).update_one(unclaimed, claim)).modified_count:
        raise Conflict(STILL_ANSWERING)
    if not is_own:
        if await _is_ticket_full(session.ticket_id):
            await _move_out(session)
        if grows:
            await _append(session, question)
    elif session.bytes > MAX_BYTES or session.message_count - session.first > MAX_MESSAGES:
        await _page_out(session)


async def _is_ticket_full(ticket_id: PydanticObjectId | None) -> bool:
    full = {"_id": ticket_id, "transcript_bytes": {"$gte": MAX_TRANSCRIPT_BYTES}}
    return await Ticket.get_motor_collection().find_one(full, {"_id": 1}) is not None


async def _move_out(session: ChatSession) -> None:
    """Move a transcript out of a full ticket, unchanged. The caller holds the chat's claim, so nobody appends."""
    session.messages = await embedded_messages(session)
    session.home, session.bytes = "session", sum(map(size_of, session.messages))
    moved = session.model_dump(include={"messages", "home", "bytes"})
    await _sessions().update_one({"_id": session.id}, {"$set": moved})
    await Ticket.get_motor_collection().update_one(
        {"_id": session.ticket_id, "transcripts.id": session.id},
        {"$pull": {"transcripts": {"id": session.id}}, "$inc": {"transcript_bytes": -session.bytes}},
    )


async def _page_out(session: ChatSession) -> None:
    """Move all but the newest messages into a page: written first, then taken out of the chat by one guarded update."""
    found = await _sessions().find_one({"_id": session.id, "first": session.first}, {"messages": 1})
    if not found or len(found["messages"]) <= KEPT_MESSAGES:
        return
    old = found["messages"][:-KEPT_MESSAGES]
    end = session.first + len(old)
    page = {"session_id": session.id, "start": session.first, "end": end, "messages": old}
    await ChatPage.get_motor_collection().replace_one(
        {"session_id": session.id, "start": session.first}, page, upsert=True
    )
    moved = sum(size_of(Message.model_validate(message)) for message in old)
    rest = {"$slice": ["$messages", len(old), MAX_MESSAGES * 10]}
    change = {"messages": rest, "first": end, "bytes": {"$subtract": ["$bytes", moved]}}
    await _sessions().update_one({"_id": session.id, "first": session.first}, [{"$set": change}])


async def deliver_reply(reply: Reply) -> None:
    """Put the question (if a crash kept it out) and the answer into the transcript; idempotent."""
    if reply.replaces is None and await _join_at_once(reply):
        return
    found = await _sessions().find_one({"_id": reply.session_id}, {"messages": 0})
    session = _session_of(found) if found else await open_session(reply)
    if reply.replaces:
        await _replace_turn(session, reply)
    else:
        await _append(session, reply.question)
        await _append(session, reply.as_message())
    held = {"$size": "$messages"} if session.home == "session" else len(await embedded_messages(session))
    change = {
        "message_count": {"$add": ["$first", held]},
        "updated_at": reply.ended_at,
        "running_reply": {"$cond": [{"$eq": ["$running_reply", reply.id]}, None, "$running_reply"]},
    }
    await _sessions().update_one({"_id": session.id}, [{"$set": change}])


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
        "$inc": {"message_count": 1, "bytes": size_of(answer)},
        "$set": {"updated_at": reply.ended_at, "running_reply": None},
    }
    return bool((await _sessions().update_one(ordinary, change)).modified_count)


async def _append(session: ChatSession, message: Message) -> None:
    """Append a message that is not there yet, by one path for both homes."""
    growth, document = size_of(message), message.model_dump()
    if session.home == "session":
        absent: dict[str, Any] = {"_id": session.id, "messages.id": {"$ne": message.id}}
        await _sessions().update_one(absent, {"$push": {"messages": document}, "$inc": {"bytes": growth}})
        return
    absent = {
        "_id": session.ticket_id,
        "transcripts": {"$elemMatch": {"id": session.id, "messages.id": {"$ne": message.id}}},
    }
    await Ticket.get_motor_collection().update_one(
        absent,
        {"$push": {"transcripts.$[chat].messages": document}, "$inc": {"transcript_bytes": growth}},
        array_filters=[{"chat.id": session.id}],
    )


async def _replace_turn(session: ChatSession, reply: Reply) -> None:
    """Put question and answer in the place of the last turn, which stays as their earlier version."""
    held = await held_messages(session)
    if any(message.id == reply.id for message in held):
        return
    place = next((place for place, message in enumerate(held) if message.id == reply.replaces), None)
    if place is None:  # cannot be: the chat was claimed when the turn was there
        raise RuntimeError(f"the turn that reply {reply.id} replaces is not in its chat")
    turn = replaced_turn(held[place:], reply)
    growth = sum(map(size_of, turn)) - sum(map(size_of, held[place:]))
    documents = {"$literal": [message.model_dump() for message in turn]}

    def with_turn(messages: str) -> dict[str, Any]:
        kept = {"$slice": [messages, place]} if place else {"$literal": []}
        return {"$concatArrays": [kept, documents]}

    if session.home == "session":
        change = {"messages": with_turn("$messages"), "bytes": {"$add": ["$bytes", growth]}}
        await _sessions().update_one({"_id": session.id, "messages.id": {"$ne": reply.id}}, [{"$set": change}])
        return
    own = {"$eq": ["$$chat.id", session.id]}
    grown = {"$mergeObjects": ["$$chat", {"messages": with_turn("$$chat.messages")}]}
    chats = {"$map": {"input": "$transcripts", "as": "chat", "in": {"$cond": [own, grown, "$$chat"]}}}
    change = {"transcripts": chats, "transcript_bytes": {"$add": ["$transcript_bytes", growth]}}
    await Ticket.get_motor_collection().update_one({"_id": session.ticket_id}, [{"$set": change}])


async def held_messages(session: ChatSession) -> list[Message]:
    """The messages that lie in the chat's home, oldest first, without its pages."""
    if session.home == "ticket":
        return await embedded_messages(session)
    found = await _sessions().find_one({"_id": session.id}, {"messages": 1})
    return [Message.model_validate(message) for message in found["messages"]] if found else []


async def embedded_messages(session: ChatSession) -> list[Message]:
    """The messages of a transcript that its ticket holds."""
    parts = {"transcripts": {"$elemMatch": {"id": session.id}}}
    found = await Ticket.get_motor_collection().find_one({"_id": session.ticket_id}, parts)
    chats = (found or {}).get("transcripts") or [{"messages": []}]
    return [Message.model_validate(message) for message in chats[0]["messages"]]
