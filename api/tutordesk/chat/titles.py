"""A chat's title by the model, from its first exchange. Until it is there, and where there is no model, the title is
the beginning of the question. It changes neither the chat's place in the list nor what a person called it.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Self

import pymongo.errors

from tutordesk.chat.history import index_titles
from tutordesk.chat.models import TITLE_CHARACTERS, ChatSession
from tutordesk.ground.background import Background
from tutordesk.ground.text import plain_text, shorten
from tutordesk.replies.models import Reply, ReplyStatus
from tutordesk.tutor.models import TutorError
from tutordesk.tutor.prompt import title_prompt
from tutordesk.tutor.voice import Tutor

log = logging.getLogger(__name__)
AT_ONCE = 4


class Titles:
    """Asks for at most four titles at once, in tasks of its own. Use as `async with Titles(tutor)`."""

    def __init__(self, tutor: Tutor) -> None:
        self._tutor = tutor
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._background = Background()

    def suggest(self, replies: Sequence[Reply]) -> None:
        """Ask for titles of the chats that these replies opened, as far as the first exchange is whole."""
        if self._tutor.is_offline:
            return
        for reply in replies:
            if reply.opens_session and reply.status is ReplyStatus.complete:
                self._background.start(self._title(reply), f"title {reply.session_id}")

    async def _title(self, reply: Reply) -> None:
        async with self._slots:
            try:
                text, _ = await self._tutor.complete(title_prompt(reply.question.content, reply.content))
                title = shorten(plain_text(text).strip(" .\"'“”„«»"), TITLE_CHARACTERS)
                untitled = {"_id": reply.session_id, "titled_by": "question"}
                change = {"$set": {"title": title, "titled_by": "model"}}
                if title and (await ChatSession.get_motor_collection().update_one(untitled, change)).modified_count:
                    await index_titles([reply.session_id])
            except (TutorError, pymongo.errors.PyMongoError) as error:
                log.warning("chat %s keeps its first title: %s", reply.session_id, error)

    async def close(self) -> None:
        """Stop asking."""
        await self._background.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
