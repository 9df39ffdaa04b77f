"""A chat as a file: Markdown for people, JSON for programs. Maths, code and citations stay as they were written."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal
from urllib.parse import quote

import orjson
from starlette.responses import StreamingResponse

from tutordesk.chat.models import ChatHead
from tutordesk.chat.reading import all_messages
from tutordesk.chat.self_contained import escape_html, self_contained
from tutordesk.replies.models import Message, ReplyStatus

Format = Literal["markdown", "json"]
KINDS: dict[Format, tuple[str, str]] = {
    "markdown": ("text/markdown; charset=utf-8", "md"),
    "json": ("application/json", "json"),
}


def export_chat(chat: ChatHead, format: Format) -> StreamingResponse:
    """Return the whole chat as a download, read a page at a time."""
    media_type, ending = KINDS[format]
    name = "".join(char if char.isalnum() or char in " -_" else " " for char in chat.title)
    name = " ".join(name.split())[:60] or "Chat"
    plain = name.encode("ascii", "ignore").decode().strip() or "chat"
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(name)}.{ending}"
    }
    parts = _as_markdown(chat) if format == "markdown" else _as_json(chat)
    return StreamingResponse(parts, media_type=media_type, headers=headers)


async def _as_json(chat: ChatHead) -> AsyncIterator[bytes]:
    head = chat.model_dump(mode="json", include={"id", "title", "ticket_id", "created_at", "updated_at"})
    yield orjson.dumps(head)[:-1] + b',"messages":['
    separator = b""
    async for message in all_messages(chat):
        yield separator + _without_thinking(message).model_dump_json().encode()
        separator = b","
    yield b"]}\n"


def _without_thinking(message: Message) -> Message:
    """Return the message without what the model thought, which is no part of its answer."""
    versions = [message, *message.alternatives, *(answer for old in message.alternatives for answer in old.answers)]
    for version in versions:
        version.thinking = None
    return message


async def _as_markdown(chat: ChatHead) -> AsyncIterator[bytes]:
    about = f"ticket {chat.ticket_id}" if chat.ticket_id else "all tickets"
    title = escape_html(chat.title)
    yield f"# {title}\n\nA chat about {about}, begun {chat.created_at:%Y-%m-%d %H:%M} UTC.\n".encode()
    number = 0
    async for message in all_messages(chat):
        number += 1
        yield (await asyncio.to_thread(_message, message, number)).encode()


def _message(message: Message, number: int) -> str:
    who = "You" if message.role == "user" else f"Tutor ({message.model})" if message.model else "Tutor"
    text = self_contained(message.content, f"{number}-", level=2)
    parts = [f"\n## {who}, {message.created_at:%Y-%m-%d %H:%M} UTC\n\n{text}\n"]
    if message.status is not ReplyStatus.complete:
        parts.append(f"\n*{message.status.value.capitalize()}{f': {message.error.error}' if message.error else '.'}*\n")
    for index, cited in enumerate(message.citations):
        quote = self_contained(" ".join(cited.quote.split()), f"{number}-{index}-", level=2).replace("\n", "\n> ")
        parts.append(f"\n> {quote}\n>\n> From ticket {cited.ticket_id}\n")
    return "".join(parts)
