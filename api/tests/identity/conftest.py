"""Two `tutordesk serve` on one database, for changes on one of them that the other has to know."""

from collections.abc import AsyncIterator

import pytest

from testing.processes import ENVIRONMENT, Pair, serving_pair


@pytest.fixture(scope="package")
async def pair(mongod_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    settings = ENVIRONMENT | {
        "TUTORDESK_MODEL": "offline",
        "MONGODB_URL": mongod_url.replace("/tutordesk?", "/identity?"),
    }
    async with serving_pair(tmp_path_factory.mktemp("pair"), **settings) as servers:
        yield servers
