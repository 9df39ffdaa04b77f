"""Runs: replies in the making. A run is a task of this process; whoever reads it is only a follower.

| verb | what it does |
|---|---|
| `start_reply` | starts the task of a saved Reply, returns at once |
| `follow_reply` (following.py) | yields the text from a character on, until the reply is over; any number of readers |
| `stop_reply` | ends it now, keeps the text, closes the connection to the model; from any process |
| `recover_replies` (endings.py) | ends what a dead process left as `interrupted`, and joins it into its transcript |

The text is its own event log: a position is a number of characters, and what a reader gets is `text[position:]`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import suppress

import pymongo.errors
from beanie import PydanticObjectId

from tutordesk.ground.errors import AppError, NotFound
from tutordesk.ground.metrics import FIRST_TOKEN, REPLIES, RUNNING_REPLIES
from tutordesk.identity.access import VisitorOfRequest
from tutordesk.replies.endings import Deliver, save_ending
from tutordesk.replies.growing import GrowingText
from tutordesk.replies.models import MAX_CHARACTERS, MAX_SECONDS, Failure, Reply, ReplyStatus, TokenUsage, now
from tutordesk.tutor.models import CUT, Prompt, TutorError, Usage
from tutordesk.tutor.voice import Tutor

log = logging.getLogger(__name__)
KEPT_SECONDS = 60.0
SAVED_WITHIN_SECONDS = 2.0
END_SECONDS = 3.0

running: dict[PydanticObjectId, "Run"] = {}


class Run(GrowingText):
    """A reply that this process writes. `saved`: characters in MongoDB, `saved_at`: when that was all of them;
    `opened`: whether its question was taken.
    """

    __slots__ = ("half", "is_stopped", "opened", "reply", "saved", "saved_at", "task")

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply
        self.saved = 0
        self.saved_at = time.monotonic()
        self.half = ""
        self.is_stopped = False
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    def place_of(self, position: int) -> int:
        return min(position, len(self.text))

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


async def start_reply(reply: Reply, prompt: Prompt, tutor: Tutor, deliver: Deliver, opening: Awaitable[object]) -> Run:
    """Start the task of a reply that is saved already. `deliver` puts question and answer into the transcript.

    The model is asked while `opening` puts the question there; nothing is shown before that is done. Raises what it
    refuses with, and the run is forgotten; a database that fails in between does not end it, for `deliver` tries again.
    """
    run = Run(reply)
    running[PydanticObjectId(reply.id)] = run
    run.task = asyncio.create_task(_write_reply(run, prompt, tutor, deliver), name=f"reply {reply.id}")
    try:
        await opening
    except AppError:
        run.opened.set_result(False)
        run.task.cancel()
        del running[PydanticObjectId(reply.id)]
        raise
    except pymongo.errors.PyMongoError as error:
        log.warning("the question of reply %s joins its chat later: %s", reply.id, type(error).__name__)
    run.opened.set_result(True)
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


async def access_stoppable(visitor: VisitorOfRequest, reply_id: PydanticObjectId) -> None:
    """Raises NotFound unless the visitor asked for this reply, or is an admin of the room that it is in."""
    run = running.get(reply_id)
    reply = run.reply if run else await Reply.get(reply_id)
    if not reply or visitor.id not in (reply.author_id, reply.room_owner):
        user = await visitor.user() if reply and reply.room_id else None
        if not user or user.role != "admin":
            raise NotFound


async def stop_reply(reply_id: PydanticObjectId) -> None:
    """End a reply and keep its text: now when it is this process's, else its owner is asked to, who looks ten times a
    second. Idempotent; what is over stays as it is.
    """
    run = running.get(reply_id)
    if not run:
        streaming = {"_id": reply_id, "status": ReplyStatus.streaming.value}
        await Reply.get_motor_collection().update_one(streaming, {"$set": {"is_stop_requested": True}})
    elif run.task and run.reply.status is ReplyStatus.streaming and not run.is_stopped:
        run.is_stopped = True
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


async def _write_reply(run: Run, prompt: Prompt, tutor: Tutor, deliver: Deliver) -> None:
    """The task of a run. Ends it whatever happens; being cancelled means stopped or, at shutdown, interrupted."""
    status, failure = ReplyStatus.complete, None
    try:
        with RUNNING_REPLIES.track_inprogress():
            await _pump(run, prompt, tutor)
    except asyncio.CancelledError:
        status = ReplyStatus.stopped if run.is_stopped else ReplyStatus.interrupted
    except TutorError as error:
        status, failure = ReplyStatus.failed, Failure(error=str(error), type=error.type, retryable=error.retryable)
    except Exception:
        log.exception("reply %s failed", run.reply.id)
        refusal = TutorError("unknown")
        status, failure = ReplyStatus.failed, Failure(error=str(refusal), type=refusal.type, retryable=True)
    while not run.opened.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([run.opened])
    if run.opened.result():
        await _settle(run, status, failure, deliver)


async def _pump(run: Run, prompt: Prompt, tutor: Tutor) -> None:
    """Write what the tutor says. The loop's body awaits nothing and never breaks out: then stopping closes upstream."""
    try:
        async with asyncio.timeout(MAX_SECONDS) as clock:
            async for part in tutor.stream_reply(prompt):
                if isinstance(part, str):
                    if not run.text:
                        FIRST_TOKEN.labels(run.reply.model).observe(time.monotonic() - run.saved_at)
                    run.write(part)
                    if len(run.text) > MAX_CHARACTERS:
                        clock.reschedule(0)
                elif part.model:
                    run.reply.model = part.model
                if isinstance(part, Usage) and (part.input_tokens or part.output_tokens):
                    run.reply.usage = TokenUsage(input_tokens=part.input_tokens, output_tokens=part.output_tokens)
    except TimeoutError:
        if len(run.text) > MAX_CHARACTERS:
            run.text = run.text[:MAX_CHARACTERS]
            raise TutorError("too_long", CUT) from None
        raise TutorError("timeout", "The answer took longer than two minutes and was ended here.") from None
    if not run.text.strip():
        raise TutorError("unknown", "The model sent an empty answer. Try again.")


async def _settle(run: Run, status: ReplyStatus, failure: Failure | None, deliver: Deliver) -> None:
    """Save the ending, then tell the followers: at once when the database is quick, after two seconds otherwise."""
    reply = run.reply
    reply.status, reply.error, reply.content, reply.parts = status, failure, run.text, []
    reply.ended_at = now()
    REPLIES.labels(status.value).inc()
    saving = asyncio.create_task(save_ending(reply, deliver), name=f"saving {reply.id}")
    with suppress(asyncio.CancelledError):
        await asyncio.wait([saving], timeout=SAVED_WITHIN_SECONDS)
    run.is_over = True
    run.wake()
    with suppress(asyncio.CancelledError):
        await saving
    asyncio.get_running_loop().call_later(KEPT_SECONDS, lambda: running.pop(PydanticObjectId(reply.id), None))
