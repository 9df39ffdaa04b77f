"""Fixtures of all tests. Nothing of ours is replaced; the model is replaced at its wire.

| fixture | is |
|---|---|
| `mock` | the app on mongomock, called without sockets: for what mongomock can do (tickets, validation, lists) |
| `live` | the app on the embedded mongod, behind a real uvicorn on a real port, with the fake Gemini wire |
| `fake` | that wire, reset before each test; no test can reach a real model |
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from beanie import init_beanie
from mongomock_motor import AsyncMongoMockClient

from testing.fake_gemini import FakeModels
from testing.serving import JSON, SECRET, Live, make_settings, serving, settle
from tutordesk.identity.limits import Limits
from tutordesk.identity.revocation import Revocations
from tutordesk.main import DOCUMENTS, create_app
from tutordesk.operations.embedded.mongod import find_mongod, running_mongod, start_mongod
from tutordesk.tickets.facets import Facets
from tutordesk.tickets.summary import Summaries
from tutordesk.tutor.voice import Tutor

SLOW_FOLDERS = {"cli", "deploy", "operations", "serving"}
SLOW_FIXTURES = {"mongod_url", "fake_server"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `fast` what `make check` runs: tests that start neither a database nor a server."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        is_slow = item.get_closest_marker("process") or SLOW_FOLDERS & set(item.path.parts)
        if not (is_slow or SLOW_FIXTURES & fixtures):
            item.add_marker(pytest.mark.fast)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("TUTORDESK_") or name.endswith(("_API_KEY", "_BASE_URL", "MONGODB_URL", "_BACKUP_URL")):
            monkeypatch.delenv(name)


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
