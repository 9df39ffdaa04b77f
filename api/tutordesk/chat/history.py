"""History: what one does with past chats. List, search, rename, delete and bring back, rate an answer.

A search finds every word, by its beginning, in one message or in a chat's title; chats whose title matches come
first, then those with the newest hit. `index_replies` keeps the words, soon after each reply has joined its chat.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pymongo
import pymongo.errors
from beanie import PydanticObjectId
from pymongo import ReplaceOne

from tutordesk.chat.models import (
    PARTS_OF_ROW,
    ChatPage,
    ChatSession,
    MessageWords,
    RunningReply,
    SessionHit,
    SessionRow,
)
from tutordesk.chat.transcripts import access_session
from tutordesk.ground.clock import now
from tutordesk.ground.database import at_once
from tutordesk.ground.errors import NotFound
from tutordesk.ground.text import excerpt_around, plain_text
from tutordesk.replies.models import Feedback, Reply
from tutordesk.replies.replies import Replies
from tutordesk.tickets.models import Ticket
from tutordesk.tickets.search import MAX_TERMS, match_words, search_limit, with_prefixes

MAX_TEXT = 4_000
MAX_HITS, MAX_SESSIONS = (40, 200, 2_000), 20
EXCERPT_CHARACTERS = 160


async def list_sessions(
    author_id: PydanticObjectId, ticket_id: PydanticObjectId | None, limit: int, after: dict[str, Any]
) -> list[SessionRow]:
    """Newest first, from the index alone: no transcript is read."""
    query = {"author_id": author_id, "is_deleted": False, **({"ticket_id": ticket_id} if ticket_id else {}), **after}
    sessions = ChatSession.get_motor_collection().find(query, PARTS_OF_ROW)
    found = await sessions.sort([("updated_at", -1), ("_id", -1)]).hint("history").limit(limit).to_list(limit)
    return [row_of(one) for one in found]


def row_of(found: dict[str, Any], hit: SessionHit | None = None) -> SessionRow:
    reply_id = found.pop("running_reply", None)
    session_id = found.pop("_id")
    return SessionRow(id=session_id, running_reply=RunningReply(id=reply_id) if reply_id else None, hit=hit, **found)


async def search_sessions(
    author_id: PydanticObjectId, q: str, ticket_id: PydanticObjectId | None, limit: int
) -> list[SessionRow]:
    """At most 20 chats, each with where it was found. Words without a letter or digit find nothing."""
    if not match_words(q):
        return []
    in_titles, in_messages = await asyncio.gather(
        _find_hits(author_id, match_words(q, "=")), _find_hits(author_id, match_words(q))
    )
    titled = {hit["_id"] for hit in in_titles}
    hits = [*in_titles, *(hit for hit in in_messages if hit["_id"] not in titled)]
    query = {"_id": {"$in": [hit["_id"] for hit in hits]}, "is_deleted": False}
    found = {"_id": {"$in": [hit["newest"] for hit in hits]}}
    rows, texts = await asyncio.gather(
        ChatSession.get_motor_collection()
        .find({**query, **({"ticket_id": ticket_id} if ticket_id else {})}, PARTS_OF_ROW)
        .to_list(None),
        MessageWords.get_motor_collection().find(found, {"text": 1}).to_list(None),
    )
    row_by_id, text_by_id = {row["_id"]: row for row in rows}, {text["_id"]: text["text"] for text in texts}
    return [
        row_of(row_by_id[hit["_id"]], _hit(hit, text_by_id.get(hit["newest"], ""), q))
        for hit in hits
        if hit["_id"] in row_by_id
    ][: min(limit, MAX_SESSIONS)]


async def _find_hits(author_id: PydanticObjectId, conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Chats (`_id`) with their `newest` hit, newest first, of the newest hits; of more while few chats hold all."""
    for most in MAX_HITS:
        found = await _newest_hits(author_id, conditions, most)
        if len(found) >= MAX_SESSIONS or sum(hit["count"] for hit in found) < most:
            break
    return found


async def _newest_hits(
    author_id: PydanticObjectId, conditions: list[dict[str, Any]], most: int
) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [
        {"$match": {"author_id": author_id, "$and": conditions}},
        {"$sort": {"_id": pymongo.DESCENDING}},
        {"$limit": most},
        {"$project": {"session_id": 1}},
        {"$group": {"_id": "$session_id", "newest": {"$max": "$_id"}, "count": {"$sum": 1}}},
        {"$sort": {"newest": pymongo.DESCENDING}},
    ]
    with search_limit():
        found: list[dict[str, Any]] = await MessageWords.get_motor_collection().aggregate(steps).to_list(None)
    return found


def _hit(hit: dict[str, Any], text: str, q: str) -> SessionHit:
    is_in_title = hit["newest"] == hit["_id"]
    excerpt = excerpt_around(text, q, EXCERPT_CHARACTERS)
    return SessionHit(message_id=None if is_in_title else hit["newest"], excerpt=excerpt)


async def index_replies(replies: Sequence[Reply]) -> None:
    """Keep the words of questions and answers, and of the titles of chats that begin. Doing it again does no harm."""
    documents = await asyncio.to_thread(lambda: [one for reply in replies for one in _words_of(reply)])
    collection = at_once(MessageWords)
    try:
        await collection.insert_many(documents, ordered=False)
    except pymongo.errors.BulkWriteError as error:
        if any(one["code"] != 11000 for one in error.details["writeErrors"]):
            raise
    await index_titles([reply.session_id for reply in replies if reply.opens_session])


def _words_of(reply: Reply) -> list[dict[str, Any]]:
    messages = [(reply.question.id, reply.question.content), (reply.id, reply.content)]
    return [
        words_of_message(id, content, reply.author_id, reply.session_id) for id, content in messages if content.strip()
    ]


def words_of_message(id: Any, content: str, author_id: Any, session_id: Any) -> dict[str, Any]:
    """The document of one message, or of a title (`id` is the chat's own), as MongoDB holds it."""
    mark = "=" if id == session_id else ""
    terms = [f"{mark}{term}" for term in dict.fromkeys(with_prefixes(content))][:MAX_TERMS]
    same = {"author_id": author_id, "session_id": session_id}
    return {"_id": id, **same, "terms": terms, "text": plain_text(content, MAX_TEXT)}


async def index_titles(session_ids: Sequence[PydanticObjectId]) -> None:
    if not session_ids:
        return
    sessions = ChatSession.get_motor_collection().find({"_id": {"$in": session_ids}}, {"author_id": 1, "title": 1})
    changes = [
        ReplaceOne(
            {"_id": one["_id"]}, words_of_message(one["_id"], one["title"], one["author_id"], one["_id"]), upsert=True
        )
        for one in await sessions.to_list(None)
    ]
    if changes:
        await MessageWords.get_motor_collection().bulk_write(changes, ordered=False)


async def rename_session(session: ChatSession, title: str) -> SessionRow:
    await _change(session.id, {"title": title, "titled_by": "person"})
    await index_titles([PydanticObjectId(session.id)])
    return await _row(session.id)


async def delete_session(session: ChatSession, replies: Replies) -> None:
    """Move a chat to the trash. Stops its running reply, and keeps that text too."""
    if session.running_reply:
        await replies.stop(session.running_reply)
    await _change(session.id, {"is_deleted": True, "deleted_at": now()})
    await _count_in_ticket(session.ticket_id, -1)


async def restore_session(author_id: PydanticObjectId, session_id: PydanticObjectId) -> SessionRow:
    """Out of the trash; one that is not there stays as it is. Raises NotFound."""
    query = {"_id": session_id, "author_id": author_id, "is_deleted": True}
    change = {"$set": {"is_deleted": False, "deleted_at": None}}
    if (await ChatSession.get_motor_collection().update_one(query, change)).modified_count:
        session = await access_session(author_id, session_id)
        await _count_in_ticket(session.ticket_id, 1)
    await access_session(author_id, session_id)
    return await _row(session_id)


async def _count_in_ticket(ticket_id: PydanticObjectId | None, change: int) -> None:
    if ticket_id:
        await Ticket.get_motor_collection().update_one({"_id": ticket_id}, {"$inc": {"transcript_count": change}})


async def _change(session_id: PydanticObjectId | None, change: dict[str, Any]) -> None:
    await ChatSession.get_motor_collection().update_one({"_id": session_id}, {"$set": change})


async def _row(session_id: PydanticObjectId | None) -> SessionRow:
    found = await ChatSession.get_motor_collection().find_one({"_id": session_id}, PARTS_OF_ROW)
    if not found:
        raise NotFound
    return row_of(found)


async def rate_answer(session: ChatSession, message_id: PydanticObjectId, feedback: Feedback | None) -> None:
    """Keep what the reader thinks of one of the tutor's answers, wherever it lies. Raises NotFound."""
    value = feedback.model_dump() if feedback else None
    answer = {"$elemMatch": {"id": message_id, "role": "assistant"}}
    if session.home == "ticket":
        result = await Ticket.get_motor_collection().update_one(
            {"_id": session.ticket_id, "transcripts": {"$elemMatch": {"id": session.id, "messages": answer}}},
            {"$set": {"transcripts.$[chat].messages.$[message].feedback": value}},
            array_filters=[{"chat.id": session.id}, {"message.id": message_id}],
        )
        matched = result.matched_count
    else:
        change = {"$set": {"messages.$.feedback": value}}
        chats, pages = ChatSession.get_motor_collection(), ChatPage.get_motor_collection()
        matched = (await chats.update_one({"_id": session.id, "messages": answer}, change)).matched_count
        if not matched:
            matched = (await pages.update_one({"session_id": session.id, "messages": answer}, change)).matched_count
    if not matched:
        raise NotFound("This answer is not in the chat any more.")
