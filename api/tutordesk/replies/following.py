"""The texts of replies that other processes write, read for their followers on this process.

One query every tenth of a second reads the newest parts of all of them. A reply counts as over only once its chat or
room holds it, because a reader who gets `done` may immediately ask the next question or read the transcript.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from beanie import PydanticObjectId

from tutordesk.ground.database import Query
from tutordesk.replies.models import Reply, ReplyStatus, assemble_text
from tutordesk.replies.run import GrowingText

NEWEST_PARTS = 3


class RemoteText(GrowingText):
    """The saved text of a reply that another process writes."""

    __slots__ = ("readers",)

    def __init__(self) -> None:
        super().__init__()
        self.readers = 0

    async def read(self, reply_id: PydanticObjectId) -> None:
        """Read the whole saved text. A reply that no longer exists counts as over."""
        reply = await Reply.get(reply_id)
        self.is_over = reply is None or reply.is_joined
        self.text = reply.text if reply else ""
        self.thinking = reply.thinking if reply else ""


class RemoteTexts:
    """The texts that this process reads from MongoDB for its followers."""

    def __init__(self) -> None:
        self._by_reply: dict[PydanticObjectId, RemoteText] = {}

    @asynccontextmanager
    async def open(self, reply_id: PydanticObjectId) -> AsyncIterator[RemoteText]:
        """Yield the text of a reply, which grows while the context is open."""
        remote = self._by_reply.get(reply_id)
        if not remote:
            remote = RemoteText()
            await remote.read(reply_id)
            if not remote.is_over:
                remote = self._by_reply.setdefault(reply_id, remote)
        remote.readers += 1
        try:
            yield remote
        finally:
            remote.readers -= 1
            if not remote.readers and self._by_reply.get(reply_id) is remote:
                del self._by_reply[reply_id]

    async def read(self) -> None:
        """Read the growth of all open texts. A text opened during the query is read by the next call."""
        followed = dict(self._by_reply)
        if not followed:
            return
        fields: Query = {"status": 1, "content": 1, "is_joined": 1, "parts": {"$slice": -NEWEST_PARTS}}
        if any(not remote.text for remote in followed.values()):
            fields["thinking"] = 1
        cursor = Reply.get_motor_collection().find({"_id": {"$in": list(followed)}}, fields)
        rows = {row["_id"]: row for row in await cursor.to_list(None)}
        for reply_id, remote in followed.items():
            size, thought = len(remote.text), len(remote.thinking)
            row = rows.get(reply_id)
            if row:
                remote.thinking = row.get("thinking") or remote.thinking
            if not row:
                remote.is_over = True
            elif row["status"] != ReplyStatus.streaming.value:
                remote.is_over, remote.text = row["is_joined"], row["content"]
            elif row["parts"] and row["parts"][0]["at"] > size:
                await remote.read(reply_id)
            else:
                remote.text = assemble_text(remote.text, row["parts"])
            if remote.is_over or len(remote.text) > size or len(remote.thinking) > thought:
                remote.wake()

    def wake_all(self) -> None:
        """Wake every follower, so that it can show that its connection is alive."""
        for remote in self._by_reply.values():
            remote.wake()
