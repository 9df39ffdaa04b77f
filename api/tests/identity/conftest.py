"""Two `tutordesk serve` on one database, and the command `tutordesk user` on it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator

import pytest

from testing.processes import COMMAND, GIVEN, Serving

Pair = tuple[Serving, Serving]


@pytest.fixture(scope="package")
async def pair(mongod_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    url = mongod_url.replace("/tutordesk?", "/identity?")
    given = {**GIVEN, "TUTORDESK_MODEL": "offline", "MONGODB_URL": url}
    one, other = (Serving(tmp_path_factory.mktemp(name), **given) for name in ("one", "other"))
    await asyncio.gather(one.start(), other.start())
    yield one, other
    await asyncio.gather(one.end(), other.end())


async def user_command(server: Serving, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`tutordesk user …` on the database of `server`."""
    return await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, "user", *arguments, "--data-dir", str(server.data_dir)],
        capture_output=True,
        text=True,
        env={**os.environ, **server.environment},
        timeout=30,
    )
