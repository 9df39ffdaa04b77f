"""A full disk under the database: a tmpfs of its own, which a file of the test fills."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from testing.fake_gemini import TEXT, FakeModels
from testing.processes import ENVIRONMENT, Serving, is_alive
from testing.rooms.people import person
from testing.steps import TICKET, ask, create_ticket, start_asking, text_of, until
from tutordesk.operations.embedded.disk import MB, MIN_BYTES, Disk
from tutordesk.operations.embedded.keeper import pause_after

DISK = "1200m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"only root can make a small disk: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
async def serving(disk: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    server = await Serving(disk / "data", **ENVIRONMENT, OPENAI_BASE_URL=fake.openai_url).start()
    yield server
    await server.end()


@contextmanager
def filled(disk: Path, free: int) -> Iterator[None]:
    """Leave so many bytes free while inside."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, Disk.of(disk).free - free)
    try:
        yield
    finally:
        ballast.unlink()


async def until_status(client: httpx.AsyncClient, status: int, seconds: float) -> httpx.Response:
    async def is_so() -> httpx.Response | None:
        answer = await client.post("/tickets", json=TICKET)
        return answer if answer.status_code == status else None

    answer: httpx.Response = await until(is_so, seconds)
    return answer


async def test_writes_are_refused_before_mongod_dies(serving: Serving, disk: Path, fake: FakeModels) -> None:
    """Writes get 507 with a sentence, also in rooms. Reading and stopping work, and a running answer is kept."""
    fake.text, fake.chunk, fake.delay_ms = TEXT * 20, 4, 50
    ana = await person(serving.url, "Ana")
    client, mongod = ana.client, serving.mongod_pid()
    ticket, room_id = await create_ticket(client), await ana.make_room()
    start = await start_asking(client, "Why?")
    async with ana.socket(room_id) as socket:
        await socket.say("before")
        with filled(disk, MIN_BYTES - 50 * MB):
            refused = await until_status(client, 507, 3)
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["type"] == "urn:tutordesk:problem:disk-full"
            assert "disk is full" in refused.json()["detail"]
            assert (await client.get("/health/ready")).status_code == 503
            parts = {part["name"]: part["state"] for part in (await client.get("/status")).json()["parts"]}
            assert (parts["disk"], parts["database"]) == ("down", "ok")
            body = {"message": "More?"}
            assert (await client.post("/chat/global/stream", json=body)).status_code == 507
            await socket.send("send", client_message_id="full", content="full")
            assert (await socket.wait("error"))["code"] == "disk-full"
            assert (await client.get(f"/tickets/{ticket['id']}")).json()["title"] == TICKET["title"]
            assert (await client.post(f"/chat/replies/{start.data['id']}/stop")).status_code == 202
        await until_status(client, 201, 3)
        await socket.say("after")
    chat = (await client.get(f"/chat/sessions/{start.data['session_id']}")).json()
    assert [message["status"] for message in chat["messages"]] == ["complete", "stopped"]
    assert serving.mongod_pid() == mongod
    assert is_alive(mongod)
    await client.aclose()


async def test_dead_mongod_waits_for_room(serving: Serving, disk: Path) -> None:
    """mongod is not restarted while the disk is full. It is back seconds later, with all acknowledged writes."""
    async with serving.client() as client:
        tickets = [await create_ticket(client, title=f"Ticket {number}") for number in range(20)]
        mongod = serving.mongod_pid()
        with filled(disk, MB):
            await until_status(client, 507, 3)
            os.kill(mongod, signal.SIGKILL)
            await asyncio.sleep(5)
            assert serving.mongod_pid() == mongod, "it was started on a full disk"
        await until_status(client, 201, 10)
        assert serving.mongod_pid() != mongod
        for ticket in tickets:
            assert (await client.get(f"/tickets/{ticket['id']}")).json()["title"] == ticket["title"]
        assert text_of(await ask(client, "Why?")) == TEXT


def test_pauses_grow_to_half_a_minute() -> None:
    assert [round(pause_after(deaths, False), 1) for deaths in range(6)] == [0.1, 0.4, 1.6, 6.4, 25.6, 30.0]
    assert pause_after(0, True) == 30


def test_needed_room_depends_on_the_disk() -> None:
    gb = 1000 * MB
    assert [Disk(0, total).needed for total in (gb, 20 * gb, 1000 * gb)] == [500 * MB, gb, 2 * gb]
    assert Disk(499 * MB, gb).is_short
    assert not Disk(500 * MB, gb).is_short
