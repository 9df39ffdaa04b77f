"""What tests run against. Nothing of ours is replaced; the model is replaced at its wire.

| fixture | is |
|---|---|
| `mock` | the app on mongomock, called without sockets: for what mongomock can do (tickets, validation, lists) |
| `live` | the app on the embedded mongod, behind a real uvicorn on a real port, with the fake Gemini wire |
| `fake` | that wire, reset before each test; no test can reach a real model |
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from beanie import init_beanie
from fastapi import FastAPI
from mongomock_motor import AsyncMongoMockClient

from api.identity.limits import Limits
from api.identity.revocation import Revocations
from api.main import DOCUMENTS, create_app
from api.operations.mongod import find_mongod, running_mongod, start_mongod
from api.replies.endings import finish_joined
from api.replies.models import Reply
from api.replies.runs import running
from api.server import bind, make_server
from api.settings import Settings
from api.tests.fake_gemini import FakeModels
from api.tickets.facets import Facets
from api.tickets.summary import Summaries
from api.tutor.voice import Tutor

SECRET = "a-key-of-tests-0123456789abcdefghij"
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("TUTORDESK_") or name.endswith(("_API_KEY", "_BASE_URL", "MONGODB_URL", "_BACKUP_URL")):
            monkeypatch.delenv(name)


def make_settings(data_dir: Path, **given: Any) -> Settings:
    defaults = {"data_dir": data_dir, "secret_key": SECRET, "max_messages_per_minute": 0}
    defaults |= {"max_messages_per_minute_per_ip": 0, "max_tickets_per_hour": 0}
    defaults |= {"max_room_messages_per_minute": 0, "max_rooms_per_hour": 0}
    return Settings(_env_file=None, **{**defaults, **given})


@pytest.fixture(scope="session")
async def mongod_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    data_dir, binary = tmp_path_factory.mktemp("mongod"), find_mongod(None)
    async with running_mongod(data_dir, binary, start_mongod(data_dir, binary)) as url:
        yield url


@pytest.fixture(scope="session")
async def fake_server() -> AsyncIterator[FakeModels]:
    async with FakeModels() as fake:
        yield fake


@pytest.fixture
def fake(fake_server: FakeModels) -> FakeModels:
    fake_server.reset()
    return fake_server


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """A real uvicorn in this loop. Yields its address."""
    listener = bind("127.0.0.1", 0)
    server = make_server(app)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve([listener]))
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


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


@pytest.fixture(scope="session")
async def live_server(
    mongod_url: str, fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    settings = make_settings(
        tmp_path_factory.mktemp("data"),
        MONGODB_URL=mongod_url,
        model="gemini:fake",
        GEMINI_API_KEY="test-key-of-gemini",
        GEMINI_BASE_URL=fake_server.url,
        max_running_replies=0,
    )
    app = create_app(settings)
    async with serving(app) as url:
        yield Live(app, url, fake_server)


@pytest.fixture
async def live(live_server: Live, fake: FakeModels) -> AsyncIterator[Live]:
    database = live_server.app.state.client.get_default_database("tutordesk")
    await init_beanie(database, document_models=list(DOCUMENTS), skip_indexes=True)
    yield live_server
    fake.reset()
    await settle(live_server.app)
    for name in await database.list_collection_names():
        if not name.startswith("system."):  # what the profiler wrote is not ours to delete
            await database[name].delete_many({})


async def settle(app: FastAPI) -> None:
    """Wait until no reply and no summary runs any more; stop what would go on."""
    for run in running.values():
        if run.task and not run.task.done():
            run.task.cancel()
            await asyncio.wait([run.task])
    running.clear()
    await finish_joined(_leave_it)
    await app.state.summaries.close()
    await app.state.titles.close()


async def _leave_it(replies: list[Reply]) -> None:
    """What joined its chat in one test is not indexed and titled in the next."""


@pytest.fixture
async def visitor(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with live.visitor() as client:
        yield client


@pytest.fixture
async def stranger(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with live.visitor() as client:
        yield client


@pytest.fixture
async def mock(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the app on mongomock; `client.app` is the app."""
    app = create_app(make_settings(tmp_path))
    client: Any = AsyncMongoMockClient(tz_aware=True)
    await init_beanie(client["tutordesk"], document_models=list(DOCUMENTS))
    state = app.state
    state.client, state.secret_keys, state.owner = client, [SECRET], "test"
    state.revocations = Revocations()
    state.limits, state.facets = Limits(state.settings), Facets()
    async with Tutor(state.settings) as state.tutor:
        state.summaries = Summaries(state.tutor)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=JSON) as browser:
            browser.app = app  # type: ignore[attr-defined]
            yield browser
        await state.summaries.close()
