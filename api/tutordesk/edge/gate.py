"""The gate: one ASGI middleware that every request passes. It is pure, as `BaseHTTPMiddleware` costs 46 µs an event.

| it refuses | with |
|---|---|
| unsafe methods and WebSockets from another site (`Sec-Fetch-Site`, else a foreign `Origin`) | 403 |
| a body that is not `application/json` (an empty one needs no type) | 415 |
| a body over 1 MB, before it reads more | 413 |
| a body that does not arrive within 30 s | 408 |
| a write while the database's disk is full | 507 |

It logs an unexpected error with the request's id and answers with a 500 that reveals no internals.

The gate answers a HEAD as a GET without its body. It reads a body whole before the app does. It gives each request an
id (`X-Request-ID`) and one log line, and ends MongoDB's operations three seconds after its arrival. It adds the
visitor's new cookie and the security headers to the answer. No cache may store the API's answers.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from tutordesk.ground.errors import PROBLEM_TYPE, DiskFull
from tutordesk.ground.metrics import REQUESTS
from tutordesk.ground.patience import Patience, lift_limit

log = logging.getLogger("tutordesk.requests")
Headers = list[tuple[bytes, bytes]]
MAX_BODY_BYTES = 1_000_000
MAX_DRAINED_BYTES, MAX_DRAIN_SECONDS = 10 * MAX_BODY_BYTES, 2.0
UNREAD = (403, 413, 507)  # refusals that may be sent before the whole body arrived
OTHER_SITE = "This request came from another site. Open Tutordesk itself and try again."
FAILURE = "Something went wrong on our side. Nothing was changed; try again in a moment."
BODY_SECONDS = 30
STOP_PATH = "/stop"  # stopping the tutor must work on a full disk too
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
EPOCH = b"tutordesk-epoch"  # changes when data are restored; clients then discard their state
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
VARY = (b"vary", b"Accept, Cookie, Origin, Sec-Fetch-Site")


class Refusal(Exception):
    """A refusal by the gate itself, with its answer's body."""

    def __init__(self, status: int, type: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"type": PROBLEM_TYPE + type, "title": title, "status": status, "detail": detail, "errors": []}


class Gate:
    """ASGI middleware in front of the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket" and _is_from_other_site(dict(scope["headers"]), scope):
                await send({"type": "websocket.close", "code": 1008})  # before accepting, so it becomes a plain 403
                return
            _name_request()
            await self.app(scope, receive, send)
            return
        started, request_id, status, has_begun = time.perf_counter(), _name_request(), 500, False
        scope["request_id"] = request_id
        is_head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if is_head else scope
        added = [*SECURITY_HEADERS, (b"x-request-id", request_id.encode()), (EPOCH, scope["app"].state.epoch.encode())]
        if scope["scheme"] == "https":
            added.append(STRICT_TRANSPORT)

        async def send_with_headers(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                lift_limit()
                REQUESTS.labels(scope["method"], _route(inner), status).observe(time.perf_counter() - started)
                message["headers"] = _complete(list(message.get("headers", ())), added, inner.get("set_cookie"))
            await send(message)

        try:
            headers = dict(scope["headers"])
            if scope["method"] in UNSAFE:
                if _is_from_other_site(headers, scope):
                    raise Refusal(403, "other-site", "Forbidden", OTHER_SITE)
                if scope["app"].state.disk.is_short and not scope["path"].endswith(STOP_PATH):
                    raise Refusal(507, DiskFull.type, "Insufficient Storage", DiskFull.sentence)
                receive = _replay(await _read_body(headers, receive), receive)
            with Patience().limit():
                await self.app(inner, *(_without_body(send_with_headers) if is_head else (receive, send_with_headers)))
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
    """Return a new request id, and add it to every log line that the request causes."""
    request_id = uuid.uuid4().hex[:16]
    clear_contextvars()  # successive requests of one connection share a context
    bind_contextvars(request_id=request_id)
    return request_id


def _route(scope: Scope) -> str:
    """Return the template of the request's route, so that metrics do not count each id apart."""
    return getattr(scope.get("route"), "path", "(page or file)")


def _complete(headers: Headers, added: Headers, cookie: str | None) -> Headers:
    """Return the answer's headers with those of the gate, unless the answer has its own."""
    names = {name.lower() for name, _ in headers}
    headers += [header for header in (*added, API_POLICY, VARY) if header[0] not in names]
    if b"cache-control" not in names:
        headers.append((b"cache-control", b"no-store"))
    if cookie is not None:
        headers.append((b"set-cookie", cookie.encode("latin-1")))
    return headers


def _is_from_other_site(headers: dict[bytes, bytes], scope: Scope) -> bool:
    """Judge by `Sec-Fetch-Site` if the browser sends it, otherwise by `Origin`, which a WebSocket must have."""
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
    """Return the whole body. Raises Refusal."""
    too_long = Refusal(413, "too-long", "Content Too Large", "The request is larger than 1 MB. Shorten it.")
    if int(headers.get(b"content-length", b"0") or 0) > MAX_BODY_BYTES:
        raise too_long
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "unreadable", "Bad Request", "The request broke off. Send it again.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MAX_BODY_BYTES:
                    raise too_long
    except TimeoutError:
        raise Refusal(408, "too-slow", "Request Timeout", "The request did not arrive in time. Try again.") from None
    media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if body and media_type != b"application/json":
        raise Refusal(415, "not-json", "Unsupported Media Type", "Send the body as application/json.")
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the app the body that the gate has read."""
    is_read = False

    async def replay() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _without_body(send: Send) -> tuple[Receive, Send]:
    """Return a `receive` and a `send` that pass only the headers on. A stream then ends, as if its reader had left."""
    is_over = asyncio.Event()

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            is_over.set()

    async def leave_when_over() -> Message:
        await is_over.wait()
        return {"type": "http.disconnect"}

    return leave_when_over, send_head


async def _answer(refusal: Refusal, send: Send, receive: Receive) -> None:
    """Send the answer to a refused request. Drain an unread body before its end.

    Closing a connection while a body arrives resets it, and the client would lose the answer.
    """
    body = orjson.dumps(refusal.body)
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if refusal.status in UNREAD:
        await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    remaining, more = MAX_DRAINED_BYTES, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MAX_DRAIN_SECONDS):
            while more and remaining > 0:
                message = await receive()
                remaining -= len(message.get("body", b""))
                more = message.get("more_body", False)  # a disconnect has none
