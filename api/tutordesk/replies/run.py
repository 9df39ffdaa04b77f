"""Writes one reply: its text grows by the tutor's deltas, and any number of followers wait for more.

The text is its own event log: a position is a number of characters, and a reader gets `text[position:]`. So no events
are stored, and none can get lost. The model's thinking is a second text beside it, without positions.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from tutordesk.ground.clock import now
from tutordesk.ground.metrics import FIRST_TOKEN, REPLIES, RUNNING_REPLIES
from tutordesk.replies.models import (
    MAX_CHARACTERS,
    MAX_SECONDS,
    MAX_THINKING_CHARACTERS,
    Failure,
    Reply,
    ReplyStatus,
    TokenUsage,
)
from tutordesk.tutor.models import NO_ANSWER, Prompt, Thinking, TutorError, Usage
from tutordesk.tutor.voice import Tutor

log = logging.getLogger(__name__)
MAX_STOPPING_SECONDS = 2.0
MAX_UNCHECKED_SECONDS = 5.0  # others take a process for dead after ten


class GrowingText:
    """A text that grows, the thinking beside it, and its waiting followers. `is_loading`: the model is being loaded."""

    __slots__ = ("is_loading", "is_over", "text", "thinking", "waiters")

    def __init__(self) -> None:
        self.text = ""
        self.thinking = ""
        self.is_loading = False
        self.is_over = False
        self.waiters: list[asyncio.Future[None]] = []

    def place_of(self, position: int) -> int:
        """Return the place at which a reader who has `position` characters continues."""
        return position

    def wake(self) -> None:
        """Let every waiting follower read."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self) -> None:
        """Wait for the next `wake`."""
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        await waiter


class Run(GrowingText):
    """A reply that this process writes.

    - `saved`, `saved_thinking`: the numbers of characters in MongoDB.
    - `saved_at`: the last time at which MongoDB held the whole text, by the monotonic clock.
    - `opened`: whether the question is in its chat; False if it was refused.
    - `half`: the first half of a surrogate pair, until the second arrives.
    - `checked_at`: the last time at which this process knew that no other had taken it for dead.
    - `held`: the deltas that came too long after that, and which nobody reads until the next check.
    """

    __slots__ = (
        "checked_at",
        "half",
        "held",
        "is_stopped",
        "opened",
        "reply",
        "saved",
        "saved_at",
        "saved_thinking",
        "task",
    )

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply
        self.saved = self.saved_thinking = 0
        self.saved_at = time.monotonic()
        self.half = self.held = ""
        self.checked_at = self.saved_at
        self.is_stopped = False
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    def place_of(self, position: int) -> int:
        return min(position, len(self.text))

    def write(self, delta: str) -> None:
        """Append a delta and wake the followers. Never blocks."""
        if self.half or not (delta.isascii() or _is_whole(delta)):
            delta = self._mend(delta)
        if self.held or time.monotonic() - self.checked_at > MAX_UNCHECKED_SECONDS:
            self.held += delta
            return
        self.text += delta
        self.wake()

    def release(self) -> None:
        """Let the followers read the deltas that were held."""
        self.checked_at = time.monotonic()
        if self.held:
            self.text += self.held
            self.held = ""
            self.wake()

    def _mend(self, delta: str) -> str:
        """Return the delta as valid text, because some models split a surrogate pair between two deltas."""
        delta, self.half = self.half + delta, ""
        if "\ud800" <= delta[-1] <= "\udbff":
            delta, self.half = delta[:-1], delta[-1]
        return delta.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def think(self, thinking: Thinking) -> None:
        """Append a part of the thinking, up to its limit, and wake the followers. Never blocks."""
        is_news = bool(thinking.text) or thinking.is_loading != self.is_loading
        self.is_loading = thinking.is_loading
        text = thinking.text.encode("utf-8", "replace").decode()[: MAX_THINKING_CHARACTERS - len(self.thinking)]
        self.thinking += text
        if is_news:
            self.wake()

    async def stop(self) -> None:
        """End the reply, save its text, and close the connection to the model."""
        if self.task and self.reply.status is ReplyStatus.streaming and not self.is_stopped:
            self.is_stopped = True
            self.task.cancel()
            await asyncio.wait([self.task], timeout=MAX_STOPPING_SECONDS)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


async def write_reply(run: Run, prompt: Prompt, tutor: Tutor, start_saving: Callable[[], asyncio.Task[Reply]]) -> None:
    """Write a run to its end, as its task.

    The run ends whatever happens: a cancelled task means stopped or, at shutdown, interrupted. `start_saving` saves
    the ended `run.reply`. It is not called if the question was refused.
    """
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
        await _settle(run, status, failure, start_saving)


async def _pump(run: Run, prompt: Prompt, tutor: Tutor) -> None:
    """Write the tutor's deltas. Raises TutorError.

    The loop's body awaits nothing and never breaks out, because only then does a stop close the upstream connection.
    """
    try:
        async with asyncio.timeout(MAX_SECONDS) as clock:
            async for part in tutor.stream_reply(prompt):
                if isinstance(part, str):
                    if not run.text:
                        FIRST_TOKEN.labels(run.reply.model).observe(time.monotonic() - run.saved_at)
                    run.write(part)
                    if len(run.text) > MAX_CHARACTERS:
                        clock.reschedule(0)
                elif isinstance(part, Thinking):
                    run.think(part)
                else:
                    _count(run.reply, part)
    except TimeoutError:
        if len(run.text) > MAX_CHARACTERS:
            run.text = run.text[:MAX_CHARACTERS]
            run.reply.finish_reason = "length"
            return
        raise TutorError("timeout", "The answer was stopped after two minutes. Try a shorter question.") from None
    if not run.text.strip():
        raise TutorError("unknown", NO_ANSWER)


def _count(reply: Reply, usage: Usage) -> None:
    reply.model = usage.model or reply.model
    if usage.input_tokens or usage.output_tokens:
        reply.usage = TokenUsage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    reply.finish_reason = usage.finish_reason


async def _settle(
    run: Run, status: ReplyStatus, failure: Failure | None, start_saving: Callable[[], asyncio.Task[Reply]]
) -> None:
    """Save the ending, then tell the followers what is saved. Until then they have the text and keep-alives.

    At shutdown a database that does not answer ends this: the saving is cancelled, and the run is never over.
    """
    reply = run.reply
    reply.status, reply.error, reply.content, reply.parts = status, failure, run.text + run.held, []
    reply.thinking = run.thinking
    if status is not ReplyStatus.complete:
        reply.finish_reason = None
    reply.ended_at = now()
    saving = start_saving()
    while not saving.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([saving])
    if saving.cancelled():
        return
    if not saving.exception():
        run.reply = saving.result()
        run.text, run.held = run.reply.content, ""
    REPLIES.labels(run.reply.status.value).inc()
    run.is_over = True
    run.wake()
