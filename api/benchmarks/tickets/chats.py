"""Past chats: list and search with 10,000 chats of one visitor, and a chat of 5,000 messages, opened at its newest page
and in its middle; the server's own time, as its access log has it.

Chats of four messages are put into the database past the API, with their words as `chat/history.py` keeps them.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import orjson
import pymongo
from beanie import PydanticObjectId
from bson import ObjectId

from benchmarks.harness import running_server
from benchmarks.tickets.library import START, paragraphs, texts
from benchmarks.tickets.pages import REQUEST_ID, times_of
from testing.figures import Figure
from testing.replies.wire_reader import ask, ask_request, get
from tutordesk.chat.history import words_of_message
from tutordesk.chat.models import ChatPage, ChatSession, MessageWords
from tutordesk.ground.paging import cursor_after
from tutordesk.operations.embedded.mongod import mongodb_url
from tutordesk.replies.models import Message

CHATS, TURNS, BATCH = 10_000, 2, 1_000
QUESTION_WORDS, ANSWER_WORDS = 12, 120
LONG_MESSAGES, PAGE_MESSAGES = 5_000, 180
REQUESTS, WARM_REQUESTS = 200, 20
LIST_MS, OPEN_MS = 50, 200
SEARCHES = (
    "upload",
    "proxy limit",
    "print",
    "uploa",
    "the server",
    "question about the database",
    "stu",
    "zuken",
    "th",
)


def measure(folder: Path) -> list[Figure]:
    with running_server(folder / "data", TUTORDESK_MODEL="offline") as server:
        first = asyncio.run(ask(server.port, ask_request("Which chats are mine?")))
        cookie = first.cookie or ""
        me = orjson.loads(asyncio.run(get(server.port, "/me", cookie))[1])
        with pymongo.MongoClient[dict[str, Any]](mongodb_url(server.data_dir), tz_aware=True, w=1) as client:
            database = client.get_default_database()
            cursors = _add_chats(database, PydanticObjectId(me["id"]))
            long_chat, messages = _add_long_chat(database, PydanticObjectId(me["id"]))
        chance = random.Random(3)
        kinds: list[tuple[str, Callable[[int], str], float]] = [
            ("first page of the list", lambda _: "/chat/sessions", LIST_MS),
            ("page of the list at random depth", lambda _: f"/chat/sessions?cursor={chance.choice(cursors)}", LIST_MS),
            ("search", lambda n: f"/chat/sessions?{urlencode({'q': SEARCHES[n % len(SEARCHES)]})}", LIST_MS),
            ("a chat of 5,000 messages, newest page", lambda _: f"/chat/sessions/{long_chat}", OPEN_MS),
            (
                "the same around a message",
                lambda _: f"/chat/sessions/{long_chat}?around={chance.choice(messages)}",
                OPEN_MS,
            ),
        ]
        ids = {name: asyncio.run(_ask(server.port, cookie, path)) for name, path, _ in kinds}
        times = times_of(server.log, list(ids.values())[-1][-1])
    figures: list[Figure] = []
    for name, _, limit in kinds:
        took = [times[id] for id in ids[name]][WARM_REQUESTS:]
        figures += [
            Figure(f"10,000 chats: {name}, p50", median(took), "ms"),
            Figure(f"10,000 chats: {name}, p95", quantiles(took, n=20)[-1], "ms", limit),
        ]
    return figures


async def _ask(port: int, cookie: str, path: Callable[[int], str]) -> list[str]:
    ids: list[str] = []
    for number in range(WARM_REQUESTS + REQUESTS):
        head, _ = await get(port, path(number), cookie)
        match = REQUEST_ID.search(head)
        if " 200 " not in head.split("\r\n")[0] or not match:
            raise RuntimeError(f"a page was refused: {head[:200]}")
        ids.append(match[1])
    return ids


def _add_chats(database: Any, author_id: PydanticObjectId) -> list[str]:
    """Returns cursors of the list, of chats that are there."""
    chance = random.Random(5)
    source = texts(chance, QUESTION_WORDS + ANSWER_WORDS)
    cursors: list[str] = []
    for first in range(0, CHATS, BATCH):
        sessions, words = [], []
        for number in range(first, first + BATCH):
            session_id, moment = ObjectId(), START + timedelta(minutes=number)
            messages = [message for text in islice(source, TURNS) for message in _turn(text)]
            title = " ".join(messages[0].content.split()[:6])
            session = ChatSession.model_construct(
                author_id=author_id, title=title, message_count=len(messages), messages=[], updated_at=moment
            )
            document = session.model_dump(exclude={"id", "revision_id"})
            sessions.append({"_id": session_id, **document, "messages": [message.model_dump() for message in messages]})
            contents = [(session_id, title), *((one.id, one.content) for one in messages)]
            words += [words_of_message(id, content, author_id, session_id) for id, content in contents]
            cursors.append(cursor_after(moment, session_id))
        database[ChatSession.Settings.name].insert_many(sessions, ordered=False)
        database[MessageWords.Settings.name].insert_many(words, ordered=False)
    return cursors


def _turn(words: list[str]) -> list[Message]:
    question, answer = " ".join(words[:QUESTION_WORDS]) + "?", paragraphs(words[QUESTION_WORDS:])
    return [Message(role="user", content=question), Message(role="assistant", content=answer, model="benchmark")]


def _add_long_chat(database: Any, author_id: PydanticObjectId) -> tuple[ObjectId, list[ObjectId]]:
    """A chat as it lies after 5,000 messages: pages, and the newest ones in the chat itself."""
    session_id, source = ObjectId(), texts(random.Random(6), QUESTION_WORDS + ANSWER_WORDS)
    messages = [one.model_dump() for text in islice(source, LONG_MESSAGES // 2) for one in _turn(text)]
    first = (LONG_MESSAGES - 100) // PAGE_MESSAGES * PAGE_MESSAGES
    pages = [
        {
            "session_id": session_id,
            "start": start,
            "end": start + PAGE_MESSAGES,
            "messages": messages[start : start + PAGE_MESSAGES],
        }
        for start in range(0, first, PAGE_MESSAGES)
    ]
    database[ChatPage.Settings.name].insert_many(pages)
    session = ChatSession.model_construct(author_id=author_id, title="A long chat", message_count=LONG_MESSAGES)
    document = {**session.model_dump(exclude={"id", "revision_id"}), "first": first, "messages": messages[first:]}
    database[ChatSession.Settings.name].insert_one({"_id": session_id, **document})
    return session_id, [message["id"] for message in messages]
