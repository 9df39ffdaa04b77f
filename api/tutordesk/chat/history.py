"""Past chats: list, search, rename, delete and restore them, and rate an answer.

A search matches all words, by their beginnings, in one message or in a chat's title. Chats whose title matches come
first, then those with the newest hit. `index_replies` saves the words soon after a reply was delivered.
"""

import asyncio
from collections.abc import Sequence

import pymongo
import pymongo.errors
from beanie import PydanticObjectId
from bson import ObjectId
from pymongo import ReplaceOne

from tutordesk.chat.homes import home_of
from tutordesk.chat.models import (
    PARTS_OF_ROW,
    ChatHead,
    ChatSession,
    MessageWords,
    RunningReply,
    SessionHit,
    SessionRow,
)
from tutordesk.chat.transcripts import access_chat
from tutordesk.ground.clock import now
from tutordesk.ground.database import Change, Query, Row, at_once
from tutordesk.ground.errors import NotFound
from tutordesk.ground.text import excerpt_around, plain_text
from tutordesk.ground.words import MAX_TERMS, search_terms
from tutordesk.replies.models import Feedback, Reply
from tutordesk.replies.replies import Replies
from tutordesk.tickets.models import Ticket
from tutordesk.tickets.search import match_words, search_limit

MAX_TEXT = 4_000
MAX_HITS, MAX_SESSIONS = (40, 200, 2_000), 20
EXCERPT_CHARACTERS = 160
DUPLICATE_KEY = 11000


async def list_sessions(
    author_id: PydanticObjectId, ticket_id: PydanticObjectId | None, limit: int, after: Query
) -> list[SessionRow]:
    """Return rows, newest first. Reads only the index, so no transcript."""
    query = {"author_id": author_id, "is_deleted": False, **({"ticket_id": ticket_id} if ticket_id else {}), **after}
    sessions = ChatSession.get_motor_collection().find(query, PARTS_OF_ROW)
    rows = await sessions.sort([("updated_at", -1), ("_id", -1)]).hint("history").limit(limit).to_list(limit)
    return [row_of(row) for row in rows]


def row_of(row: Row, hit: SessionHit | None = None) -> SessionRow:
    """Return the list's row for what MongoDB gave for PARTS_OF_ROW."""
    reply_id = row.pop("running_reply", None)
    session_id = row.pop("_id")
    return SessionRow(id=session_id, running_reply=RunningReply(id=reply_id) if reply_id else None, hit=hit, **row)


async def search_sessions(
    author_id: PydanticObjectId, q: str, ticket_id: PydanticObjectId | None, limit: int
) -> list[SessionRow]:
    """Return at most 20 chats, each with where it matched. Words without a letter or digit match nothing."""
    if not match_words(q):
        return []
    in_titles, in_messages = await asyncio.gather(
        _find_hits(author_id, match_words(q, "=")), _find_hits(author_id, match_words(q))
    )
    titled = {hit["_id"] for hit in in_titles}
    hits = [*in_titles, *(hit for hit in in_messages if hit["_id"] not in titled)]
    query = {"_id": {"$in": [hit["_id"] for hit in hits]}, "is_deleted": False}
    newest = {"_id": {"$in": [hit["newest"] for hit in hits]}}
    rows, texts = await asyncio.gather(
        ChatSession.get_motor_collection()
        .find({**query, **({"ticket_id": ticket_id} if ticket_id else {})}, PARTS_OF_ROW)
        .to_list(None),
        MessageWords.get_motor_collection().find(newest, {"text": 1}).to_list(None),
    )
    row_by_id, text_by_id = {row["_id"]: row for row in rows}, {text["_id"]: text["text"] for text in texts}
    return [
        row_of(row_by_id[hit["_id"]], _hit(hit, text_by_id.get(hit["newest"], ""), q))
        for hit in hits
        if hit["_id"] in row_by_id
    ][: min(limit, MAX_SESSIONS)]


async def _find_hits(author_id: PydanticObjectId, conditions: list[Query]) -> list[Row]:
    """Return chats (`_id`) with their `newest` hit, newest first. Reads more hits while a few chats have them all."""
    for limit in MAX_HITS:
        rows = await _newest_hits(author_id, conditions, limit)
        if len(rows) >= MAX_SESSIONS or sum(hit["count"] for hit in rows) < limit:
            break
    return rows


async def _newest_hits(author_id: PydanticObjectId, conditions: list[Query], limit: int) -> list[Row]:
    steps: list[Query] = [
        {"$match": {"author_id": author_id, "$and": conditions}},
        {"$sort": {"_id": pymongo.DESCENDING}},
        {"$limit": limit},
        {"$project": {"session_id": 1}},
        {"$group": {"_id": "$session_id", "newest": {"$max": "$_id"}, "count": {"$sum": 1}}},
        {"$sort": {"newest": pymongo.DESCENDING}},
    ]
    with search_limit():
        rows: list[Row] = await MessageWords.get_motor_collection().aggregate(steps).to_list(None)
    return rows


def _hit(hit: Row, text: str, q: str) -> SessionHit:
    is_in_title = hit["newest"] == hit["_id"]
    excerpt = excerpt_around(text, q, EXCERPT_CHARACTERS)
    return SessionHit(message_id=None if is_in_title else hit["newest"], excerpt=excerpt)


async def index_replies(replies: Sequence[Reply]) -> None:
    """Save the words of questions and answers, and of the titles of chats that they open. Idempotent."""
    documents = await asyncio.to_thread(lambda: [words for reply in replies for words in _words_of(reply)])
    collection = at_once(MessageWords)
    try:
        await collection.insert_many(documents, ordered=False)
    except pymongo.errors.BulkWriteError as error:
        if any(failure["code"] != DUPLICATE_KEY for failure in error.details["writeErrors"]):
            raise
    await index_titles([reply.session_id for reply in replies if reply.opens_session])


def _words_of(reply: Reply) -> list[Row]:
    messages = [(reply.question.id, reply.question.content), (reply.id, reply.content)]
    return [
        words_of_message(PydanticObjectId(id), content, reply.author_id, reply.session_id)
        for id, content in messages
        if content.strip()
    ]


def words_of_message(id: ObjectId, content: str, author_id: ObjectId, session_id: ObjectId) -> Row:
    """Return the MessageWords of a message, or of a title if `id` is the chat's own, as MongoDB takes them."""
    mark = "=" if id == session_id else ""
    terms = [f"{mark}{term}" for term in dict.fromkeys(search_terms(content))][:MAX_TERMS]
    ids = {"author_id": author_id, "session_id": session_id}
    return {"_id": id, **ids, "terms": terms, "text": plain_text(content, MAX_TEXT)}


async def index_titles(session_ids: Sequence[PydanticObjectId]) -> None:
    """Save the words of the chats' titles."""
    if not session_ids:
        return
    sessions = ChatSession.get_motor_collection().find({"_id": {"$in": session_ids}}, {"author_id": 1, "title": 1})
    changes = [
        ReplaceOne(
            {"_id": row["_id"]}, words_of_message(row["_id"], row["title"], row["author_id"], row["_id"]), upsert=True
        )
        for row in await sessions.to_list(None)
    ]
    if changes:
        await MessageWords.get_motor_collection().bulk_write(changes, ordered=False)


async def rename_chat(chat: ChatHead, title: str) -> SessionRow:
    """Give the chat a person's title, which the model's never replaces."""
    await _change(chat.id, {"title": title, "titled_by": "person"})
    await index_titles([chat.id])
    return await _row(chat.id)


async def delete_chat(chat: ChatHead, replies: Replies) -> None:
    """Move a chat to the trash. Stops its running reply, and keeps that text too."""
    if chat.running_reply:
        await replies.stop(chat.running_reply)
    await _change(chat.id, {"is_deleted": True, "deleted_at": now()})
    await _count_in_ticket(chat.ticket_id, -1)


async def restore_chat(author_id: PydanticObjectId, session_id: PydanticObjectId) -> SessionRow:
    """Take a chat out of the trash. One that is not in it stays unchanged. Raises NotFound."""
    query = {"_id": session_id, "author_id": author_id, "is_deleted": True}
    change = {"$set": {"is_deleted": False, "deleted_at": None}}
    if (await ChatSession.get_motor_collection().update_one(query, change)).modified_count:
        chat = await access_chat(author_id, session_id)
        await _count_in_ticket(chat.ticket_id, 1)
    await access_chat(author_id, session_id)
    return await _row(session_id)


async def _count_in_ticket(ticket_id: PydanticObjectId | None, change: int) -> None:
    if ticket_id:
        await Ticket.get_motor_collection().update_one({"_id": ticket_id}, {"$inc": {"transcript_count": change}})


async def _change(session_id: PydanticObjectId, change: Change) -> None:
    await ChatSession.get_motor_collection().update_one({"_id": session_id}, {"$set": change})


async def _row(session_id: PydanticObjectId) -> SessionRow:
    row = await ChatSession.get_motor_collection().find_one({"_id": session_id}, PARTS_OF_ROW)
    if not row:
        raise NotFound
    return row_of(row)


async def rate_answer(chat: ChatHead, message_id: PydanticObjectId, feedback: Feedback | None) -> None:
    """Save what the reader thinks of one of the tutor's answers. Raises NotFound."""
    if not await home_of(chat).rate(message_id, feedback.model_dump() if feedback else None):
        raise NotFound("This answer is no longer in the chat.")
