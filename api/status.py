"""How Tutordesk is doing: `/metrics` for Prometheus, `/status` for people, and what their page tests itself with.

Everybody is told whether the parts work. The figures are for the machine itself, for admins, and, of `/metrics`, for
who has its token (S-36). The page opens `/status/stream` and `/status/socket` through whatever proxy stands before it:
five events a fifth of a second apart, which a proxy that buffers delivers at once, and an echo.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import fields
from typing import Annotated, Any, Literal

import pymongo.errors
from fastapi import APIRouter, Depends, Request, Response, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect

from api import metrics
from api.errors import AppError, NotFound, problem_responses
from api.identity.access import admin_of, visitor_of
from api.operations.change_log import CHANGE_LOG_LEASE
from api.operations.lease import LEASES
from api.operations.oplog_tail import Status as LogStatus
from api.reference import is_on_this_machine
from api.replies.stream import FIRST_BYTES, ByteStream, frame

router = APIRouter(tags=["operations"])
TICKS, TICK_SECONDS = 5, 0.2
ECHOES, ECHO_SECONDS, LONGEST_ECHO = 20, 10.0, 200
MOST_SILENCE_SECONDS = 15.0
State = Literal["ok", "warning", "down", "off"]


class Part(BaseModel):
    """`says`: a sentence that a person understands."""

    name: Literal["database", "tutor", "change_log"]
    state: State
    says: str


class Route(BaseModel):
    """Milliseconds until an answer begins, of all since the start."""

    method: str
    route: str
    count: int
    p50_ms: float
    p95_ms: float


class Figures(BaseModel):
    """Of all processes of this server, since it was started. `first_token_ms`: p50 and p95, null before the first."""

    open_streams: int
    open_sockets: int
    running_replies: int
    replies: dict[str, int]
    first_token_ms: tuple[float, float] | None
    model_errors: dict[str, int]
    checkpoint_lag_seconds: float
    change_log_lag_seconds: float
    change_log_bytes: int
    routes: list[Route]


class StatusOut(BaseModel):
    version: str
    epoch: str
    parts: list[Part]
    figures: Figures | None


async def _may_see_figures(request: Request) -> bool:
    if is_on_this_machine(request):
        return True
    with contextlib.suppress(AppError):
        return bool(await admin_of(await visitor_of(request)))
    return False


MaySeeFigures = Annotated[bool, Depends(_may_see_figures)]


@router.get("/status", operation_id="read_status")
async def read_status_of_all(request: Request, may_see_figures: MaySeeFigures) -> StatusOut:
    state = request.app.state
    database, log = await _database(state), await _change_log(state)
    return StatusOut(
        version=request.app.version,
        epoch=state.epoch,
        parts=[database, _tutor(state), _part_of_log(log)],
        figures=_figures(state, log) if may_see_figures else None,
    )


@router.get("/metrics", operation_id="read_metrics", response_class=Response, responses=problem_responses())
async def read_metrics(request: Request, may_see_figures: MaySeeFigures) -> Response:
    state = request.app.state
    token = state.settings.metrics_token
    given = request.headers.get("authorization", "")
    has_token = token and secrets.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode())
    if not (may_see_figures or has_token):
        raise NotFound
    await _database(state)
    _set_gauges(await _change_log(state))
    return Response(generate_latest(metrics.figures(state.settings.workers > 1)), media_type=CONTENT_TYPE_LATEST)


@router.get("/status/stream", operation_id="test_stream", response_class=Response)
async def test_stream() -> ByteStream:
    return ByteStream(_ticks(), _anybody)


@router.websocket("/status/socket")
async def test_socket(websocket: WebSocket) -> None:
    await websocket.accept()
    with contextlib.suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(ECHO_SECONDS):
            for _ in range(ECHOES):
                text = (await websocket.receive()).get("text")
                if text is None:  # gone, or nothing that the page sends
                    break
                await websocket.send_text(text[:LONGEST_ECHO])
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
        await websocket.close()


async def _anybody() -> bool:
    return True


async def _ticks() -> AsyncGenerator[bytes]:
    yield FIRST_BYTES
    for number in range(TICKS):
        yield frame("tick", {"number": number})
        await asyncio.sleep(TICK_SECONDS)
    yield frame("done", {})


async def _database(state: Any) -> Part:
    started = time.perf_counter()
    try:
        hello: dict[str, Any] = await state.client.admin.command("hello")
    except pymongo.errors.PyMongoError as error:
        metrics.DATABASE_UP.set(0)
        return Part(name="database", state="down", says=f"The database does not answer ({type(error).__name__}).")
    is_up = bool(hello.get("isWritablePrimary"))
    metrics.DATABASE_UP.set(is_up)
    if not is_up:
        return Part(name="database", state="down", says="The database takes no writes just now: it has no primary.")
    ms = (time.perf_counter() - started) * 1000
    return Part(name="database", state="ok", says=f"Takes writes, and answers within {ms:.0f} ms.")


def _tutor(state: Any) -> Part:
    if state.tutor.is_offline:
        return Part(name="tutor", state="off", says="Offline: it answers with the best passages of the tickets.")
    return Part(name="tutor", state="ok", says=f"Answers come from {', '.join(state.settings.models)}.")


async def _change_log(state: Any) -> LogStatus | None:
    """As its writer said last, who may be another process or server. None: nobody writes one."""
    own: LogStatus = state.change_log.status
    if own.is_writing or own.alarm:
        return own
    leases = state.client.get_default_database("tutordesk")[LEASES]
    try:
        found = await leases.find_one({"_id": CHANGE_LOG_LEASE})
    except pymongo.errors.PyMongoError:
        return own if state.settings.writes_change_log else None
    if found:
        return LogStatus(**{field.name: found[field.name] for field in fields(LogStatus) if field.name in found})
    return own if state.settings.writes_change_log else None


def _part_of_log(log: LogStatus | None) -> Part:
    if not log:
        return Part(name="change_log", state="off", says="Off: only dumps can be restored.")
    silence = time.time() - log.written_at if log.written_at else 0.0
    if log.alarm or log.gap:
        return Part(name="change_log", state="warning", says=_sentence(log.alarm or log.gap))
    if silence > MOST_SILENCE_SECONDS:
        return Part(name="change_log", state="warning", says=f"Nothing was written for {silence:.0f} seconds.")
    return Part(name="change_log", state="ok", says=f"Every change is kept, at most {max(0.1, log.lag_seconds):.1f} s behind.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _set_gauges(log: LogStatus | None) -> None:
    if log:
        metrics.CHANGE_LOG_LAG.set(log.lag_seconds)
        metrics.CHANGE_LOG_BYTES.set(log.size)
        metrics.CHANGE_LOG_ALARM.set(bool(log.alarm or log.gap))


def _figures(state: Any, log: LogStatus | None) -> Figures:
    read = metrics.Reader(state.settings.workers > 1)
    tokens = read.quantiles("tutordesk_first_token_seconds")
    return Figures(
        open_streams=int(read.sum("tutordesk_open_streams")),
        open_sockets=int(read.sum("tutordesk_open_sockets")),
        running_replies=int(read.sum("tutordesk_running_replies")),
        replies=read.by("tutordesk_replies_total", "status"),
        first_token_ms=tokens[0][1] if tokens else None,
        model_errors=read.by("tutordesk_model_errors_total", "class"),
        checkpoint_lag_seconds=read.sum("tutordesk_checkpoint_lag_seconds"),
        change_log_lag_seconds=log.lag_seconds if log else 0.0,
        change_log_bytes=log.size if log else 0,
        routes=[
            Route(method=method, route=route, count=count, p50_ms=ms[0], p95_ms=ms[1])
            for (method, route), ms, count in read.quantiles("tutordesk_request_seconds", "method", "route")
        ],
    )
