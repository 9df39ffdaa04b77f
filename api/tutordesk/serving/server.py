"""Runs uvicorn as Tutordesk needs it: uvloop and httptools, bounded headers, and streams that end with the server.

httptools sets no limit on headers and uvicorn waits for them without end. So `BoundedProtocol` refuses headers over
32 KiB, and closes a connection whose headers have not arrived after 15 s.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings
from tutordesk.main import refusal_of
from tutordesk.rooms.relay.seats import WIRE

MAX_HEADER_BYTES = 32_768
HEADER_SECONDS = 15
GRACEFUL_SECONDS = 6
MAX_FRAME_BYTES = 65_536
PING_SECONDS, PONG_SECONDS = 4, 4


class BoundedProtocol(HttpToolsProtocol):
    _header_bytes = 0
    _is_reading_headers = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_headers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_reading_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._is_reading_headers and self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._is_reading_headers:
            self._await_headers()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(name) + len(value) > MAX_HEADER_BYTES:
            raise ValueError("a header is too long")

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_HEADER_BYTES:
            raise ValueError("the address is too long")

    def on_headers_complete(self) -> None:
        self._end_headers()
        super().on_headers_complete()

    def _await_headers(self) -> None:
        self._header_bytes, self._is_reading_headers = 0, True
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _end_headers(self) -> None:
        self._is_reading_headers = False
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class RoomProtocol(WebSocketsSansIOProtocol):
    """A WebSocket whose scope offers three extensions: write a whole frame, wait until writable, abort.

    A frame for a thousand members is made once and written a thousand times, at a third of the cost of ASGI's `send`.
    Aborting is for a peer that reads nothing: it takes no close frame either, and a clean close would wait for it.
    """

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            wire: dict[object, object] = {
                "write": self.write_frame,
                "writable": self.writable.wait,
                "abort": self.transport.abort,
            }
            self.scope["extensions"][WIRE] = wire

    def write_frame(self, frame: bytes) -> bool:
        """Write a frame. Returns False while the peer is behind. A frame for a closing socket is dropped."""
        if not self.writable.is_set():
            return False
        if not self.close_sent and not self.disconnected:
            self.transport.write(frame)
        return True

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


class Server(uvicorn.Server):
    """Prints its address once it takes requests."""

    def __init__(self, config: uvicorn.Config, model: str) -> None:
        super().__init__(config)
        self._model = model

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            say_ready(sockets[0], self._model)


def say_ready(listener: socket.socket, model: str) -> None:
    host, port = listener.getsockname()[:2]
    print(f"Tutordesk is ready on http://{host}:{port} (tutor: {model}). Ctrl-C ends it.", flush=True)  # noqa: T201


def run_server(app: Starlette, settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM. Raises OperatorError when the application cannot start."""
    logging.getLogger("uvicorn.error").addFilter(lambda _: not refusal_of(app))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after a clean end
        try:
            make_server(app, settings).run(sockets=[listener])
        except SystemExit:
            if refusal := refusal_of(app):
                raise OperatorError(refusal) from None
            raise


def make_server(app: Starlette, settings: Settings) -> Server:
    return Server(make_config(app, settings), model=settings.models[0])


def make_config(app: Starlette | Callable[[], ASGIApp], settings: Settings, workers: int = 1) -> uvicorn.Config:
    """Return uvicorn's configuration. For several workers, `app` makes the application in each of them."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedProtocol,
        ws=RoomProtocol,
        ws_per_message_deflate=False,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=15,
        factory=workers > 1,
        workers=workers,
    )
