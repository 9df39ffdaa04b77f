"""Fake model wires with faults on demand: Gemini's, OpenAI's and Ollama's, spoken over real sockets.

Run by itself, `python -m testing.fake_gemini --port 0`; its first line of output is the port. `POST /control` with
any of `script text delay_ms chunk title` sets what comes next; `GET /state` tells what was asked (`requests`, `open`,
`bodies`, `headers`). What asks for a chat's title gets `title` and is counted as `titles` alone. In the same process,
`says` lists answers to send before the script, byte by byte. A script is `ok`, or a fault, with the number of chunks
before it behind an `@`:

| script | the wire |
|---|---|
| `429` `500` `503` `400` `403` `404` | that status, as an error of Google's form |
| `quota` `badkey` `html` `redirect` | 429 for the day, a refused key, an HTML page, a redirect to another host |
| `timeout` | never answers |
| `stall@n` `cut@n` `end@n` | silence, a broken connection, a clean end without a reason |
| `badjson@n` `error@n` | no JSON, an error inside a 200 |
| `finish:SAFETY@n` `block:JAILBREAK` | a finish reason, a blocked prompt |
| `empty` `thinking` `halves` | no candidates, thought parts first, a surrogate pair cut in two |
| `echo` | the whole request back: a model that obeys everything |
| `429x2` | that fault for the next two requests, then ok |
"""

import argparse
import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TEXT = "A proxy reads the size first. **Its limit is lower**, so it answers `413` by itself: raise it and try again."
TITLE_RULES = "Name a chat between"
Wire = str


class Says:
    """One answer of a server, byte by byte. Between the `chunks` it pauses for seconds, or until an event is set.

    With `stays_open`, the connection stays open after the last chunk until the client closes it.
    """

    def __init__(
        self,
        *chunks: str | bytes | float | asyncio.Event,
        status: int = 200,
        type: str = "text/event-stream",
        headers: dict[str, str] | None = None,
        stays_open: bool = False,
    ) -> None:
        self.chunks, self.status, self.stays_open = chunks, status, stays_open
        self.headers = {"Content-Type": type, **(headers or {})}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=self.status, headers=self.headers)
        first, *rest = self.chunks
        if isinstance(first, (int, float)):  # a silent server sends no headers either
            await asyncio.sleep(first)
        else:
            rest = [first, *rest]
        await response.prepare(request)
        for chunk in rest:
            if isinstance(chunk, (int, float)):
                await asyncio.sleep(chunk)
            elif isinstance(chunk, asyncio.Event):
                await chunk.wait()
            else:
                await response.write(chunk if isinstance(chunk, bytes) else chunk.encode())
        if self.stays_open:
            await asyncio.sleep(3600)
        return response


@dataclass
class FakeModels:
    """The state of the wires. Use `async with`; `url` is where they listen."""

    script: str = "ok"
    text: str = TEXT
    delay_ms: float = 0
    chunk: int = 12
    title: str = "Uploads and their limits"
    requests: int = 0
    titles: int = 0
    open: int = 0
    max_open: int = 0
    says: list[Says] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    def reset(self) -> None:
        self.script, self.text, self.delay_ms, self.chunk, self.requests = "ok", TEXT, 0, 12, 0
        self.title, self.titles, self.max_open = "Uploads and their limits", 0, 0
        self.says.clear()
        self.bodies.clear()
        self.headers.clear()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    async def __aenter__(self) -> "FakeModels":
        app = web.Application(client_max_size=10_000_000)
        app.router.add_post("/control", self._control)
        app.router.add_get("/state", self._state)
        app.router.add_post("/v1beta/models/{call:.+}", self._gemini)
        app.router.add_post("/v1/chat/completions", self._openai)
        app.router.add_post("/api/chat", self._ollama)
        app.router.add_get("/api/ps", self._ollama_models)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    async def _control(self, request: web.Request) -> web.Response:
        for name, value in (await request.json()).items():
            setattr(self, name, value)
        return web.json_response({})

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"requests": self.requests, "open": self.open, "bodies": self.bodies[-5:], "headers": self.headers[-5:]}
        )

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "gemini")

    async def _openai(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "openai")

    async def _ollama(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "ollama")

    async def _ollama_models(self, _: web.Request) -> web.Response:
        return web.json_response({"models": []})

    async def _answer(self, request: web.Request, wire: Wire) -> web.StreamResponse:
        body = await request.json()
        if TITLE_RULES in json.dumps(body):
            self.titles += 1
            return await self._stream(request, wire, "ok", 0, self.title)
        self.requests += 1
        self.bodies = [*self.bodies[-20:], body]
        self.headers = [*self.headers[-20:], dict(request.headers)]
        if self.says:
            return await self._say(request, self.says.pop(0))
        script = self._take_script()
        kind, _, place = script.partition("@")
        if refusal := _refuse(kind, wire):
            return refusal
        self.open += 1
        self.max_open = max(self.max_open, self.open)
        try:
            if kind == "timeout":
                await asyncio.sleep(3600)
            text = json.dumps(body, ensure_ascii=False) if kind == "echo" else self.text
            return await self._stream(request, wire, kind, int(place or 0), text)
        finally:
            self.open -= 1

    async def _say(self, request: web.Request, says: Says) -> web.StreamResponse:
        self.open += 1
        try:
            return await says.answer(request)
        finally:
            self.open -= 1

    def _take_script(self) -> str:
        fault, times, count = self.script.partition("x")
        if times and count.isdigit():
            left = int(count) - 1
            self.script = f"{fault}x{left}" if left else "ok"
            return fault
        return self.script

    async def _stream(self, request: web.Request, wire: Wire, kind: str, place: int, text: str) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream" if wire != "ollama" else "application/x-ndjson"}
        )
        await response.prepare(request)
        pieces: list[Any] = [text[i : i + self.chunk] for i in range(0, len(text), self.chunk)]
        if kind == "halves":
            pieces = ["so ", "\ud83d", "\ude00", " it is"]
        fault, _, reason = kind.partition(":")
        faults = ("stall", "cut", "end", "badjson", "error", "finish")
        for count, piece in enumerate(pieces):
            if fault in faults and count == place:
                break
            if kind == "thinking" and count == 0:
                await response.write(_frame(wire, _thought(wire)))
                await asyncio.sleep(self.delay_ms / 1000)
            await response.write(_frame(wire, _chunk(wire, piece)))
            if self.delay_ms:
                await asyncio.sleep(self.delay_ms / 1000)
        match fault:
            case "stall":
                await asyncio.sleep(3600)
            case "cut":
                assert request.transport
                request.transport.abort()
            case "badjson":
                await response.write(b'data: {"candidates": [{\n\n' if wire != "ollama" else b'{"message": \n')
            case "error":
                await response.write(
                    _frame(wire, {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}})
                )
            case "end":
                pass
            case "empty":
                await response.write(_frame(wire, {"usageMetadata": {"promptTokenCount": 3}}))
            case "block":
                await response.write(_frame(wire, {"promptFeedback": {"blockReason": reason}}))
            case "finish":
                await response.write(_frame(wire, _last(wire, reason)))
            case _:
                await response.write(_frame(wire, _last(wire, "STOP" if wire == "gemini" else "stop")))
        if wire == "openai" and fault not in ("end",):
            await response.write(b"data: [DONE]\n\n")
        return response


def _refuse(kind: str, wire: Wire) -> web.Response | None:
    if kind.isdigit():
        code = int(kind)
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0s"}] if code == 429 else []
        headers = {"Retry-After": "0"} if code == 429 else {}
        return web.json_response(
            {"error": {"code": code, "message": "fault", "status": "FAULT", "details": details}},
            status=code,
            headers=headers,
        )
    if kind == "quota":
        text = "You exceeded your current quota: GenerateRequestsPerDay insufficient_quota"
        return web.json_response({"error": {"code": 429, "message": text, "status": "RESOURCE_EXHAUSTED"}}, status=429)
    if kind == "badkey" and wire != "gemini":
        return web.json_response({"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, status=401)
    if kind == "badkey":
        details = [{"reason": "API_KEY_INVALID"}]
        error = {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT", "details": details}
        return web.json_response({"error": error}, status=400)
    if kind == "html":
        return web.Response(text="<html>503 Service Unavailable</html>", status=503, content_type="text/html")
    if kind == "redirect":
        return web.Response(status=302, headers={"Location": "http://127.0.0.2:9/stolen"})
    return None


def _chunk(wire: Wire, text: str) -> dict[str, Any]:
    if wire == "gemini":
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]}
    if wire == "openai":
        return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return {"message": {"role": "assistant", "content": text}, "done": False}


def _thought(wire: Wire) -> dict[str, Any]:
    if wire == "gemini":
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": "SECRET THOUGHT", "thought": True}]}}]}
    if wire == "openai":
        return {"choices": [{"index": 0, "delta": {"reasoning": "SECRET THOUGHT"}, "finish_reason": None}]}
    return {"message": {"role": "assistant", "content": "", "thinking": "SECRET THOUGHT"}, "done": False}


def _last(wire: Wire, reason: str) -> dict[str, Any]:
    if wire == "gemini":
        usage = {"promptTokenCount": 21, "candidatesTokenCount": 17, "totalTokenCount": 38}
        return {"candidates": [{"content": {"parts": []}, "finishReason": reason}], "usageMetadata": usage}
    if wire == "openai":
        usage = {"prompt_tokens": 21, "completion_tokens": 17}
        return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}
    counts = {"prompt_eval_count": 21, "eval_count": 17}
    return {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason, **counts}


def _frame(wire: Wire, data: dict[str, Any]) -> bytes:
    text = json.dumps(data).encode()
    return text + b"\n" if wire == "ollama" else b"data: " + text + b"\r\n\r\n"


async def _main(port: int) -> None:
    async with FakeModels(port=port) as fake:
        print(fake.port, flush=True)  # noqa: T201  whoever started it reads the port
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_main(parser.parse_args().port))
