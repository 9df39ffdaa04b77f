"""Fixtures of deployment: compose.yaml as Docker reads it, its mongod, and a server behind nginx."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import yaml

from testing.deploy.compose import PASSWORDS, Guarded, compose_config
from testing.deploy.proxies import Proxy, running_nginx
from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving


@pytest.fixture(scope="package")
def composed() -> Any:
    """The whole of compose.yaml."""
    said = compose_config(**PASSWORDS)
    assert said.returncode == 0, said.stderr
    return yaml.safe_load(said.stdout)


@pytest.fixture(scope="package")
def services(composed: Any) -> Any:
    return composed["services"]


@pytest.fixture(scope="package")
def guarded(services: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Its users are made."""
    mongod = Guarded(services, tmp_path_factory.mktemp("guarded"))
    mongod.start()
    try:
        code, said = mongod.init()
        assert code == 0, said
        assert said == "mongo-init: the users of the database tutordesk are ready\n"
        yield mongod
    finally:
        mongod.stop()


@pytest.fixture(scope="package")
async def served(
    mongod_url: str, fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Serving]:
    urls = {
        "MONGODB_URL": mongod_url.replace("/tutordesk?", "/behind_nginx?"),
        "OPENAI_BASE_URL": fake_server.openai_url,
    }
    settings = {**ENVIRONMENT, **urls, "TUTORDESK_MAX_MESSAGES_PER_MINUTE_PER_IP": "3"}
    serving = await Serving(tmp_path_factory.mktemp("behind_nginx"), **settings).start()
    yield serving
    await serving.end()


@pytest.fixture(scope="package")
def plain(served: Serving) -> Iterator[Proxy]:
    with running_nginx(served.port) as proxy:
        yield proxy


@pytest.fixture(scope="package")
def tls(served: Serving) -> Iterator[Proxy]:
    with running_nginx(served.port, is_tls=True) as proxy:
        yield proxy


@pytest.fixture(params=["plain", "tls"])
def proxy(request: pytest.FixtureRequest, plain: Proxy, tls: Proxy) -> Proxy:
    return tls if request.param == "tls" else plain
