"""The embedded mongod killed again and again under load. `make bench` does it longer."""

from pathlib import Path

from benchmarks.database_kills import MAX_SECONDS, kill_many
from benchmarks.harness import Server
from testing.processes import GIVEN, Serving


async def test_killed_database_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """FAULTS: mongod SIGKILL (embedded): 0 acknowledged writes lost, a ticket can be saved again within 6 s."""
    serving = await Serving(tmp_path / "data", **GIVEN, TUTORDESK_MAX_TICKETS_PER_HOUR="0").start()
    server = Server(serving.pid, serving.port, serving.data_dir, tmp_path / "log", 0)
    seen = await kill_many(server, kills=5, acknowledged=1_000)
    assert await serving.end() in (0, -15)
    assert seen.acknowledged >= 1_000
    assert seen.lost == 0
    assert max(seen.back) <= MAX_SECONDS
