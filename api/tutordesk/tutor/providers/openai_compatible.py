"""Any OpenAI-compatible server by its streaming wire, `POST /chat/completions` with `stream`.

| the server sends | result |
|---|---|
| `choices[0].delta.content`, `.message.content`, `.text` | text, also as a list of parts |
| `delta.reasoning_content`, `.reasoning`, parts of `thinking`, `<think>` | Thinking |
| comments, chunks without text | an empty Thinking: the model is alive |
| `choices[0].finish_reason` | the ending, by `COMPLETE` and `FINISH`; silence after it changes nothing |
| `error` as JSON, as a line, or as an event | a TutorError |
| `[DONE]` | the end, even if the connection stays open or no reason was given |
| one JSON object instead of a stream | the same as its chunk |

Servers differ in what they take. What one refuses is left out from then on.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from typing import Any

from tutordesk.tutor.models import (
    BROKE_OFF,
    NOT_A_MODEL,
    ErrorType,
    FinishReason,
    Part,
    Prompt,
    Thinking,
    TutorError,
    Usage,
)
from tutordesk.tutor.providers.refusals import error_of
from tutordesk.tutor.providers.thoughts import ThoughtFilter
from tutordesk.tutor.providers.wire import Refused, Wire, messages_of, parse

log = logging.getLogger(__name__)
COMPLETE: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
}
FINISH: dict[str, ErrorType] = {
    "content_filter": "blocked",
    "safety": "blocked",
    "sensitive": "blocked",
    "insufficient_system_resource": "busy",
    "network_error": "busy",
}
NO_SYSTEM_ROLE = re.compile(r"system (role|message|prompt)|only user and assistant roles|roles must alternate", re.I)
THINKING = ("reasoning_content", "reasoning", "thinking")
AFTER_FINISH_SECONDS = 2.0
Json = Any  # JSON of foreign servers, which differ in their fields


class OpenAICompatible(Wire):
    def __init__(self, name: str, base_url: str, api_key: str | None) -> None:
        self.model = f"openai:{name}"
        self._name = name
        self._options: dict[str, object] = {"stream_options": {"include_usage": True}}
        self._has_system_role = True
        super().__init__(base_url, {"Authorization": f"Bearer {api_key}"} if api_key else {})

    async def stream(self, prompt: Prompt) -> AsyncIterator[Part]:
        answer = Answer(prompt.tokens)
        lines, line = await self._ask(prompt)
        try:
            async with asyncio.timeout(None) as after_finish, aclosing(lines):
                while line and not answer.is_done:
                    for part in answer.read(line):
                        yield part
                    if answer.ending and after_finish.when() is None:
                        after_finish.reschedule(asyncio.get_running_loop().time() + AFTER_FINISH_SECONDS)
                    line = b"" if answer.is_done else await anext(lines, b"")
        except (TimeoutError, TutorError) as error:
            if not answer.ending or (isinstance(error, TutorError) and error.type != "offline"):
                raise
        for part in answer.rest():
            yield part

    async def _ask(self, prompt: Prompt) -> tuple[AsyncGenerator[bytes], bytes]:
        """Return the lines of the answer and the first of them, empty if there is none. Raises TutorError."""
        while True:
            messages = messages_of(prompt, self._has_system_role)
            body = {"model": self._name, "messages": messages, "stream": True, **self._options}
            lines = self.lines("/chat/completions", body)
            try:
                return lines, await anext(lines, b"")
            except Refused as refusal:
                if not self._adapt(refusal.text):
                    raise refusal.error from None

    def _adapt(self, refusal: str) -> bool:
        """Leave out what the server refuses, from now on. Returns whether there was such a thing."""
        for option in self._options:
            if option in refusal:
                del self._options[option]
                log.warning("model takes no %s, leaving it out (%s)", option, self.model)
                return True
        if self._has_system_role and NO_SYSTEM_ROLE.search(refusal):
            self._has_system_role = False
            log.warning("model takes no system message, moving it into the first question (%s)", self.model)
            return True
        return False


class Answer:
    """Reads one answer, line by line."""

    def __init__(self, prompt_tokens: int) -> None:
        self.ending: str | None = None
        self.is_done = False
        self._counts = (prompt_tokens, 0)
        self._thoughts = ThoughtFilter()
        self._is_error = False
        self._other: list[bytes] = []

    def read(self, line: bytes) -> Iterable[Part]:
        """Return the parts of one line. Raises TutorError. A line that belongs to no stream is kept for `rest`."""
        if line.startswith(b"data:"):
            data = line[5:].strip()
            if data == b"[DONE]":
                self.is_done = True
                return ()
            chunk = parse(data) if data else {}
            return self._usual_text(chunk) or self._read_chunk(chunk)
        if line.startswith(b"error:"):
            raise error_of(parse(line[6:].strip()))
        if line.startswith(b"event:"):
            self._is_error = line[6:].strip() == b"error"
        elif line.startswith(b":"):
            return (Thinking(),)
        elif line.strip() and not line.startswith((b"id:", b"retry:")):
            self._other.append(line)
        return ()

    def _usual_text(self, chunk: dict[str, Json]) -> tuple[str] | None:
        """Return the text of a chunk that holds nothing else, as nearly all do. The long way costs twice as much."""
        choices = chunk.get("choices")
        if not choices or not self._thoughts.is_over or self._is_error or chunk.get("usage") or chunk.get("error"):
            return None
        delta = choices[0].get("delta")
        if not delta or choices[0].get("finish_reason") or (len(delta) > 1 and any(map(delta.get, THINKING))):
            return None
        text = delta.get("content")
        return (text,) if text and isinstance(text, str) else None

    def rest(self) -> Iterator[Part]:
        """Yield the rest of the answer at its end. Raises TutorError unless the answer is complete."""
        if self._other:
            yield from self._read_object(b"\n".join(self._other))
        yield from self._thoughts.rest()
        ending = self.ending or ("stop" if self.is_done else None)
        reason = COMPLETE.get(ending or "", "stop")
        yield Usage(*self._counts, finish_reason=reason)
        if ending is None:
            raise TutorError("unknown", BROKE_OFF)
        if ending not in COMPLETE:
            raise TutorError(FINISH.get(ending, "unknown"))

    def _read_object(self, text: bytes) -> Iterator[Part]:
        """Yield the parts of a whole answer that is one JSON object. Raises TutorError."""
        if not text.lstrip().startswith((b"{", b"[")):
            raise TutorError("unknown", NOT_A_MODEL)
        yield from self._read_chunk(parse(text))
        self.is_done = True

    def _read_chunk(self, chunk: dict[str, Json]) -> Iterator[Part]:
        if self._is_error or chunk.get("error") or chunk.get("object") == "error":
            raise error_of(chunk)
        if counts := chunk.get("usage"):
            self._counts = (counts.get("prompt_tokens") or 0, counts.get("completion_tokens") or 0)
        choices = chunk.get("choices")
        if not choices:
            if not counts:
                yield Thinking()
            return
        choice = choices[0]
        delta = choice.get("delta") or choice.get("message") or {}
        is_silent = True
        if thinking := next(filter(None, map(delta.get, THINKING)), None):
            is_silent = False
            yield Thinking(_text_of(thinking))
        if content := delta.get("content") or choice.get("text"):
            is_silent = False
            if isinstance(content, str):
                yield from self._split(content)
            else:
                yield from self._read_parts(content)
        if reason := choice.get("finish_reason"):
            self.ending = reason
        elif is_silent:
            yield Thinking()

    def _read_parts(self, content: Json) -> Iterator[Part]:
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, str) or part.get("type", "text") in ("text", "output_text"):
                yield from self._split(_text_of(part))
            elif part.get("type") in ("thinking", "reasoning"):
                yield Thinking(_text_of(part.get("thinking") or part.get("reasoning") or part))

    def _split(self, text: str) -> Iterator[Part]:
        if self._thoughts.is_over:
            yield text
        else:
            yield from self._thoughts.split(text)


def _text_of(value: Json) -> str:
    """Return the text of a string, of `{"text": …}`, or of a list of them."""
    if isinstance(value, list):
        return "".join(map(_text_of, value))
    if isinstance(value, dict):
        return _text_of(value.get("text") or value.get("content") or "")
    return value if isinstance(value, str) else ""
