"""The embedded mongod killed again and again under load. `make bench` does it longer."""

from pathlib import Path

import pytest

from testing.databases.mongod_kills import MAX_SECONDS, kill_many
from testing.processes import ENVIRONMENT, Serving


@pytest.mark.alone
async def test_killed_database_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """No acknowledged write is lost, and a ticket can be saved again within six seconds."""
    server = await Serving(tmp_path / "data", **ENVIRONMENT, TUTORDESK_MAX_TICKETS_PER_HOUR="0").start()
    seen = await kill_many(server.port, server.data_dir, kills=5, acknowledged=1_000)
    assert await server.end() in (0, -15)
    assert seen.acknowledged >= 1_000
    assert seen.lost == 0
    assert max(seen.back) <= MAX_SECONDS
