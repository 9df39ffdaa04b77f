"""`tutordesk serve --workers N`: one address and several processes, of which any may be killed."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from testing.fake_gemini import FakeModels
from testing.processes import COMMAND, ENVIRONMENT, Serving, free_port, is_alive
from testing.replies.wire_reader import TimedReader, ask_request, connect_timed
from testing.serving import make_settings
from testing.steps import create_ticket, until
from tutordesk.ground.background import LoopThread
from tutordesk.operations.embedded.mongod import socket_dir
from tutordesk.serving.listener import bind
from tutordesk.serving.server import make_config
from tutordesk.serving.workers import Workers

LONG = "word " * 4000


@pytest.fixture
async def server(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    serving = await Serving(tmp_path / "data", "--workers", "2", OPENAI_BASE_URL=fake.openai_url, **ENVIRONMENT).start()
    yield serving
    if serving.is_running:
        await serving.end()


@pytest.fixture(scope="module")
async def lasting(fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    """One server for the tests that it outlives."""
    settings = {**ENVIRONMENT, "OPENAI_BASE_URL": fake_server.openai_url}
    serving = await Serving(tmp_path_factory.mktemp("data"), "--workers", "2", **settings).start()
    yield serving
    await serving.end()


async def start_replies(server: Serving, count: int) -> list[TimedReader]:
    """Start replies, each on a connection of its own and so on any worker. Returns their readers."""
    readers = []
    for _ in range(count):
        readers.append(await connect_timed(server.port))
        readers[-1].send(ask_request("Why?"))
        await asyncio.wait_for(readers[-1].has_text, 10)
    return readers


def busiest(workers: list[int]) -> int:
    """Return the worker with the most open sockets."""

    def count_sockets(pid: int) -> int:
        return sum(os.readlink(file).startswith("socket:") for file in Path(f"/proc/{pid}/fd").iterdir())

    return max(workers, key=count_sockets)


def has_pending(pid: int, stop_signal: signal.Signals) -> bool:
    """Return whether the signal waits for a process that is stopped."""
    status = Path(f"/proc/{pid}/status").read_text()
    pending = int(status.partition("ShdPnd:")[2].split()[0], 16)
    return bool(pending >> (stop_signal - 1) & 1)


async def read_answer(server: Serving, reader: TimedReader) -> dict[str, Any]:
    """Return the saved answer to this reader's question."""
    headers = {"Cookie": reader.cookie or "", "Accept": "application/json"}
    session_id = reader.start()["session_id"]
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as client:
        messages = (await client.get(f"/chat/sessions/{session_id}")).json()["messages"]
    assert [message["role"] for message in messages] in (["user"], ["user", "assistant"])
    return dict(messages[-1])


async def test_killed_worker_is_replaced_and_its_replies_are_kept(lasting: Serving, fake: FakeModels) -> None:
    """At most a second of text is lost, the reply is `interrupted` within 5 s, and the other workers continue."""
    fake.delay_ms, fake.chunk, fake.text = 20, 4, LONG
    readers = await start_replies(lasting, 12)
    killed = busiest(lasting.workers())
    os.kill(killed, signal.SIGKILL)

    async def is_replaced() -> bool:
        return len(lasting.workers()) == 2 and killed not in lasting.workers()

    await until(is_replaced, 5)
    broken = [reader for reader in readers if reader.is_over.done()]
    assert broken
    for reader in broken:

        async def is_over(reader: TimedReader = reader) -> dict[str, Any] | None:
            answer = await read_answer(lasting, reader)
            return answer if answer["role"] == "assistant" else None

        answer = await until(is_over, 5)
        assert answer["status"] == "interrupted"
        assert LONG.startswith(answer["content"])
        assert len(answer["content"]) >= len(reader.text_at(reader.arrivals[-1][0] - 1.0))
    assert not any(reader.is_over.done() for reader in readers if reader not in broken)
    for reader in readers:
        reader.transport.abort()


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
async def test_workers_end_cleanly_and_lose_nothing(
    server: Serving, fake: FakeModels, stop_signal: signal.Signals
) -> None:
    """All text is kept, and the exit takes at most ten seconds. A terminal's Ctrl-C reaches all processes."""
    fake.delay_ms, fake.chunk, fake.text = 20, 4, LONG
    readers = await start_replies(server, 8)
    workers, mongod = server.workers(), server.mongod_pid()
    if stop_signal is signal.SIGINT:
        for worker in workers:
            os.kill(worker, stop_signal)
    async with asyncio.timeout(10):
        assert await server.end(stop_signal) == 0
    assert not any(map(is_alive, [*workers, mongod]))
    assert list(socket_dir(server.data_dir).iterdir()) == []
    if stop_signal is signal.SIGINT:
        return
    await server.start()
    for reader in readers:
        answer = await read_answer(server, reader)
        assert answer["status"] == "interrupted"
        assert answer["content"].startswith(reader.text_at(reader.arrivals[-1][0]))


async def test_server_ends_while_workers_start(server: Serving) -> None:
    """A start that takes its time, as it does on a busy machine, does not keep the server from ending."""
    killed = server.workers()
    for worker in killed:
        os.kill(worker, signal.SIGKILL)

    async def is_one_starting() -> bool:
        return bool(set(server.workers()) - set(killed))

    await until(is_one_starting, 5)
    starting = set(server.workers()) - set(killed)
    for worker in starting:
        os.kill(worker, signal.SIGSTOP)
    await asyncio.sleep(1.0)  # the parent looks at its workers twice a second
    started_at = time.perf_counter()
    os.kill(server.pid, signal.SIGTERM)

    async def are_told() -> bool:
        return all(has_pending(worker, signal.SIGTERM) for worker in starting)

    await until(are_told, 5)
    for worker in starting:
        os.kill(worker, signal.SIGCONT)
    assert await server.end() == 0
    assert time.perf_counter() - started_at <= 10


async def test_killed_parent_takes_all_with_it(server: Serving, fake: FakeModels) -> None:
    workers, mongod = server.workers(), server.mongod_pid()
    metrics = server.data_dir / "metrics"
    left = {file.name for file in metrics.iterdir()}
    assert left
    await server.end(signal.SIGKILL)

    async def are_gone() -> bool:
        return not any(map(is_alive, [*workers, mongod]))

    await until(are_gone, 10)
    await server.start()
    assert not left & {file.name for file in metrics.iterdir()}
    await server.end()
    assert not metrics.exists()


async def test_unreachable_database_only_delays_a_worker(lasting: Serving) -> None:
    """The parent starts mongod again, and a worker that died with it as well."""
    os.kill(lasting.mongod_pid(), signal.SIGKILL)
    os.kill(lasting.workers()[0], signal.SIGKILL)

    async def works() -> bool:
        async with lasting.client() as client:
            return len(lasting.workers()) == 2 and (await client.get("/health/ready")).status_code == 200

    await until(works, 15)
    async with lasting.client() as client:
        await create_ticket(client)


async def test_start_without_a_database_is_refused(tmp_path: Path) -> None:
    """The server ends with a sentence, as with one process, and leaves nothing behind."""
    options = ["serve", "--workers", "2", "--port", str(free_port()), "--data-dir", str(tmp_path)]
    url = "mongodb://:nobody@127.0.0.1:9/"
    refused = await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        env={**os.environ, "MONGODB_URL": url},
        timeout=30,
    )
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("tutordesk: MONGODB_URL: the MongoDB there cannot be reached")
    assert "Traceback" not in refused.stderr
    assert not refused.stdout


@pytest.mark.parametrize(
    "garbage", [b"", b"garbage", b"\x80\x05cno_module\nname\n."], ids=["empty", "garbage", "unknown"]
)
async def test_report_that_cannot_be_read_does_not_deafen_the_parent(garbage: bytes, tmp_path: Path) -> None:
    """Else the parent would never say that it is ready, and a worker would wait for ever once the pipe is full."""
    settings = make_settings(tmp_path)
    hearing, telling = multiprocessing.Pipe(duplex=False)
    with hearing, telling, closing(bind("127.0.0.1", 0)) as listener:
        workers = Workers(make_config(FastAPI, settings, 2), listener, hearing, "offline")
        telling.send_bytes(garbage)
        telling.send("no rights")
        with LoopThread(0, workers.hear, "workers' reports"):

            async def is_heard() -> bool:
                return workers.refusal == "no rights"

            await until(is_heard, 5)
    assert workers.should_exit.is_set()
