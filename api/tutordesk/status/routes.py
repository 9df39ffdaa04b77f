"""The routes of health: `/health/…`, `/metrics` for Prometheus, `/status` for people, and that page's self-test.

Everybody sees whether the parts work. Only this machine and admins see the figures, and for `/metrics` also anyone
with its token. The page tests the proxies in front by `/status/socket`, an echo, and by `/status/stream`, five events
a fifth of a second apart. A proxy that buffers would deliver these together.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect

from tutordesk.ground import metrics
from tutordesk.ground.access import StreamsOf
from tutordesk.ground.errors import AppError, NotFound, Unavailable, problem_responses
from tutordesk.ground.sse import FIRST_BYTES, ByteStream, Reader, frame
from tutordesk.identity.access import admin_of, is_on_this_machine, visitor_of
from tutordesk.status.access import ComponentsOf
from tutordesk.status.parts import (
    ComponentStatus,
    Figures,
    read_database,
    read_figures,
    read_log_status,
    read_parts,
    set_gauges,
    trouble_of,
)

router = APIRouter(tags=["operations"])
TICKS, TICK_SECONDS = 5, 0.2
ECHOES, ECHO_SECONDS, MAX_ECHO_CHARACTERS = 20, 10.0, 200


class Health(BaseModel):
    status: str


class StatusOut(BaseModel):
    version: str
    epoch: str
    parts: list[ComponentStatus]
    figures: Figures | None


async def _may_see_figures(request: Request) -> bool:
    if is_on_this_machine(request):
        return True
    with contextlib.suppress(AppError):
        return bool(await admin_of(await visitor_of(request)))
    return False


MaySeeFigures = Annotated[bool, Depends(_may_see_figures)]


@router.get("/health/live", operation_id="read_live")
async def read_live() -> Health:
    """Answer 200 as long as the process answers at all."""
    return Health(status="live")


@router.get("/health/ready", operation_id="read_ready", responses=problem_responses())
async def read_ready(components: ComponentsOf) -> Health:
    """Answer 200 while a ticket could be saved. Raises Unavailable with the reason otherwise."""
    if trouble := await trouble_of(components.client):
        raise Unavailable(trouble)
    if components.disk.is_short:
        raise Unavailable("The database's disk is full, so nothing new is saved. Make room on the disk.")
    return Health(status="ready")


@router.get("/status", operation_id="read_status")
async def read_status_of_all(request: Request, components: ComponentsOf, may_see_figures: MaySeeFigures) -> StatusOut:
    log = await read_log_status(components)
    return StatusOut(
        version=request.app.version,
        epoch=components.epoch,
        parts=await read_parts(components, log),
        figures=read_figures(components, log) if may_see_figures else None,
    )


@router.get("/metrics", operation_id="read_metrics", response_class=Response, responses=problem_responses())
async def read_metrics(request: Request, components: ComponentsOf, may_see_figures: MaySeeFigures) -> Response:
    token = components.settings.metrics_token
    header = request.headers.get("authorization", "")
    has_token = token and secrets.compare_digest(header.encode(), f"Bearer {token.get_secret_value()}".encode())
    if not (may_see_figures or has_token):
        raise NotFound
    await read_database(components)
    set_gauges(await read_log_status(components))
    return Response(generate_latest(metrics.figures(components.settings.workers > 1)), media_type=CONTENT_TYPE_LATEST)


@router.get("/status/stream", operation_id="test_stream", response_class=Response)
async def test_stream(streams: StreamsOf) -> ByteStream:
    return streams.respond(_ticks(), Reader(is_revoked=lambda: False))


@router.websocket("/status/socket")
async def test_socket(websocket: WebSocket) -> None:
    await websocket.accept()
    with contextlib.suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(ECHO_SECONDS):
            for _ in range(ECHOES):
                text = (await websocket.receive()).get("text")
                if text is None:  # the browser left, or sent bytes, which the page never does
                    break
                await websocket.send_text(text[:MAX_ECHO_CHARACTERS])
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the browser may have closed it
        await websocket.close()


async def _ticks() -> AsyncGenerator[bytes]:
    yield FIRST_BYTES
    for number in range(TICKS):
        yield frame("tick", {"number": number})
        await asyncio.sleep(TICK_SECONDS)
    yield frame("done", {})
