"""Two databases of their own for each test: one to dump, one to restore into."""

from collections.abc import Iterator

import pytest

from testing.databases.states import fresh_database
from tutordesk.operations.catalog import Client, Database


@pytest.fixture
def source(mongod_url: str) -> Iterator[tuple[str, Client, Database]]:
    with fresh_database(mongod_url) as database:
        yield database


@pytest.fixture
def target(mongod_url: str) -> Iterator[Database]:
    with fresh_database(mongod_url) as (_, _, database):
        yield database
