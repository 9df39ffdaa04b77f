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

from tutordesk.tutor.models import Prompt, TutorError
from tutordesk.tutor.providers.refusals import error_of_body

CONNECT_SECONDS = 10
MAX_LINE_CHARACTERS = 4_000_000
MAX_REFUSAL_BYTES = 20_000


class Refused(Exception):
    """The server refused the request before a stream, with `text`."""

    def __init__(self, error: TutorError, text: str) -> None:
        super().__init__(text)
        self.error, self.text = error, text


class Wire:
    """The base of such a provider, with one aiohttp session."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._base_url, self._headers = base_url, headers
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session, "open() comes first"
        return self._session

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
        """POST `body` as JSON and yield the non-empty lines of the answer. Raises Refused and TutorError."""
        try:
            async with self.session.post(self._base_url + path, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise await _refusal(response)
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


def messages_of(prompt: Prompt, has_system_role: bool = True) -> list[dict[str, str]]:
    """Return rules and turns in the form of both wires. Without a system role, the rules begin the first question."""
    turns = [{"role": turn.role, "content": turn.content} for turn in prompt.turns]
    if has_system_role:
        return [{"role": "system", "content": prompt.system}, *turns]
    return [{"role": "user", "content": f"{prompt.system}\n\n{turns[0]['content']}"}, *turns[1:]]


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


async def _refusal(response: aiohttp.ClientResponse) -> Refused:
    body = b""
    with contextlib.suppress(aiohttp.ClientError):
        body = await response.content.read(MAX_REFUSAL_BYTES)
    return Refused(error_of_body(body, response.status, response.headers), body.decode("utf-8", "replace"))
