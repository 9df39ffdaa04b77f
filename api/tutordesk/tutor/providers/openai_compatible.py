"""Any OpenAI-compatible server by its streaming wire, `POST /chat/completions` with `stream`.

| data line | result |
|---|---|
| `choices[0].delta.content` | a delta (`reasoning` parts are never shown) |
| `choices[0].finish_reason` | the ending: `stop`, or an error of `FINISH` |
| `usage` | the Usage, yielded last |
| `error` | a TutorError |
| `[DONE]` | the end |
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from tutordesk.tutor.models import BROKE_OFF, CUT, ErrorType, Prompt, TutorError, Usage
from tutordesk.tutor.providers.wire import Wire, messages_of, parse

FINISH: dict[str, tuple[ErrorType, str | None]] = {
    "length": ("too_long", CUT),
    "content_filter": ("blocked", None),
}


class OpenAICompatible(Wire):
    def __init__(self, name: str, base_url: str, api_key: str | None) -> None:
        self.model = f"openai:{name}"
        self._name = name
        super().__init__(base_url, {"Authorization": f"Bearer {api_key}"} if api_key else {})

    async def stream(self, prompt: Prompt) -> AsyncIterator[str | Usage]:
        body = {
            "model": self._name,
            "messages": messages_of(prompt),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        ending: str | None = None
        usage = Usage(input_tokens=prompt.tokens)
        async with aclosing(self.lines("/chat/completions", body)) as lines:
            async for line in lines:
                if not line.startswith(b"data:"):
                    continue
                data = line[5:].strip()
                if data == b"[DONE]":
                    continue
                event = parse(data)
                if choices := event.get("choices"):
                    delta = choices[0].get("delta") or {}
                    ending = choices[0].get("finish_reason") or ending
                    if text := delta.get("content"):
                        yield text
                if counts := event.get("usage"):
                    usage = Usage(counts.get("prompt_tokens") or 0, counts.get("completion_tokens") or 0)
                if "error" in event:
                    raise TutorError("busy")
        yield usage
        if ending is None:
            raise TutorError("unknown", BROKE_OFF)
        if ending in FINISH:
            raise TutorError(*FINISH[ending])
