"""Writes summaries: plain text of at most about 60 words, by the model, after the ticket is saved.

A summary is `pending` until it is `ready` or `failed`. Every half minute a server picks up pending ones that nobody
seems to write: after a crash, or when a ticket was saved after its request had failed. The summary of a text that has
changed since is discarded.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Self

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.background import Background
from tutordesk.ground.clock import now
from tutordesk.ground.database import Change
from tutordesk.ground.text import first_words, plain_text
from tutordesk.ground.words import terms_of
from tutordesk.tickets.models import Ticket, as_source, find_ticket
from tutordesk.tutor.models import TutorError
from tutordesk.tutor.prompt import summary_prompt
from tutordesk.tutor.voice import Tutor

log = logging.getLogger(__name__)
MAX_WORDS = 60
AT_ONCE = 4
RETRY_SECONDS = 5.0
LOOK_SECONDS = 30.0


class Summaries:
    """Writes at most four summaries at once, in the background. Use as `async with Summaries(tutor)`."""

    def __init__(self, tutor: Tutor) -> None:
        self._tutor = tutor
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[PydanticObjectId, asyncio.Task[None]] = {}
        self._background = Background()

    def refresh(self, ticket_id: PydanticObjectId) -> None:
        """Summarise a pending ticket soon. Cancels an earlier summary of it."""
        if earlier := self._tasks.pop(ticket_id, None):
            earlier.cancel()
        task = self._background.start(self._refresh(ticket_id), f"summary {ticket_id}")
        self._tasks[ticket_id] = task
        task.add_done_callback(lambda done: self._forget(ticket_id, done))

    def _forget(self, ticket_id: PydanticObjectId, task: asyncio.Task[None]) -> None:
        if self._tasks.get(ticket_id) is task:
            del self._tasks[ticket_id]

    async def _refresh(self, ticket_id: PydanticObjectId) -> None:
        async with self._slots:
            while True:
                try:
                    return await refresh_summary(ticket_id, self._tutor)
                except pymongo.errors.PyMongoError as error:
                    log.warning("summary of %s waits for the database: %s", ticket_id, type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Cancel running summaries, which stay pending."""
        await self._background.close()

    async def __aenter__(self) -> Self:
        await self._refresh_pending(now())
        self._background.every(LOOK_SECONDS, self._refresh_abandoned, "pending summaries")
        return self

    async def _refresh_abandoned(self) -> None:
        await self._refresh_pending(now() - timedelta(seconds=LOOK_SECONDS))

    async def _refresh_pending(self, before: datetime) -> None:
        """Write the summaries that are pending since before then and that this process does not write already."""
        pending = {"summary_status": "pending", "is_deleted": False, "updated_at": {"$lt": before}}
        async for row in Ticket.get_motor_collection().find(pending, {"_id": 1}):
            if row["_id"] not in self._tasks:
                self.refresh(row["_id"])

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def refresh_summary(ticket_id: PydanticObjectId, tutor: Tutor) -> None:
    """Summarise one ticket if its summary is pending, and save it."""
    ticket = await find_ticket(ticket_id)
    if not ticket or ticket.summary_status != "pending":
        return
    change: Change
    try:
        text, model = await tutor.complete(summary_prompt(as_source(ticket)))
        summary = first_words(plain_text(text), MAX_WORDS)
        terms = terms_of(ticket.title, ticket.description, ticket.category, ticket.tags, summary)
        change = {"summary_status": "ready", "ai_summary": summary, "summary_model": model, "terms": terms}
    except TutorError as error:
        log.warning("no summary for %s: %s", ticket_id, error.type)
        change = {"summary_status": "failed"}
    change["summary_at"] = now()
    unchanged = {"_id": ticket_id, "summary_status": "pending", "updated_at": ticket.updated_at}
    await Ticket.get_motor_collection().update_one(unchanged, {"$set": change})
