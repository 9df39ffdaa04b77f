"""The replies of this process: starts, finds, follows and stops them, and saves their text in the background.

| every | background work |
|---|---|
| 0.1 s | stop runs that another process asked to stop; read texts of other processes for followers on this one |
| 0.5 s | after a pause of this process, drop the runs that other processes ended |
| 0.7 s | append the text of all runs to their documents, in bulks of at most 100; finish delivered replies; |
| | after an election, save all texts again (elections.py) |
| 2 s | count up this process's beat; end the replies of dead processes as `interrupted` |
| 15 s | wake followers, so that they send a keep-alive |
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import nullcontext
from pathlib import Path
from typing import Self

import pymongo.errors
from beanie import PydanticObjectId
from pymongo import UpdateMany

from tutordesk.ground.background import Background
from tutordesk.ground.database import Change, at_once
from tutordesk.ground.errors import AppError, NotFound
from tutordesk.ground.metrics import CHECKPOINT_LAG
from tutordesk.ground.sse import KEEP_ALIVE_SECONDS
from tutordesk.replies.elections import Elections
from tutordesk.replies.endings import Deliver, Delivered, Endings
from tutordesk.replies.following import RemoteTexts
from tutordesk.replies.liveness import BEAT_SECONDS, Lookout, Owner
from tutordesk.replies.models import Reply, ReplyStatus
from tutordesk.replies.run import MAX_UNCHECKED_SECONDS, GrowingText, Run, write_reply
from tutordesk.tutor.models import Prompt, Thinking
from tutordesk.tutor.voice import Tutor

log = logging.getLogger(__name__)
PULSE_SECONDS = 0.1
AWAKE_SECONDS = 0.5
CHECKPOINT_SECONDS = 0.7
MAX_BULK = 100
MIN_THINKING = 500
EVICT_SECONDS = 60.0
END_SECONDS = 3.0


class Replies:
    """Use as `async with Replies(…)`. It recovers the replies of dead processes, and lets running ones end at the exit.

    `owner` is this process's name. `deliver` puts an ended reply into its chat or room. `on_delivered` receives the
    delivered replies later, in batches. `running` holds this process's runs by the id of their reply, including those
    that ended in the last minute.
    """

    def __init__(self, owner: str, data_dir: Path, tutor: Tutor, deliver: Deliver, on_delivered: Delivered) -> None:
        self.owner, self.model = owner, tutor.model
        self._tutor = tutor
        self.running: dict[PydanticObjectId, Run] = {}
        self._remote = RemoteTexts()
        self.endings = Endings(deliver, on_delivered)
        self.elections = Elections(self.running, self.endings)
        self._lookout = Lookout(data_dir, owner)
        self._background = Background()
        self._awake_at, self._was_paused = time.monotonic(), False

    async def start(self, reply: Reply, prompt: Prompt, opening: Awaitable[object] | None = None) -> Run:
        """Start the task that writes a saved reply. Returns its run without waiting for the text.

        The model works while `opening` puts the question into its chat, but followers see nothing before that is
        done. Raises the AppError of `opening`, and forgets the run. A failing database does not end the run, because
        the delivery saves the question again.
        """
        run = Run(reply)
        reply_id = PydanticObjectId(reply.id)
        self.running[reply_id] = run
        run.task = self._background.start(
            write_reply(run, prompt, self._tutor, lambda: self._save(reply)), f"reply {reply.id}"
        )
        try:
            if opening:
                await opening
        except AppError:
            run.opened.set_result(False)
            run.task.cancel()
            del self.running[reply_id]
            raise
        except pymongo.errors.PyMongoError as error:
            log.warning("cannot save the question of reply %s yet: %s", reply.id, type(error).__name__)
        run.opened.set_result(True)
        return run

    async def save_new(self, reply: Reply) -> None:
        """Insert a reply before its run starts. Raises PyMongoError; the reply is then void, even if it was saved."""
        await self.elections.save_new(reply)

    async def forget_unsure(self) -> None:
        """Remove the void replies that were saved after all."""
        await self.elections.forget_unsure()

    def count_running(self, author_id: PydanticObjectId) -> int:
        """Return the number of the author's running replies on this process."""
        return sum(not run.is_over and run.reply.author_id == author_id for run in self.running.values())

    def newest(self, reply: Reply) -> Reply:
        """Return the reply in memory, which is newer, if this process writes it. Otherwise returns `reply`."""
        run = self.running.get(PydanticObjectId(reply.id))
        return run.reply if run else reply

    async def find(self, reply_id: PydanticObjectId) -> Reply | None:
        """Return the reply, or None."""
        run = self.running.get(reply_id)
        return run.reply if run else await Reply.get(reply_id)

    async def access(self, author_id: PydanticObjectId, reply_id: PydanticObjectId) -> Reply:
        """Return the reply if it is this author's. Raises NotFound."""
        reply = await self.find(reply_id)
        if not reply or reply.author_id != author_id:
            raise NotFound
        return reply

    async def follow(self, reply_id: PydanticObjectId, position: int) -> AsyncGenerator[tuple[int, str] | Thinking]:
        """Yield (characters so far, the text since `position`) until the reply is over, on whichever process.

        Also yields Thinking: all of it from the beginning, and only what is new when the text continues. After 15 s
        without either, yields an empty text, so that the follower can send a keep-alive.
        """
        run = self.running.get(reply_id)
        source: GrowingText
        async with nullcontext(run) if run else self._remote.open(reply_id) as source:
            position, was_loading = source.place_of(position), False
            thought = len(source.thinking) if position else 0
            while True:
                if thought < len(source.thinking) or was_loading != source.is_loading:
                    was_loading = source.is_loading
                    yield Thinking(source.thinking[thought:], was_loading)
                    thought = len(source.thinking)
                elif position < (end := len(source.text)):
                    yield end, source.text[position:]
                    position = end
                elif source.is_over:
                    return
                else:
                    await source.changed()
                    is_news = len(source.text) > position or len(source.thinking) > thought
                    if not is_news and source.is_loading == was_loading and not source.is_over:
                        yield position, ""

    async def stop(self, reply_id: PydanticObjectId) -> None:
        """End a reply and save its text. Idempotent.

        If another process writes it, marks the reply; its owner checks for marks ten times a second.
        """
        if run := self.running.get(reply_id):
            await run.stop()
        else:
            streaming = {"_id": reply_id, "status": ReplyStatus.streaming.value}
            await Reply.get_motor_collection().update_one(streaming, {"$set": {"is_stop_requested": True}})

    async def __aenter__(self) -> Self:
        await Owner(id=self.owner).insert()
        await self._recover_unowned()
        await self._beat()
        self._awake_at = time.monotonic()
        self._background.every(AWAKE_SECONDS, self._notice_pause, "replies' pauses")
        self._background.every(PULSE_SECONDS, self._pulse, "replies' pulse")
        self._background.every(CHECKPOINT_SECONDS, self._checkpoint, "replies' checkpoint")
        self._background.every(BEAT_SECONDS, self._beat, "replies' beat")
        self._background.every(KEEP_ALIVE_SECONDS, self._keep_alive, "replies' keep-alive")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()
        await self._background.close()
        await self._leave()

    def _save(self, reply: Reply) -> asyncio.Task[Reply]:
        async def save() -> Reply:
            stored = await self.endings.save(reply)
            reply_id = PydanticObjectId(reply.id)
            asyncio.get_running_loop().call_later(EVICT_SECONDS, lambda: self.running.pop(reply_id, None))
            return stored

        return self._background.start(save(), f"saving {reply.id}")

    async def _end(self) -> None:
        """Let replies end within a few seconds, then end the rest as `interrupted` with their text."""
        tasks = {run.task for run in self.running.values() if run.task and not run.task.done()}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=END_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=END_SECONDS)

    async def _leave(self) -> None:
        """Remove this process's owner. If a reply could not be saved, keep it, so that others recover the reply."""
        try:
            await self.endings.finish_delivered()
            if all(run.is_over for run in self.running.values()):
                await Owner.get_motor_collection().delete_one({"_id": self.owner})
        except pymongo.errors.PyMongoError as error:
            log.warning("cannot reach the database at shutdown: %s", type(error).__name__)
        self.running.clear()

    async def _pulse(self) -> None:
        await self._stop_requested()
        await self._remote.read()

    async def _notice_pause(self) -> None:
        """After a pause of this process, drop the runs that others ended, before anybody reads their next deltas.

        A slow database is no pause, so nothing else in here waits for it.
        """
        paused_at, self._awake_at = self._awake_at, time.monotonic()
        self._was_paused |= self._awake_at - paused_at > MAX_UNCHECKED_SECONDS
        if self._was_paused:
            await self.show_life()
            self._was_paused = False
        for run in self.running.values():
            if run.task and not run.task.cancelling():
                run.release()

    async def _stop_requested(self) -> None:
        if any(not run.is_over for run in self.running.values()):
            requested = Reply.get_motor_collection().find({"is_stop_requested": True, "owner": self.owner}, {"_id": 1})
            await asyncio.gather(*(self.stop(row["_id"]) for row in await requested.to_list(None)))

    async def _checkpoint(self) -> None:
        await self.elections.check()
        await self.save_text()
        await self.endings.finish_delivered()

    async def save_text(self) -> None:
        """Append each run's new text to its document.

        The update selects by id only, which costs MongoDB half of a guard by `status`. A late append does no harm,
        since nobody reads the parts of an ended reply. It is an "update many" because the driver never retries those:
        the session that a retry needs is a third of the oplog entry, and the next call appends failed text anyway.
        """
        due = [run for run in self.running.values() if not run.is_over and _has_more(run)]
        CHECKPOINT_LAG.set(max((time.monotonic() - run.saved_at for run in due), default=0.0))
        replies = at_once(Reply)
        for start in range(0, len(due), MAX_BULK):
            batch = [(run, len(run.text), len(run.thinking)) for run in due[start : start + MAX_BULK]]
            saved_at = time.monotonic()
            await replies.bulk_write([_append(run, end) for run, end, _ in batch], ordered=False)
            for run, end, thought in batch:
                run.saved, run.saved_thinking, run.saved_at = end, thought, saved_at

    async def _beat(self) -> None:
        await self.show_life()
        await self.elections.forget_unsure()
        for owner in await self._lookout.find_dead():
            await self.endings.recover(owner)
            await Owner.get_motor_collection().delete_one({"_id": owner})
            log.warning("recovered the replies of a dead process as interrupted: %s", owner)

    async def show_life(self) -> None:
        """Count up the beat. If others took this process for dead, drop the runs whose replies they ended."""
        if (await at_once(Owner).update_one({"_id": self.owner}, {"$inc": {"beat": 1}})).matched_count:
            return
        await Owner(id=self.owner).insert()
        ended = {"_id": {"$in": list(self.running)}, "status": {"$ne": ReplyStatus.streaming.value}}
        for row in await Reply.get_motor_collection().find(ended, {"_id": 1}).to_list(None):
            if (run := self.running.get(row["_id"])) and run.task and not run.is_over:
                run.task.cancel()

    async def _keep_alive(self) -> None:
        for run in self.running.values():
            run.wake()
        self._remote.wake_all()

    async def _recover_unowned(self) -> None:
        """Recover the replies without a stored owner, which a restore may leave."""
        known = await Owner.get_motor_collection().distinct("_id")
        for owner in await Reply.get_motor_collection().distinct("owner", {"is_joined": False}):
            if owner not in known:
                await self.endings.recover(owner)


def _has_more(run: Run) -> bool:
    """Return whether there is text to save, or enough thinking, which is written as a whole each time."""
    return len(run.text) > run.saved or len(run.thinking) >= run.saved_thinking + MIN_THINKING


def _append(run: Run, end: int) -> UpdateMany:
    change: Change = {}
    if end > run.saved:
        change["$push"] = {"parts": {"at": run.saved, "text": run.text[run.saved : end]}}
    if len(run.thinking) > run.saved_thinking:
        change["$set"] = {"thinking": run.thinking}
    return UpdateMany({"_id": run.reply.id}, change)
