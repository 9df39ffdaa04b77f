"""Two `tutordesk serve` on one database, for the tests of what one process writes and another reads."""

from collections.abc import AsyncIterator

import pytest

from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Pair, serving_pair
from testing.steps import until


@pytest.fixture(scope="package")
async def servers(
    mongod_url: str, fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    url = mongod_url.replace("/tutordesk?", "/two_servers?")
    settings = ENVIRONMENT | {"OPENAI_BASE_URL": fake_server.openai_url, "MONGODB_URL": url}
    async with serving_pair(tmp_path_factory.mktemp("pair"), **settings) as servers:
        yield servers


@pytest.fixture
async def pair(servers: Pair, fake: FakeModels) -> AsyncIterator[Pair]:
    """Two servers that live; no reply runs afterwards."""
    yield servers
    if not servers[0].is_running:
        await servers[0].start()
    fake.reset()

    async def is_quiet() -> bool:
        return not fake.open

    await until(is_quiet)
