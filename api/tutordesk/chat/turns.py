"""One turn: a question is saved exactly once, becomes a prompt with its history and tickets, and starts a reply."""

import asyncio
from typing import Annotated

import pymongo.errors
from beanie import PydanticObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from tutordesk.chat.homes import home_of
from tutordesk.chat.models import ChatHead
from tutordesk.chat.reading import PastMessage, access_newest, read_history
from tutordesk.chat.transcripts import continue_chat, open_chat, refuse_while_answering
from tutordesk.chat.versions import MAX_TURN_BYTES, size_of
from tutordesk.ground.errors import Conflict, NotFound, TooLong, TooMany
from tutordesk.ground.ids import object_id
from tutordesk.ground.text import not_blank
from tutordesk.identity.access import VisitorOfRequest
from tutordesk.identity.limits import Limits
from tutordesk.replies.models import Message, Reply
from tutordesk.replies.replies import Replies
from tutordesk.tickets.models import access_ticket, as_source
from tutordesk.tickets.search import find_sources
from tutordesk.tutor.models import Prompt, Source
from tutordesk.tutor.prompt import tutor_prompt

MAX_MESSAGE_BYTES = 32_000


class Ask(BaseModel):
    """A message to the tutor. `client_message_id` makes it safe to send again: the same reply is streamed.

    `replaces`: the id of the chat's last question. The same message is answered again; another message replaces the
    question. Earlier versions stay as alternatives.
    """

    model_config = ConfigDict(extra="forbid")
    message: Annotated[str, StringConstraints(strict=True), AfterValidator(not_blank)]
    session_id: Annotated[str, StringConstraints(strict=True, max_length=64)] | None = None
    client_message_id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)] | None = Field(
        None, description="Made by the client, once a message."
    )
    replaces: Annotated[str, StringConstraints(strict=True, max_length=64)] | None = None


async def take_turn(
    ask: Ask, visitor: VisitorOfRequest, ticket_id: PydanticObjectId | None, limits: Limits, replies: Replies
) -> Reply:
    """Save the question and start its reply, or return the reply of an earlier send of the same message."""
    if (size := len(ask.message.encode())) > MAX_MESSAGE_BYTES:
        raise TooLong(f"Your message is {size:,} bytes; the limit is {MAX_MESSAGE_BYTES:,}. Shorten it and try again.")
    try:
        return await _start(ask, visitor, ticket_id, limits, replies)
    except (Conflict, TooMany, TooLong, NotFound, pymongo.errors.DuplicateKeyError) as error:
        earlier = await _same_message(ask, visitor, ticket_id, replies)
        if earlier:
            return earlier
        if isinstance(error, pymongo.errors.DuplicateKeyError):  # the earlier send was refused; this may be repeated
            raise Conflict from error
        raise


async def _start(
    ask: Ask,
    visitor: VisitorOfRequest,
    ticket_id: PydanticObjectId | None,
    limits: Limits,
    replies: Replies,
) -> Reply:
    """Raises DuplicateKeyError for a repeat that nothing else refuses."""
    limits.refuse_running_replies(replies.count_running(visitor.id))
    await replies.forget_unsure()
    continued, sources, *_ = await asyncio.gather(
        _continued(ask, visitor, ticket_id),
        _sources(ask, ticket_id),
        limits.spend_message(str(visitor.id), visitor.ip),
        limits.refuse_spent_tokens(),
    )
    chat, newest = continued or (None, [])
    question = await _question(ask, chat)
    history = await read_history(chat, newest, _replaced(ask)) if chat else []
    prompt = tutor_prompt(history, ask.message, sources, about_ticket=ticket_id is not None)
    await visitor.create_user()
    reply = _new_reply(ask, question, visitor.id, ticket_id, chat, prompt, sources, replies)
    await replies.save_new(reply)
    opening = continue_chat(chat, reply) if chat else open_chat(reply)
    try:
        await replies.start(reply, prompt, opening)
    except Conflict:
        await Reply.get_motor_collection().delete_one({"_id": reply.id})
        raise
    return reply


async def _sources(ask: Ask, ticket_id: PydanticObjectId | None) -> list[Source]:
    return [as_source(await access_ticket(ticket_id))] if ticket_id else await find_sources(ask.message)


async def _continued(
    ask: Ask, visitor: VisitorOfRequest, ticket_id: PydanticObjectId | None
) -> tuple[ChatHead, list[PastMessage]] | None:
    """Return the chat that the message continues, if any, as `access_newest` does.

    Raises NotFound, also for a chat about something else, and Conflict while the tutor is answering in it.
    """
    if not ask.session_id:
        return None
    chat, newest = await access_newest(visitor.id, object_id(ask.session_id))
    if chat.ticket_id != ticket_id:
        raise NotFound("This chat is not about that ticket.")
    if await refuse_while_answering(chat):
        return await access_newest(visitor.id, chat.id)
    return chat, newest


async def _same_message(
    ask: Ask, visitor: VisitorOfRequest, ticket_id: PydanticObjectId | None, replies: Replies
) -> Reply | None:
    """Return the reply to an earlier send of the same message. Raises Conflict if that was another message."""
    if not ask.client_message_id or visitor.is_new:
        return None
    reply = await Reply.find_one({"author_id": visitor.id, "client_message_id": ask.client_message_id})
    if not reply:
        return None
    is_same_chat = ask.session_id is None or ask.session_id == str(reply.session_id)
    if reply.question.content != ask.message or reply.ticket_id != ticket_id or not is_same_chat:
        raise Conflict("This client_message_id belongs to another message. Send yours with a new one.")
    return replies.newest(reply)


async def _question(ask: Ask, chat: ChatHead | None) -> Message:
    """Return the question to answer: a new one, or the chat's last one. Raises Conflict if the last one is another."""
    if not ask.replaces:
        return Message(role="user", content=ask.message)
    messages = await home_of(chat).held() if chat else []
    place = max((place for place, message in enumerate(messages) if message.role == "user"), default=0)
    turn = messages[place:]
    if not turn or turn[0].id != _replaced(ask):
        raise Conflict("That is no longer the last question of this chat. Reload to see what came after it.")
    if sum(map(size_of, turn)) > MAX_TURN_BYTES:
        raise TooLong("This question has as many versions as a chat can keep. Ask a new one; your message is kept.")
    return turn[0] if turn[0].content == ask.message else Message(role="user", content=ask.message)


def _replaced(ask: Ask) -> PydanticObjectId | None:
    return object_id(ask.replaces) if ask.replaces else None


def _new_reply(
    ask: Ask,
    question: Message,
    author_id: PydanticObjectId,
    ticket_id: PydanticObjectId | None,
    chat: ChatHead | None,
    prompt: Prompt,
    sources: list[Source],
    replies: Replies,
) -> Reply:
    return Reply(
        id=PydanticObjectId(),
        author_id=author_id,
        client_message_id=ask.client_message_id,
        session_id=chat.id if chat else PydanticObjectId(),
        ticket_id=ticket_id,
        ticket_ids=[PydanticObjectId(source.id) for source in sources],
        left_out_messages=prompt.left_out,
        question=question,
        replaces=_replaced(ask),
        opens_session=chat is None,
        model=replies.model,
        owner=replies.owner,
    )
