"""The wire of providers without an SDK: a POST over aiohttp, its refusals, and its body as lines.

google-genai needs aiohttp anyway, which costs a third of httpx for each chunk. It follows no redirects, so that no key
goes to another host.
"""

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
import orjson

from tutordesk.tutor.models import NO_MODEL, Prompt, TutorError

CONNECT_SECONDS = 10
MAX_LINE_CHARACTERS = 4_000_000


class Wire:
    """The base of such a provider, with one aiohttp session."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._base_url, self._headers = base_url, headers
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            trust_env=True,
            json_serialize=lambda body: orjson.dumps(body).decode(),
        )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def lines(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """POST `body` as JSON and yield the non-empty lines of the answer. Raises TutorError."""
        assert self._session, "open() comes first"
        try:
            async with self._session.post(self._base_url + path, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise await _error_of(response)
                rest = b""
                async for data in response.content.iter_any():
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        if line:
                            yield line
                    if len(rest) > MAX_LINE_CHARACTERS:
                        raise TutorError("unknown")
                if rest.strip():
                    yield rest
        except aiohttp.ServerTimeoutError:
            raise TutorError("timeout") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TutorError("offline") from error


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Return rules and turns in the form of both wires."""
    turns = [{"role": turn.role, "content": turn.content} for turn in prompt.turns]
    return [{"role": "system", "content": prompt.system}, *turns]


def parse(data: bytes) -> dict[str, Any]:  # JSON of foreign servers, which differ in their fields
    """Return one JSON object of a stream, even with half a surrogate pair, which orjson refuses. Raises TutorError."""
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            event = json.loads(data)
        except ValueError as error:
            raise TutorError("unknown") from error
    if not isinstance(event, dict):
        raise TutorError("unknown")
    return event


async def _error_of(response: aiohttp.ClientResponse) -> TutorError:
    """Return the error for a refusal, by its HTTP status and where needed by its text."""
    text = ""
    with contextlib.suppress(aiohttp.ClientError, UnicodeDecodeError):
        text = (await response.content.read(20_000)).decode("utf-8", "replace")
    match response.status:
        case 401 | 403:
            return TutorError("auth")
        case 429:
            return TutorError("quota" if "insufficient_quota" in text else "busy", retry_after=_seconds(response))
        case 408 | 504:
            return TutorError("timeout")
        case 413:
            return TutorError("too_long")
        case 400 if "context_length" in text or "maximum context" in text:
            return TutorError("too_long")
        case 404:
            return TutorError("unknown", NO_MODEL)
        case status if 500 <= status < 600:
            return TutorError("busy")
        case _:
            return TutorError("unknown")


def _seconds(response: aiohttp.ClientResponse) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
