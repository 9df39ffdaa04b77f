"""Ollama by its own wire, `POST /api/chat`: one JSON object a line.

Only this wire sets the context window, unlike Ollama's OpenAI-compatible one. The default window is small, and Ollama
silently drops text that does not fit.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from tutordesk.tutor.models import BROKE_OFF, CUT, Prompt, TutorError, Usage
from tutordesk.tutor.providers.wire import Wire, messages_of, parse

ANSWER_TOKENS = 4_096


class Ollama(Wire):
    def __init__(self, name: str, base_url: str) -> None:
        self.model = f"ollama:{name}"
        self._name = name
        super().__init__(base_url, {})

    async def stream(self, prompt: Prompt) -> AsyncIterator[str | Usage]:
        body = {
            "model": self._name,
            "messages": messages_of(prompt),
            "stream": True,
            "options": {"num_ctx": _window(prompt.tokens + ANSWER_TOKENS)},
        }
        usage: Usage | None = None
        reason = ""
        async with aclosing(self.lines("/api/chat", body)) as lines:
            async for line in lines:
                event = parse(line)
                text = (event.get("message") or {}).get("content")
                if "error" in event:
                    raise TutorError("unknown")
                if text:
                    yield text
                if event.get("done"):
                    usage = Usage(event.get("prompt_eval_count") or prompt.tokens, event.get("eval_count") or 0)
                    reason = event.get("done_reason") or ""
        if usage is None:
            raise TutorError("unknown", BROKE_OFF)
        yield usage
        if reason == "length":
            raise TutorError("too_long", CUT)


def _window(tokens: int) -> int:
    """Return the next power of two, at least 8,192. Few sizes, because Ollama reloads the model for each."""
    return max(8_192, 1 << (tokens - 1).bit_length())
