"""The gate: one pure ASGI middleware through which every request goes (`BaseHTTPMiddleware` costs 46 µs an event).

| it refuses | with |
|---|---|
| unsafe methods and WebSockets from another site (`Sec-Fetch-Site`, else a foreign `Origin`) | 403 |
| a body that is not `application/json` | 415 |
| a body over 1 MB, before more is read | 413 |
| a body that does not arrive within 30 s | 408 |
| what would be saved while the database's disk is full | 507 |

What fails unforeseen is logged with the request's id and answered with a 500 that says nothing of the inside.

It reads a body whole before the app sees it, gives each request an id (`X-Request-ID`, and one log line), sends the
visitor's new cookie and the security headers. No answer of the API is ever kept by a cache.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from structlog.contextvars import bind_contextvars, clear_contextvars

from tutordesk.ground.errors import PROBLEM_TYPE, DiskFull
from tutordesk.ground.metrics import REQUESTS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("tutordesk.requests")
MAX_BODY = 1_000_000
MAX_DRAINED_BYTES, LET_GO_BY_SECONDS = 10 * MAX_BODY, 2.0
UNREAD = (403, 413, 507)  # refused while the body, or the rest of it, is on its way
OTHER_SITE = "Requests that change something must come from this site itself."
FAILURE = "Something went wrong on our side. Nothing was changed by it; try again in a moment."
BODY_SECONDS = 30
STOPS = "/stop"  # the tutor can be stopped on a full disk, too
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
EPOCH = b"tutordesk-epoch"  # another one: the data were restored, and what clients know of before is void
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
VARY = (b"vary", b"Accept, Cookie, Origin, Sec-Fetch-Site")


class Refusal(Exception):
    def __init__(self, status: int, type: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"type": PROBLEM_TYPE + type, "title": title, "status": status, "detail": detail, "errors": []}


class Gate:
    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket" and _is_from_other_site(dict(scope["headers"]), scope):
                await send({"type": "websocket.close", "code": 1008})  # before accept: a plain 403
                return
            _name_request()
            await self.app(scope, receive, send)
            return
        started, request_id, status, has_begun = time.perf_counter(), _name_request(), 500, False
        scope["request_id"] = request_id
        always = [*ALWAYS, (b"x-request-id", request_id.encode()), (EPOCH, scope["app"].state.epoch.encode())]
        if scope["scheme"] == "https":
            always.append(STRICT_TRANSPORT)

        async def send_with_headers(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                REQUESTS.labels(scope["method"], _route(scope), status).observe(time.perf_counter() - started)
                message["headers"] = _complete(list(message.get("headers", ())), always, scope.get("set_cookie"))
            await send(message)

        try:
            headers = dict(scope["headers"])
            if scope["method"] in UNSAFE:
                if _is_from_other_site(headers, scope):
                    raise Refusal(403, "other-site", "Forbidden", OTHER_SITE)
                if scope["app"].state.disk.is_short and not scope["path"].endswith(STOPS):
                    raise Refusal(507, DiskFull.type, "Insufficient Storage", DiskFull.sentence)
                receive = _replay(await _read_body(headers, receive), receive)
            await self.app(scope, receive, send_with_headers)
        except Refusal as refusal:
            await _answer(refusal, send_with_headers, receive)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if has_begun:
                raise
            failure = Refusal(500, "failure", "Internal Server Error", FAILURE)
            await _answer(failure, send_with_headers, receive)
        finally:
            ms = round((time.perf_counter() - started) * 1000, 1)
            line = {"method": scope["method"], "path": scope["path"], "status": status, "ms": ms}
            log.info("request", extra=line)


def _name_request() -> str:
    """An id that every line of the log has which this request causes."""
    request_id = uuid.uuid4().hex[:16]
    clear_contextvars()  # requests of one connection follow each other in one context
    bind_contextvars(request_id=request_id)
    return request_id


def _route(scope: Scope) -> str:
    """The template of its route, so that ids make no figures of their own."""
    return getattr(scope.get("route"), "path", "(page or file)")


def _complete(
    headers: list[tuple[bytes, bytes]], always: list[tuple[bytes, bytes]], cookie: str | None
) -> list[tuple[bytes, bytes]]:
    names = {name.lower() for name, _ in headers}
    headers += [one for one in (*always, API_POLICY, VARY) if one[0] not in names]
    if b"cache-control" not in names:
        headers.append((b"cache-control", b"no-store"))
    if cookie is not None:
        headers.append((b"set-cookie", cookie.encode("latin-1")))
    return headers


def _is_from_other_site(headers: dict[bytes, bytes], scope: Scope) -> bool:
    """By `Sec-Fetch-Site` where the browser sends it, else by `Origin`; a WebSocket must have an `Origin`."""
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    is_socket: bool = scope["type"] == "websocket"
    if site is not None and not is_socket:
        return site not in (b"same-origin", b"none")
    if origin is None:
        return is_socket
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    return _origin(origin.decode("latin-1")) != _origin(f"{scheme}://{headers.get(b'host', b'').decode('latin-1')}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url, None, None


async def _read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    too_long = Refusal(413, "too-long", "Content Too Large", "The request is larger than 1 MB. Shorten it.")
    if int(headers.get(b"content-length", b"0") or 0) > MAX_BODY:
        raise too_long
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "unreadable", "Bad Request", "The request ended before its body did.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MAX_BODY:
                    raise too_long
    except TimeoutError:
        raise Refusal(408, "too-slow", "Request Timeout", "The request did not arrive in time. Try again.") from None
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json" and (body or kind):
        raise Refusal(415, "not-json", "Unsupported Media Type", "Send the body as application/json.")
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    is_read = False

    async def replay() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _answer(refusal: Refusal, send: Send, receive: Receive) -> None:
    """The whole answer at once, and its end when a body that nobody read was let go by.

    A connection that is closed on a body that is still on its way is reset, and the answer with it.
    """
    body = orjson.dumps(refusal.body)
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if refusal.status in UNREAD:
        await _let_go_by(receive)
    await send({"type": "http.response.body", "body": b""})


async def _let_go_by(receive: Receive) -> None:
    left, more = MAX_DRAINED_BYTES, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LET_GO_BY_SECONDS):
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)  # none in a disconnect
