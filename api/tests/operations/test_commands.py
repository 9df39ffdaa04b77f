"""The commands `dump`, `restore` and `log` on a real server and on the data folder that it leaves."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.tests.fake_gemini import FakeModels
from api.tests.processes import COMMAND, GIVEN, Serving
from api.tests.steps import TICKET, create_ticket


@pytest.fixture
async def server(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    one = await Serving(tmp_path / "data", GEMINI_BASE_URL=fake.url, **GIVEN).start()
    yield one
    if one.process and one.process.poll() is None:
        await one.end()


async def run(server: Serving, *arguments: str) -> tuple[int, str]:
    """A command's code, and what it says."""
    command = [*COMMAND, *arguments, "--data-dir", str(server.data_dir)]
    environment = server.environment | {"COLUMNS": "200"}
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=environment)
    return ended.returncode, ended.stdout + ended.stderr


async def titles(client: httpx.AsyncClient) -> list[str]:
    return [ticket["title"] for ticket in (await client.get("/tickets")).json()]


@pytest.mark.parametrize("options", [[], ["--gzip"]])
async def test_dump_of_a_running_server_is_restored(server: Serving, tmp_path: Path, options: list[str]) -> None:
    folder = str(tmp_path / "dump")
    async with server.client() as client:
        await create_ticket(client)
        code, said = await run(server, "dump", folder, *options)
        assert code == 0
        assert said.startswith(f"{folder}: the database at 20")
        await create_ticket(client, title="Written later")
        code, said = await run(server, "restore", folder, "--yes-drop", "tutordesk")
        assert (code, "in use by another Tutordesk" in said) == (2, True)
    await server.end()
    code, said = await run(server, "restore", folder)
    assert (code, "--yes-drop tutordesk" in said) == (2, True)
    code, said = await run(server, "restore", folder, "--into", "other")
    assert code == 0
    code, said = await run(server, "restore", folder, "--yes-drop", "tutordesk")
    assert (code, "tutordesk: 2 documents restored" in said) == (0, True), said
    await server.start()
    async with server.client(client.cookies) as client:
        assert await titles(client) == [TICKET["title"]]


async def test_what_is_no_dump_is_refused_with_a_sentence(server: Serving, tmp_path: Path) -> None:
    await server.end()
    (tmp_path / "empty").mkdir()
    for name, said in (("empty", "holds no dump"), ("nowhere", "is not a folder")):
        assert await run(server, "restore", str(tmp_path / name)) == (2, f"tutordesk: {tmp_path / name} {said}.\n")
