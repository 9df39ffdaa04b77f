"""Gemini by google-genai over aiohttp. The SDK takes a second to import, so a thread imports it after the start.

Measured on google-genai 3.4 over aiohttp:

- Its `timeout` limits the whole answer, so voice.py has a watchdog instead.
- Its connection pool has no limit.
- Its hidden retry of a refused connection sleeps up to 10 s unless `retry_options` is set.
- It closes the connection immediately only if the task is cancelled while it awaits the next chunk.
"""

import asyncio
import gc
import importlib
import logging
import warnings
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiohttp

from tutordesk.tutor.models import BROKE_OFF, ErrorType, FinishReason, Part, Prompt, Thinking, TutorError, Usage
from tutordesk.tutor.providers.refusals import error_of

if TYPE_CHECKING:
    from google import genai
    from google.genai import types

log = logging.getLogger(__name__)
COMPLETE: dict[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length"}
DECLINED = "The model stopped because of its safety rules. Rephrase your question."
# Every reason of the SDK 3.4 to end or refuse an answer, and the error that the reader is shown.
FINISH: dict[str, tuple[ErrorType, str | None]] = {
    "SAFETY": ("blocked", DECLINED),
    "RECITATION": ("blocked", "The model stopped because it began to repeat a published text. Ask in your own words."),
    "LANGUAGE": ("blocked", "The model does not support this language. Try another one."),
    "BLOCKLIST": ("blocked", "The model stopped at a word that it may not use. Rephrase your question."),
    "PROHIBITED_CONTENT": ("blocked", "The model may not answer this. Rephrase your question."),
    "SPII": ("blocked", "The model stopped because of personal data. Leave it out and ask again."),
    "IMAGE_SAFETY": ("blocked", DECLINED),
    "IMAGE_PROHIBITED_CONTENT": ("blocked", DECLINED),
    "IMAGE_RECITATION": ("blocked", DECLINED),
    "MODEL_ARMOR": ("blocked", "A filter in front of the model stopped this. Rephrase your question."),
    "ESCALATION": ("blocked", DECLINED),
    "PUP_LIMITED_DISABLED": ("blocked", DECLINED),
    "JAILBREAK": ("blocked", "The model took this for an attempt to break its rules. Ask plainly."),
    "IMAGE_OTHER": ("unknown", None),
    "NO_IMAGE": ("unknown", None),
    "MALFORMED_FUNCTION_CALL": ("unknown", None),
    "UNEXPECTED_TOOL_CALL": ("unknown", None),
    "TOO_MANY_TOOL_CALLS": ("unknown", None),
    "MISSING_THOUGHT_SIGNATURE": ("unknown", None),
    "MALFORMED_RESPONSE": ("unknown", None),
    "CONTINUATION": ("unknown", None),
    "OTHER": ("unknown", "The model stopped without saying why. The text so far is saved; try again."),
}
NO_REASON = frozenset({"FINISH_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"})


class Gemini:
    def __init__(self, name: str, api_key: str, base_url: str | None) -> None:
        self.model = f"gemini:{name}"
        self._name, self._api_key, self._base_url = name, api_key, base_url
        self._client: genai.Client | None = None
        self._warming: asyncio.Future[None] | None = None
        self._shows_thoughts = True

    async def open(self) -> None:
        self._warming = asyncio.get_running_loop().run_in_executor(None, _import_sdk)

    async def close(self) -> None:
        if self._warming:
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._client:
            await self._client.aio.aclose()

    async def _ready(self) -> "genai.Client":
        if not self._client:
            assert self._warming, "open() comes first"
            await asyncio.shield(self._warming)
            from google import genai
            from google.genai import types

            options = types.HttpOptions(
                base_url=self._base_url,
                api_version="v1beta",
                async_client_args={"allow_redirects": False},  # a redirect would send the key to another host
                retry_options=types.HttpRetryOptions(attempts=1),
            )
            warnings.filterwarnings("ignore", message=".*is not a valid", module="google.genai")
            self._client = genai.Client(vertexai=False, api_key=self._api_key, http_options=options)
        return self._client

    async def stream(self, prompt: Prompt) -> AsyncIterator[Part]:
        client = await self._ready()
        from google.genai import errors

        while True:
            try:
                async for part in self._answer(client, prompt):
                    yield part
                return
            except errors.APIError as error:
                if not (self._shows_thoughts and error.code == 400 and "thinking" in str(error).lower()):
                    raise error_of(error.details or error.message or "", error.code or 0) from error
                self._shows_thoughts = False  # the models that do not think refuse to show it
                log.warning("model shows no thinking, asking without it (%s)", self.model)
            except (errors.UnknownApiResponseError, aiohttp.ClientError, OSError, ValueError) as error:
                raise TutorError("unknown" if isinstance(error, ValueError) else "offline") from error

    async def _answer(self, client: "genai.Client", prompt: Prompt) -> AsyncIterator[Part]:
        ending: str | None = None
        usage: types.GenerateContentResponseUsageMetadata | None = None
        chunks = await client.aio.models.generate_content_stream(
            model=self._name, contents=_contents(prompt), config=_config(prompt, self._shows_thoughts)
        )
        async for chunk in chunks:
            usage = chunk.usage_metadata or usage
            is_silent = True
            if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
                ending = chunk.prompt_feedback.block_reason.name
            if chunk.candidates:
                candidate = chunk.candidates[0]
                if candidate.finish_reason:
                    ending = candidate.finish_reason.name
                if candidate.content and candidate.content.parts:
                    for part in candidate.content.parts:
                        if part.text:
                            is_silent = False
                            yield Thinking(part.text) if part.thought else part.text
            if is_silent:
                yield Thinking()
        yield Usage(
            input_tokens=(usage and usage.prompt_token_count) or prompt.tokens,
            output_tokens=(usage and ((usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0))) or 0,
            finish_reason=COMPLETE.get(ending or "", "stop"),
        )
        if ending is None or ending in NO_REASON:
            raise TutorError("unknown", BROKE_OFF)
        if ending not in COMPLETE:
            raise TutorError(*FINISH.get(ending, ("unknown", None)))


def _import_sdk() -> None:
    """Import the SDK, and exempt its 100,000 objects from garbage collection, since they stay for good."""
    importlib.import_module("google.genai")
    gc.freeze()


def _contents(prompt: Prompt) -> "list[types.ContentUnionDict]":
    """Return the turns as dictionaries, from which the SDK builds a request in half the time of its own types."""
    return [
        {"role": "user" if turn.role == "user" else "model", "parts": [{"text": turn.content}]} for turn in prompt.turns
    ]


def _config(prompt: Prompt, shows_thoughts: bool) -> "types.GenerateContentConfig":
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction=prompt.system,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        thinking_config=types.ThinkingConfig(include_thoughts=True) if shows_thoughts else None,
    )
