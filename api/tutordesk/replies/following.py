"""Following: the text of a reply from a character on, whichever process writes it.

What this process writes comes from memory. What another writes comes from MongoDB: one query each tenth of a second
reads the newest parts of all that is followed here. What is over is one read; it is over once its chat holds it, or
whoever read "done" would ask on, or look there, too early.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from beanie import PydanticObjectId

from tutordesk.replies.growing import GrowingText
from tutordesk.replies.models import Reply, ReplyStatus, assemble_text
from tutordesk.replies.run import running

NEWEST_PARTS = 3


class RemoteText(GrowingText):
    """The text of a reply that another process writes, as far as it is saved."""

    __slots__ = ("readers",)

    def __init__(self) -> None:
        super().__init__()
        self.readers = 0

    async def read(self, reply_id: PydanticObjectId) -> None:
        """All that is saved. A reply that is gone is over."""
        reply = await Reply.get(reply_id)
        self.is_over = reply is None or reply.is_joined
        self.text = reply.text if reply else ""


watched: dict[PydanticObjectId, RemoteText] = {}


async def follow_reply(reply_id: PydanticObjectId, position: int) -> AsyncIterator[tuple[int, str]]:
    """Yield (characters so far, the text since) until the reply is over.

    After 15 s without text the text is empty, so that whoever follows can show that the connection is alive.
    """
    async with _source(reply_id) as source:
        position = source.place_of(position)
        while True:
            if position < (end := len(source.text)):
                yield end, source.text[position:]
                position = end
            elif source.is_over:
                return
            else:
                await source.changed()
                if position >= len(source.text) and not source.is_over:
                    yield position, ""


@asynccontextmanager
async def _source(reply_id: PydanticObjectId) -> AsyncIterator[GrowingText]:
    if run := running.get(reply_id):
        yield run
        return
    remote = watched.get(reply_id)
    if not remote:
        remote = RemoteText()
        await remote.read(reply_id)
        if not remote.is_over:
            remote = watched.setdefault(reply_id, remote)
    remote.readers += 1
    try:
        yield remote
    finally:
        remote.readers -= 1
        if not remote.readers and watched.get(reply_id) is remote:
            del watched[reply_id]


async def read_watched() -> None:
    """Read what grew of all replies that are followed here and written elsewhere.

    Who begins to follow while the query is on its way is not in its answer.
    """
    followed = dict(watched)
    if not followed:
        return
    parts = {"status": 1, "content": 1, "is_joined": 1, "parts": {"$slice": -NEWEST_PARTS}}
    found = await Reply.get_motor_collection().find({"_id": {"$in": list(followed)}}, parts).to_list(None)
    rows = {row["_id"]: row for row in found}
    for reply_id, remote in followed.items():
        before = len(remote.text)
        row = rows.get(reply_id)
        if not row:
            remote.is_over = True
        elif row["status"] != ReplyStatus.streaming.value:
            remote.is_over, remote.text = row["is_joined"], row["content"]
        elif row["parts"] and row["parts"][0]["at"] > before:
            await remote.read(reply_id)
        else:
            remote.text = assemble_text(remote.text, row["parts"])
        if remote.is_over or len(remote.text) > before:
            remote.wake()
