"""The tutor's voice: a chain of providers behind `stream_reply` and `complete`.

Before the first delta, the next model replaces a failing one, and the last of the chain is tried three times within
half a minute. After the first delta a failure is final, because the reader has seen text. A watchdog ends the answer
of a model that falls silent.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from tutordesk.ground.metrics import MODEL_ERRORS
from tutordesk.ground.settings import Settings
from tutordesk.tutor.models import Prompt, Provider, TutorError, Usage
from tutordesk.tutor.providers import make_provider

log = logging.getLogger(__name__)
IDLE_SECONDS = 30.0
TRIES = 3
MAX_WAIT_SECONDS = 10.0
MAX_COMPLETE_SECONDS = 60.0
Parts = AsyncIterator[str | Usage]


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

    async def stream_reply(self, prompt: Prompt) -> AsyncIterator[str | Usage]:
        """Yield text deltas and the Usage so far, which names the model that answers. Raises TutorError.

        The caller must await nothing between two parts. It stops the answer by cancelling its own task.
        """
        for place, provider in enumerate(self._chain):
            is_last = place == len(self._chain) - 1
            try:
                part, parts = await self._first_part(provider, prompt, TRIES if is_last else 1)
            except TutorError as error:
                log.warning("model did not answer: %s (%s)", error.type, provider.model)
                if is_last:
                    raise
                continue
            yield Usage(model=provider.model)
            yield part
            clock = asyncio.get_running_loop().time
            rearm_at = clock()
            with _counted_errors(provider):
                async with asyncio.timeout(self.idle_seconds) as watchdog:
                    async for part in parts:
                        if (moment := clock()) >= rearm_at:  # at most a tenth early, and far cheaper than each time
                            watchdog.reschedule(moment + self.idle_seconds)
                            rearm_at = moment + self.idle_seconds / 10
                        yield part
            return

    async def complete(self, prompt: Prompt) -> tuple[str, str]:
        """Return the whole answer and the model that gave it. Raises TutorError, also for an empty answer."""
        text, model = "", self.model
        try:
            async with asyncio.timeout(MAX_COMPLETE_SECONDS):
                async for part in self.stream_reply(prompt):
                    if isinstance(part, str):
                        text += part
                    else:
                        model = part.model or model
        except TimeoutError:
            raise TutorError("timeout") from None
        if not text.strip():
            raise TutorError("unknown")
        return text, model

    async def _first_part(self, provider: Provider, prompt: Prompt, tries: int) -> tuple[str | Usage, Parts]:
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(tries), wait=_wait, retry=retry_if_exception(_is_worth_retrying), reraise=True
        ):
            with attempt, _counted_errors(provider):
                parts = provider.stream(prompt)
                try:
                    async with asyncio.timeout(self.idle_seconds):
                        return await anext(parts), parts
                except StopAsyncIteration:
                    raise TutorError("unknown", "The model sent an empty answer. Try again.") from None
        raise AssertionError("the last attempt returns or raises")


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
