"""What the providers without an SDK share: a POST over aiohttp, its refusals, and its body as lines.

aiohttp is there anyway for google-genai, and costs a third of httpx a chunk. Redirects are not followed, so that no
key goes to another host.
"""

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
import orjson

from tutordesk.tutor.models import Prompt, TutorError

CONNECT_SECONDS = 10
MAX_LINE_CHARACTERS = 4_000_000


class Wire:
    """The base of such a provider: one aiohttp session, opened and closed with it."""

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

    async def lines(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """POST `body` as JSON and yield the answer's lines that are not empty. Raises TutorError."""
        assert self._session, "open() comes first"
        try:
            async with self._session.post(self._base_url + path, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise await _refused(response)
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
    """Rules and turns as both wires want them."""
    turns = [{"role": turn.role, "content": turn.content} for turn in prompt.turns]
    return [{"role": "system", "content": prompt.system}, *turns]


def parse(data: bytes) -> dict[str, Any]:
    """One JSON object of a stream. Half a surrogate pair, which orjson refuses, is let through. Raises TutorError."""
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


async def _refused(response: aiohttp.ClientResponse) -> TutorError:
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
            return TutorError(
                "unknown", "The model does not exist. Whoever runs this Tutordesk has to choose another one."
            )
        case status if 500 <= status < 600:
            return TutorError("busy")
        case _:
            return TutorError("unknown")


def _seconds(response: aiohttp.ClientResponse) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
