"""Ollama by its own wire, `POST /api/chat`: one JSON object a line.

Only this wire sets the context window, unlike Ollama's OpenAI-compatible one. The default window is small, and Ollama
silently drops text that does not fit. While it loads a model it sends nothing, so `/api/ps` is asked whether it lives.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp

from tutordesk.tutor.models import BROKE_OFF, FinishReason, Part, Prompt, Thinking, TutorError, Usage
from tutordesk.tutor.providers.refusals import error_of
from tutordesk.tutor.providers.thoughts import ThoughtFilter
from tutordesk.tutor.providers.wire import Refused, Wire, messages_of, parse

ANSWER_TOKENS = 4_096
LOOK_SECONDS = 2.0
COMPLETE: dict[str, FinishReason] = {"": "stop", "stop": "stop", "length": "length"}


class Ollama(Wire):
    def __init__(self, name: str, base_url: str) -> None:
        self.model = f"ollama:{name}"
        self._name = name
        super().__init__(base_url, {})

    async def stream(self, prompt: Prompt) -> AsyncIterator[Part]:
        body = {
            "model": self._name,
            "messages": messages_of(prompt),
            "stream": True,
            "options": {"num_ctx": _window(prompt.tokens + ANSWER_TOKENS)},
        }
        thoughts = ThoughtFilter()
        async with aclosing(self.lines("/api/chat", body)) as lines:
            first = asyncio.ensure_future(anext(lines, b""))
            try:
                while not (await asyncio.wait([first], timeout=LOOK_SECONDS))[0]:
                    if sign := await self._look():
                        yield sign
                line = first.result()
            except Refused as refusal:
                raise refusal.error from None
            finally:
                first.cancel()
                await asyncio.wait([first])
            while line:
                event = parse(line)
                if event.get("error"):
                    raise error_of(event)
                message = event.get("message") or {}
                thinking, text = message.get("thinking"), message.get("content")
                if thinking or not text:
                    yield Thinking(thinking or "")
                if text:
                    for part in [text] if thoughts.is_over else thoughts.split(text):
                        yield part
                if event.get("done"):
                    for part in thoughts.rest():
                        yield part
                    reason = event.get("done_reason") or ""
                    counts = event.get("prompt_eval_count") or prompt.tokens, event.get("eval_count") or 0
                    yield Usage(*counts, finish_reason=COMPLETE.get(reason, "stop"))
                    if reason not in COMPLETE:
                        raise TutorError("unknown")
                    return
                line = await anext(lines, b"")
        raise TutorError("unknown", BROKE_OFF)

    async def _look(self) -> Thinking | None:
        """Return a sign of life while nothing has come yet, or None if the server does not answer."""
        try:
            async with self.session.get(
                f"{self._base_url}/api/ps", timeout=aiohttp.ClientTimeout(LOOK_SECONDS)
            ) as answer:
                ps = await answer.json(content_type=None) if answer.status == 200 else {}
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return None
        loaded = {row.get("name") for row in ps.get("models") or []}
        return Thinking(is_loading=not loaded & {self._name, f"{self._name}:latest"})


def _window(tokens: int) -> int:
    """Return the next power of two, at least 8,192. Few sizes, because Ollama reloads the model for each."""
    return max(8_192, 1 << (tokens - 1).bit_length())
