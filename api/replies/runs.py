"""Runs: replies in the making. A run is a task of this process; whoever reads it is only a follower.

| verb | what it does |
|---|---|
| `start_reply` | saves the Reply, starts its task, returns at once |
| `follow_reply` | yields the text from a character on, until the reply is over; any number of readers |
| `stop_reply` | ends it now, keeps the text, closes the connection to the model |
| `recover_replies` | ends what a killed process left as `interrupted`, and joins what did not get into its transcript |

The text is its own event log: a position is a number of characters, and what a reader gets is `text[position:]`.
Text goes to MongoDB about once a second, all runs together in bulks of at most 100; every ending is one update
guarded by `status`, so that only one caller ends a reply.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import pymongo.errors
from beanie import PydanticObjectId
from pymongo import UpdateOne

from api.errors import NotFound
from api.replies.models import MOST_CHARACTERS, MOST_SECONDS, Failure, Reply, Status, TokenUsage, now
from api.tutor.models import CUT, Prompt, TutorError, Usage
from api.tutor.voice import Tutor

log = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 0.9
BULK = 100
LEASE = timedelta(seconds=15)
KEPT_SECONDS = 60.0
KEEP_ALIVE_SECONDS = 15.0
SAVED_WITHIN_SECONDS = 2.0
END_SECONDS = 3.0

Join = Callable[[Reply], Awaitable[None]]
running: dict[PydanticObjectId, "Run"] = {}


class Run:
    """A reply on this process: its text so far, and who waits for more."""

    __slots__ = ("half", "is_over", "reply", "saved", "task", "text", "waiters")

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.text = ""
        self.saved = 0
        self.is_over = False
        self.half = ""
        self.waiters: list[asyncio.Future[None]] = []
        self.task: asyncio.Task[None] | None = None

    def write(self, delta: str) -> None:
        """Append, and wake the followers. Never blocks. Half a surrogate pair waits for its other half."""
        if self.half or not (delta.isascii() or _is_whole(delta)):
            delta = self._mend(delta)
        self.text += delta
        self.wake()

    def _mend(self, delta: str) -> str:
        delta, self.half = self.half + delta, ""
        if "\ud800" <= delta[-1] <= "\udbff":
            delta, self.half = delta[:-1], delta[-1]
        return delta.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def wake(self) -> None:
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        await waiter


@asynccontextmanager
async def running_replies(owner: str, join: Join) -> AsyncIterator[None]:
    """Recover what an earlier process left, then keep checkpoints while inside; at the end give replies time to end."""
    await recover_replies(join, owner)
    keeper = asyncio.create_task(_keep_checkpoints(join), name="checkpoints")
    try:
        yield
    finally:
        await end_replies()
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        running.clear()


async def start_reply(reply: Reply, prompt: Prompt, tutor: Tutor, join: Join) -> Run:
    """Start the task of a reply that is saved already. `join` puts question and answer into the transcript."""
    run = Run(reply)
    running[PydanticObjectId(reply.id)] = run
    run.task = asyncio.create_task(_write_reply(run, prompt, tutor, join), name=f"reply {reply.id}")
    await asyncio.sleep(0)  # a task cancelled before its first step would skip its handlers
    return run


def count_running(author_id: PydanticObjectId) -> int:
    return sum(not run.is_over and run.reply.author_id == author_id for run in running.values())


async def access_reply(author_id: PydanticObjectId, reply_id: PydanticObjectId) -> Reply:
    """The reply, if it is this author's. Raises NotFound."""
    run = running.get(reply_id)
    reply = run.reply if run else await Reply.get(reply_id)
    if not reply or reply.author_id != author_id:
        raise NotFound
    return reply


async def follow_reply(reply_id: PydanticObjectId, position: int) -> AsyncIterator[tuple[int, str]]:
    """Yield (characters so far, the text since) until the reply is over: from memory, or from what MongoDB has.

    After 15 s without text the text is empty, so that whoever follows can show that the connection is alive.
    """
    run = running.get(reply_id)
    if not run:
        while reply := await Reply.get(reply_id):
            text = reply.text
            position = min(position, len(text))
            if position < len(text):
                yield len(text), text[position:]
                position = len(text)
            if reply.status is not Status.streaming:
                return
            await asyncio.sleep(CHECKPOINT_SECONDS)
            yield position, ""
        return
    position = min(position, len(run.text))
    while True:
        if position < (end := len(run.text)):
            yield end, run.text[position:]
            position = end
        elif run.is_over:
            return
        else:
            await run.changed()
            if position == len(run.text) and not run.is_over:
                yield position, ""


async def stop_reply(reply_id: PydanticObjectId) -> None:
    """End a reply of this process now and keep its text. Idempotent; what is over stays as it is."""
    run = running.get(reply_id)
    if run and run.task and not run.is_over and run.reply.status is Status.streaming:
        run.reply.status = Status.stopped
        run.task.cancel()
        await asyncio.wait([run.task], timeout=SAVED_WITHIN_SECONDS)


async def end_replies() -> None:
    """At shutdown: let replies end within a few seconds, then keep what they have as `interrupted`."""
    tasks = {run.task for run in running.values() if run.task and not run.task.done()}
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=END_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=END_SECONDS)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _write_reply(run: Run, prompt: Prompt, tutor: Tutor, join: Join) -> None:
    """The task of a run. Ends it whatever happens; being cancelled means stopped or, at shutdown, interrupted."""
    status, failure = Status.complete, None
    try:
        await _pump(run, prompt, tutor)
    except asyncio.CancelledError:
        status = Status.stopped if run.reply.status is Status.stopped else Status.interrupted
    except TutorError as error:
        status, failure = Status.failed, Failure(error=str(error), type=error.type, retryable=error.retryable)
    except Exception:
        log.exception("reply %s failed", run.reply.id)
        refusal = TutorError("unknown")
        status, failure = Status.failed, Failure(error=str(refusal), type=refusal.type, retryable=True)
    run.reply.status, run.reply.error = Status.streaming, None
    await _settle(run, status, failure, join)


async def _pump(run: Run, prompt: Prompt, tutor: Tutor) -> None:
    """Write what the tutor says. The loop's body awaits nothing and never breaks out: then stopping closes upstream."""
    try:
        async with asyncio.timeout(MOST_SECONDS) as clock:
            async for part in tutor.stream_reply(prompt):
                if isinstance(part, str):
                    run.write(part)
                    if len(run.text) > MOST_CHARACTERS:
                        clock.reschedule(0)
                elif part.model:
                    run.reply.model = part.model
                if isinstance(part, Usage) and (part.input_tokens or part.output_tokens):
                    run.reply.usage = TokenUsage(input_tokens=part.input_tokens, output_tokens=part.output_tokens)
    except TimeoutError:
        if len(run.text) > MOST_CHARACTERS:
            run.text = run.text[:MOST_CHARACTERS]
            raise TutorError("too_long", CUT) from None
        raise TutorError("timeout", "The answer took longer than two minutes and was ended here.") from None
    if not run.text.strip():
        raise TutorError("unknown", "The model sent an empty answer. Try again.")


async def _settle(run: Run, status: Status, failure: Failure | None, join: Join) -> None:
    """Save the ending, then tell the followers: at once when the database is quick, after two seconds otherwise."""
    reply = run.reply
    reply.status, reply.error, reply.content, reply.parts = status, failure, run.text, []
    reply.ended_at = now()
    saving = asyncio.create_task(_save_ending(reply, join), name=f"saving {reply.id}")
    with suppress(asyncio.CancelledError):
        await asyncio.wait([saving], timeout=SAVED_WITHIN_SECONDS)
    run.is_over = True
    run.wake()
    with suppress(asyncio.CancelledError):
        await saving
    asyncio.get_running_loop().call_later(KEPT_SECONDS, lambda: running.pop(PydanticObjectId(reply.id), None))


async def _save_ending(reply: Reply, join: Join) -> None:
    """The guarded update and the transcript; tried until the database is back."""
    pause = 0.2
    while True:
        try:
            if await _end_in_database(reply):
                await join_once(reply, join)
            return
        except pymongo.errors.PyMongoError as error:
            log.warning("reply %s is not saved yet: %s", reply.id, type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


async def _end_in_database(reply: Reply) -> bool:
    """Whether this call (or an earlier try of it) ended the reply; False: another process did."""
    ending = reply.model_dump(include={"model", "content", "usage", "citations", "error", "ended_at"})
    ending["status"] = reply.status.value
    collection = Reply.get_motor_collection()
    result = await collection.update_one(
        {"_id": reply.id, "status": Status.streaming.value}, {"$set": ending, "$unset": {"parts": 1}}
    )
    if result.matched_count:
        return True
    return await collection.find_one({"_id": reply.id, "ended_at": reply.ended_at}, {"_id": 1}) is not None


async def join_once(reply: Reply, join: Join) -> None:
    """`join` is idempotent by the ids of question and answer; the mark spares the next recovery the work."""
    await join(reply)
    await Reply.get_motor_collection().update_one({"_id": reply.id}, {"$set": {"is_joined": True}})


async def recover_replies(join: Join, owner: str | None = None) -> None:
    """End what has no owner any more, keeping its text, and join what is over but in no transcript yet.

    Without an owner: with a lease that ran out or, at the start of `owner`, written by its earlier process.
    """
    orphaned = {"is_joined": False, "$or": [{"leased_until": {"$lt": now()}}, *([{"owner": owner}] if owner else [])]}
    async for reply in Reply.find(orphaned):
        if reply.id in running:
            continue
        if reply.status is Status.streaming:
            reply.content, reply.status, reply.ended_at = reply.text, Status.interrupted, now()
            reply.parts = []
            if not await _end_in_database(reply):
                continue
        await join_once(reply, join)


async def _keep_checkpoints(join: Join) -> None:
    loop = asyncio.get_running_loop()
    next_recovery = loop.time() + LEASE.total_seconds()
    next_sign = loop.time() + KEEP_ALIVE_SECONDS
    while True:
        await asyncio.sleep(CHECKPOINT_SECONDS)
        if loop.time() > next_sign - CHECKPOINT_SECONDS:
            next_sign = loop.time() + KEEP_ALIVE_SECONDS
            for run in running.values():
                run.wake()
        try:
            await save_checkpoints()
            if loop.time() > next_recovery:
                next_recovery = loop.time() + LEASE.total_seconds()
                await recover_replies(join)
        except pymongo.errors.PyMongoError as error:
            log.warning("checkpoints wait for the database: %s", type(error).__name__)


async def save_checkpoints() -> None:
    """Append what each run wrote since the last time, and renew its lease when half of it is over."""
    moment = now()
    due = [run for run in running.values() if not run.is_over and run.reply.status is Status.streaming]
    due = [run for run in due if len(run.text) > run.saved or run.reply.leased_until - moment < LEASE / 2]
    for start in range(0, len(due), BULK):
        batch = [(run, len(run.text)) for run in due[start : start + BULK]]
        await Reply.get_motor_collection().bulk_write(
            [_checkpoint(run, end, moment) for run, end in batch], ordered=False
        )
        for run, end in batch:
            run.saved = end
            if run.reply.leased_until - moment < LEASE / 2:
                run.reply.leased_until = moment + LEASE


def _checkpoint(run: Run, end: int, moment: datetime) -> UpdateOne:
    update: dict[str, object] = {}
    if end > run.saved:
        update["$push"] = {"parts": {"at": run.saved, "text": run.text[run.saved : end]}}
    if run.reply.leased_until - moment < LEASE / 2:  # it is indexed, so not each time
        update["$set"] = {"leased_until": moment + LEASE}
    return UpdateOne({"_id": run.reply.id, "status": Status.streaming.value}, update)
