"""Tutordesk inside the process of a test or benchmark: its settings and a real uvicorn in this loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from testing.fake_gemini import FakeModels
from tutordesk.ground.settings import Settings
from tutordesk.identity.tokens import cookie_name
from tutordesk.serving.listener import bind
from tutordesk.serving.server import Server, make_server

SECRET = "a-key-of-tests-0123456789abcdefghij"
COOKIE = cookie_name(SECRET)
JSON = {"Accept": "application/json"}


def make_settings(data_dir: Path, **fields: Any) -> Settings:
    defaults = {"data_dir": data_dir, "secret_key": SECRET, "max_messages_per_minute": 0}
    defaults |= {"max_messages_per_minute_per_ip": 0, "max_tickets_per_hour": 0}
    defaults |= {"max_room_messages_per_minute": 0, "max_rooms_per_hour": 0}
    return Settings(_env_file=None, **{**defaults, **fields})


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """A real uvicorn in this loop. Yields its address."""
    with closing(bind("127.0.0.1", 0)) as listener:
        server = make_server(app, app.state.settings)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.create_task(_serve(server, listener))
        try:
            while not server.started:
                if task.done():
                    await task
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


async def _serve(server: Server, listener: socket.socket) -> None:
    """Serve until told to end. Raises RuntimeError when the app cannot start; SystemExit would end all tests."""
    try:
        await server._serve([listener])
    except SystemExit as error:
        raise RuntimeError("the app could not start; its log says why") from error


@dataclass
class Live:
    """The app on mongod behind uvicorn. `visitor()` is a browser of its own, with its own cookie."""

    app: FastAPI
    url: str
    fake: FakeModels

    def visitor(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=JSON, timeout=20)

    def collection(self, name: str) -> Any:
        return self.app.state.client.get_default_database("tutordesk")[name]


async def settle(app: FastAPI) -> None:
    """Stop replies, summaries and titles, and wait until none runs."""
    for run in app.state.replies.running.values():
        if run.task and not run.task.done():
            run.task.cancel()
            await asyncio.wait([run.task])
    app.state.replies.running.clear()
    app.state.replies.endings.forget_delivered()
    await app.state.summaries.close()
    await app.state.titles.close()
