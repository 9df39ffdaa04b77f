"""The tutor's voice: a chain of providers behind `stream_reply` and `complete`.

Before the first text, the next model replaces a failing one, and the last of the chain is tried three times within
half a minute. After it a failure is final, because the reader has seen text. A watchdog ends the answer of a model that
gives no sign of life: text, thinking, or a comment.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from tutordesk.ground.metrics import MODEL_ERRORS
from tutordesk.ground.settings import Settings
from tutordesk.tutor.models import NO_ANSWER, ONLY_THOUGHT, Part, Prompt, Provider, TutorError, Usage
from tutordesk.tutor.providers import make_provider

log = logging.getLogger(__name__)
IDLE_SECONDS = 30.0
TRIES = 3
MAX_WAIT_SECONDS = 10.0
MAX_COMPLETE_SECONDS = 60.0


class Tutor:
    """Use as `async with`. `model` is the `provider:name` of the first model in the chain."""

    def __init__(self, settings: Settings, idle_seconds: float = IDLE_SECONDS) -> None:
        self._chain: list[Provider] = [make_provider(model, settings) for model in settings.models]
        self.model = self._chain[0].model
        self.idle_seconds = idle_seconds
        self.is_offline = self.model == "offline"

    async def __aenter__(self) -> "Tutor":
        for provider in self._chain:
            await provider.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for provider in self._chain:
            await provider.close()

    async def stream_reply(self, prompt: Prompt) -> AsyncIterator[Part]:
        """Yield text, Thinking, and the Usage so far, which names the model that answers. Raises TutorError.

        The caller must await nothing between two parts. It stops the answer by cancelling its own task.
        """
        for place, provider in enumerate(self._chain):
            is_last = place == len(self._chain) - 1
            has_text = False
            tries = AsyncRetrying(
                stop=stop_after_attempt(TRIES if is_last else 1),
                wait=_wait,
                retry=retry_if_exception(lambda error: not has_text and _is_worth_retrying(error)),  # noqa: B023
                reraise=True,
            )
            try:
                async for attempt in tries:
                    is_silent, part = True, None
                    with attempt, _counted_errors(provider):
                        async with asyncio.timeout(self.idle_seconds) as watchdog:
                            clock = asyncio.get_running_loop().time
                            rearm_at = clock()
                            async for part in provider.stream(prompt):
                                if (moment := clock()) >= rearm_at:  # at most a tenth early, and far cheaper
                                    watchdog.reschedule(moment + self.idle_seconds)
                                    rearm_at = moment + self.idle_seconds / 10
                                if is_silent:
                                    yield Usage(model=provider.model)
                                    is_silent = False
                                has_text = has_text or isinstance(part, str)
                                yield part
                        if not has_text and isinstance(part, Usage) and part.finish_reason == "length":
                            raise TutorError("too_long", ONLY_THOUGHT)
                        if not has_text:
                            raise TutorError("unknown", NO_ANSWER)
                return
            except TutorError as error:
                if not has_text:
                    log.warning("model did not answer: %s (%s)", error.type, provider.model)
                if is_last or has_text:
                    raise

    async def complete(self, prompt: Prompt) -> tuple[str, str]:
        """Return the whole answer and the model that gave it. Raises TutorError, also for an empty answer."""
        text, model = "", self.model
        try:
            async with asyncio.timeout(MAX_COMPLETE_SECONDS):
                async for part in self.stream_reply(prompt):
                    if isinstance(part, str):
                        text += part
                    elif isinstance(part, Usage):
                        model = part.model or model
        except TimeoutError:
            raise TutorError("timeout") from None
        if not text.strip():
            raise TutorError("unknown")
        return text, model


@contextlib.contextmanager
def _counted_errors(provider: Provider) -> Iterator[None]:
    """Count the errors of a model inside. Raises TutorError, also for a silence that is too long."""
    try:
        yield
    except TimeoutError:
        MODEL_ERRORS.labels(provider.model, "timeout").inc()
        raise TutorError("timeout") from None
    except TutorError as error:
        MODEL_ERRORS.labels(provider.model, error.type).inc()
        raise


def _is_worth_retrying(error: BaseException) -> bool:
    if not isinstance(error, TutorError) or error.type not in ("busy", "offline"):
        return False
    return (error.retry_after or 0) <= MAX_WAIT_SECONDS


_jitter = wait_random_exponential(multiplier=0.5, max=MAX_WAIT_SECONDS)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    retry_after = error.retry_after if isinstance(error, TutorError) else None
    return retry_after if retry_after is not None else _jitter(state)
