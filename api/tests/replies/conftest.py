"""Two `tutordesk serve` on one database, for the tests of what one process writes and another reads."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from testing.fake_gemini import FakeModels
from testing.processes import GIVEN, Serving
from testing.steps import until

Pair = tuple[Serving, Serving]


@pytest.fixture(scope="package")
async def servers(
    mongod_url: str, fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    url = mongod_url.replace("/tutordesk?", "/two_servers?")
    given = {**GIVEN, "GEMINI_BASE_URL": fake_server.url, "MONGODB_URL": url}
    one, other = (Serving(tmp_path_factory.mktemp(name), **given) for name in ("one", "other"))
    await asyncio.gather(one.start(), other.start())
    yield one, other
    await asyncio.gather(one.end(), other.end())


@pytest.fixture
async def pair(servers: Pair, fake: FakeModels) -> AsyncIterator[Pair]:
    """Two servers that live; no reply runs afterwards."""
    yield servers
    one = servers[0]
    if one.process and one.process.poll() is not None:
        await one.start()
    fake.reset()

    async def is_quiet() -> bool:
        return not fake.open

    await until(is_quiet)
