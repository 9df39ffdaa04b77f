"""Prompts for a question in a room: the question, the messages before it, and the tickets that it is about."""

from collections.abc import Sequence
from typing import Literal

import pymongo
from beanie import PydanticObjectId

from tutordesk.ground.errors import NotFound
from tutordesk.replies.models import Message, Reply
from tutordesk.rooms.mentions import without_tutor
from tutordesk.rooms.models import Room, RoomMessage
from tutordesk.tickets.models import access_ticket, as_source
from tutordesk.tickets.search import find_sources
from tutordesk.tutor.models import Prompt, Source, Turn
from tutordesk.tutor.prompt import alternating, tutor_prompt

CONTEXT_MESSAGES = 60


async def reply_to(room: Room, question: RoomMessage, model: str, owner: str) -> tuple[Reply, Prompt]:
    """Return the reply to save, and its prompt: the question with its history and tickets."""
    text = without_tutor(question.content) or question.content
    sources = await _sources(room, text)
    history = await _turns_before(question)
    prompt = tutor_prompt(history, f"{question.name}: {text}", sources, room.ticket_id is not None, in_room=True)
    assert question.user_id, "the tutor asks no questions"
    reply = Reply(
        id=PydanticObjectId(),
        author_id=question.user_id,
        session_id=question.room_id,
        room_id=question.room_id,
        room_owner=room.created_by,
        ticket_id=room.ticket_id,
        ticket_ids=[PydanticObjectId(source.id) for source in sources],
        left_out_messages=prompt.left_out,
        question=Message(id=PydanticObjectId(question.id), role="user", content=text),
        model=model,
        owner=owner,
    )
    return reply, prompt


async def _sources(room: Room, question: str) -> list[Source]:
    if not room.ticket_id:
        return await find_sources(question)
    try:
        return [as_source(await access_ticket(room.ticket_id))]
    except NotFound:
        return []


async def _turns_before(question: RoomMessage) -> Sequence[Turn]:
    """Return the turns before a question, oldest first.

    People's messages in a row become one turn, each with its author's name.
    """
    before = {"room_id": question.room_id, "seq": {"$lt": question.seq}, "deleted_at": None}
    messages = RoomMessage.get_motor_collection().find(before, {"name": 1, "content": 1, "is_agent": 1})
    turns: list[Turn] = []
    for row in reversed(await messages.sort("seq", pymongo.DESCENDING).to_list(CONTEXT_MESSAGES)):
        if not row["content"]:
            continue
        text = row["content"] if row["is_agent"] else f"{row['name']}: {row['content']}"
        role: Literal["assistant", "user"] = "assistant" if row["is_agent"] else "user"
        turns.append(Turn(role, text))
    return alternating(turns)
