"""The life of a chat: opened by its first question, claimed for one turn at a time, and given each finished reply.

A running reply holds its chat's claim (`running_reply`), so one turn at a time grows it. Delivering is idempotent by
the ids of messages, so a reply may be delivered again after a crash. Where the messages are held is a matter of
homes.py.
"""

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.chat.homes import embed_transcript, home_of
from tutordesk.chat.models import TITLE_CHARACTERS, ChatHead, ChatSession, head_of
from tutordesk.chat.versions import replaced_turn, size_of
from tutordesk.ground.clock import now
from tutordesk.ground.database import Change, Query, Row, journaled
from tutordesk.ground.errors import Conflict, NotFound
from tutordesk.ground.text import plain_text, shorten
from tutordesk.replies.models import Reply, ReplyStatus

STILL_ANSWERING = "The tutor is still answering in this chat. Wait for it or stop it; your message is kept."


async def access_chat(author_id: PydanticObjectId, session_id: PydanticObjectId) -> ChatHead:
    """Return the chat if it is this author's. Raises NotFound."""
    return head_of(await access_row(author_id, session_id, {"messages": 0}))


async def access_row(author_id: PydanticObjectId, session_id: PydanticObjectId, parts: Query) -> Row:
    """Return `parts` of the chat's ChatSession if it is this author's. Raises NotFound."""
    query = {"_id": session_id, "author_id": author_id, "is_deleted": False}
    row: Row | None = await ChatSession.get_motor_collection().find_one(query, parts)
    if not row:
        raise NotFound("This chat does not exist, or it is not yours.")
    return row


async def refuse_while_answering(chat: ChatHead) -> bool:
    """Deliver the chat's reply if it is over and not delivered yet. Returns whether the chat has changed by that.

    Raises Conflict while a reply to this chat is running, on any process.
    """
    reply = await Reply.get(chat.running_reply) if chat.running_reply else None
    if reply and reply.status is ReplyStatus.streaming:
        raise Conflict(STILL_ANSWERING)
    if reply:
        await deliver_reply(reply)
    return reply is not None


async def open_chat(reply: Reply) -> ChatHead:
    """Create the chat that `reply` begins, with its question. The title is the question's beginning.

    Then question and reply are on the disk. The model works meanwhile, and its first words take longer.
    """
    chat = ChatHead(
        id=reply.session_id,
        author_id=reply.author_id,
        ticket_id=reply.ticket_id,
        title=shorten(plain_text(reply.question.content, 400) or "Chat", TITLE_CHARACTERS),
        message_count=1,
        running_reply=reply.id,
    )
    messages: list[Row] = []
    if reply.ticket_id and await embed_transcript(chat, reply.question):
        chat.home = "ticket"
    else:
        messages, chat.bytes = [reply.question.model_dump()], size_of(reply.question)
    document = chat.model_dump(exclude={"id"}) | {"_id": chat.id, "messages": messages}
    await journaled(ChatSession).insert_one(document)
    return chat


async def continue_chat(chat: ChatHead, reply: Reply) -> None:
    """Claim the chat for one more turn and append its question, unless the turn replaces the last one.

    Then it is on the disk, as in `open_chat`. Raises Conflict while another answer is on its way.
    """
    home, question = home_of(chat), None if reply.replaces else reply.question
    claim: Change = {"$set": {"running_reply": reply.id, "updated_at": now()}}
    if question:
        claim |= home.claim(question)
    unclaimed = {"_id": chat.id, "running_reply": chat.running_reply}
    if not (await journaled(ChatSession).update_one(unclaimed, claim)).modified_count:
        raise Conflict(STILL_ANSWERING)
    await home.settle(question)


async def deliver_reply(reply: Reply) -> None:
    """Put the question, if a crash kept it out, and the answer into the transcript. Idempotent."""
    if reply.replaces is None and await _deliver_in_one_write(reply):
        return
    row = await ChatSession.get_motor_collection().find_one({"_id": reply.session_id}, {"messages": 0})
    try:
        chat = head_of(row) if row else await open_chat(reply)
    except pymongo.errors.DuplicateKeyError:  # another process recovers the reply too, and was first
        return await deliver_reply(reply)
    home = home_of(chat)
    if reply.replaces:
        await _replace_turn(chat, reply)
    else:
        await home.append(reply.question)
        await home.append(reply.as_message())
    change = {
        "message_count": {"$add": ["$first", await home.count()]},
        "updated_at": reply.ended_at,
        "running_reply": {"$cond": [{"$eq": ["$running_reply", reply.id]}, None, "$running_reply"]},
    }
    await ChatSession.get_motor_collection().update_one({"_id": chat.id}, [{"$set": change}])


async def _deliver_in_one_write(reply: Reply) -> bool:
    """Deliver as usual, to a chat that holds its messages itself. Returns False when nothing was written."""
    answer = reply.as_message()
    usual = {
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
    return bool((await ChatSession.get_motor_collection().update_one(usual, change)).modified_count)


async def _replace_turn(chat: ChatHead, reply: Reply) -> None:
    """Let question and answer replace the last turn, which they keep as their earlier version."""
    home = home_of(chat)
    messages = await home.held()
    if any(message.id == reply.id for message in messages):
        return
    place = next((place for place, message in enumerate(messages) if message.id == reply.replaces), None)
    if place is None:  # cannot be: the chat was claimed when the turn was there
        raise RuntimeError(f"the turn that reply {reply.id} replaces is not in its chat")
    turn = replaced_turn(messages[place:], reply)
    await home.replace(place, turn, sum(map(size_of, turn)) - sum(map(size_of, messages[place:])))
