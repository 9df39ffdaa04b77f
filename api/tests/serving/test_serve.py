"""A real `tutordesk serve` is refused, killed, stopped, frozen and restarted."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest

from testing.fake_gemini import TEXT, FakeModels
from testing.processes import COMMAND, Serving, free_port, is_alive
from testing.replies.wire_reader import ask as ask_wire
from testing.replies.wire_reader import ask_request, connect_timed
from testing.steps import TICKET, ask, create_ticket, events_of, follow, start_asking, text_of, until
from tutordesk.operations.embedded.mongod import SOCKET_NAME, STOP_SECONDS, find_mongod, mongodb_url, socket_dir

MODEL = {"TUTORDESK_MODEL": "gemini:fake", "GEMINI_API_KEY": "test-key-of-gemini"}


@pytest.fixture
async def serving(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    server = await Serving(tmp_path / "data", **MODEL, GEMINI_BASE_URL=fake.url).start()
    yield server
    if server.is_running:
        await server.end()


@pytest.fixture(scope="module")
async def shared(fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    """Share one server between the tests that do not change it."""
    server = await Serving(tmp_path_factory.mktemp("data"), **MODEL, GEMINI_BASE_URL=fake_server.url).start()
    yield server
    await server.end()


SERVE_UNTIL_MONGOD = """
import sys
from tutordesk.cli import main

def print_loaded(*arguments):
    print(*sorted({"beanie", "fastapi", "uvicorn"} & sys.modules.keys()), "end")
    raise SystemExit(0)

main.start_mongod = print_loaded
main.app(["serve", "--port", sys.argv[1], "--data-dir", sys.argv[2]])
"""


def test_mongod_starts_before_the_application_loads(tmp_path: Path) -> None:
    serve = [sys.executable, "-c", SERVE_UNTIL_MONGOD, str(free_port()), str(tmp_path)]
    result = subprocess.run(serve, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "end\n"


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
async def test_server_ends_cleanly_and_leaves_no_process(serving: Serving, stop_signal: signal.Signals) -> None:
    mongod = serving.mongod_pid()
    async with serving.client() as client:
        await create_ticket(client)
        async with client.stream("GET", "/tickets/events") as events:
            assert events.status_code == 200
            async with asyncio.timeout(10):
                code = await serving.end(stop_signal)
    assert code in (0, -stop_signal)
    assert not is_alive(mongod)
    assert list(socket_dir(serving.data_dir).iterdir()) == []


async def test_second_server_on_the_same_folder_is_refused(shared: Serving) -> None:
    second = await _run("serve", "--port", str(free_port()), "--data-dir", str(shared.data_dir))
    assert second.returncode == 2
    assert re.fullmatch(
        r"tutordesk: The data folder \S+ is in use by another Tutordesk \(process \d+\)\. .+\.\n", second.stderr
    )


async def test_taken_port_is_refused(shared: Serving, tmp_path: Path) -> None:
    second = await _run("serve", "--port", shared.url.rsplit(":", 1)[1], "--data-dir", str(tmp_path / "other"))
    assert second.returncode == 2
    assert "Cannot listen on 127.0.0.1" in second.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"TUTORDESK_SECRET_KEY": "changeme"}, "TUTORDESK_SECRET_KEY: "),
        ({"TUTORDESK_MODEL": "gemini:x"}, "GEMINI_API_KEY is not set"),
        ({"TUTORDESK_MONGOD": "/nonexistent"}, "TUTORDESK_MONGOD: "),
        (
            {"MONGODB_URL": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300"},
            "MONGODB_URL: the MongoDB there cannot",
        ),
    ],
)
async def test_bad_setting_ends_with_a_sentence(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    """The sentence names the setting and says what to do."""
    refused = await _run("serve", "--port", str(free_port()), "--data-dir", str(tmp_path), **settings)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("tutordesk: ")
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


async def _run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=30,
    )


async def test_killed_server_keeps_the_text_of_an_answer(serving: Serving, fake: FakeModels) -> None:
    """After the restart the answer is `interrupted`, and at most a second of its text is lost."""
    fake.delay_ms, fake.chunk, fake.text = 20, 4, "word " * 2000
    async with serving.client() as client:
        start = await start_asking(client, "Why?", client_message_id="kill")
        await asyncio.sleep(2.2)
        before = len(text_of(await _peek(client, start.data["id"])))
        await serving.end(signal.SIGKILL)
        cookies = client.cookies
    await serving.start()
    async with serving.client(cookies) as client:
        session = (await client.get(f"/chat/sessions/{start.data['session_id']}")).json()
        question, answer = session["messages"]
        assert question["content"] == "Why?"
        assert answer["status"] == "interrupted"
        assert fake.text.startswith(answer["content"])
        assert len(answer["content"]) >= before - 4 * 50 - 50
        assert session["running_reply"] is None
        events = await follow(client, start.data["id"], 10)
        assert text_of(events) == answer["content"][10:]
        assert events[-2].data["status"] == "interrupted"
        fake.text, fake.delay_ms = TEXT, 0
        again = await ask(client, "Again?", session_id=start.data["session_id"])
        assert text_of(again) == TEXT


async def _peek(client: httpx.AsyncClient, reply_id: str) -> list[Any]:
    events = []
    async with client.stream("GET", f"/chat/replies/{reply_id}/stream") as response:
        async for event in events_of(response):
            events.append(event)
            if event.event == "message_delta":
                break
    return events


async def test_terminated_server_loses_nothing_of_an_answer(serving: Serving, fake: FakeModels) -> None:
    """The whole text so far is saved, and the exit takes at most ten seconds."""
    fake.delay_ms, fake.chunk, fake.text = 20, 4, "word " * 2000
    async with serving.client() as client:
        start = await start_asking(client, "Why?")
        await asyncio.sleep(0.5)
        before = len(text_of(await _peek(client, start.data["id"])))
        async with asyncio.timeout(10):
            await serving.end(signal.SIGTERM)
        cookies = client.cookies
    await serving.start()
    async with serving.client(cookies) as client:
        answer = (await client.get(f"/chat/sessions/{start.data['session_id']}")).json()["messages"][1]
    assert answer["status"] == "interrupted"
    assert len(answer["content"]) >= before
    assert fake.text.startswith(answer["content"])


async def test_power_cut_at_the_beginning_of_an_answer_loses_no_question(serving: Serving, fake: FakeModels) -> None:
    """Server and database are killed as soon as the reader has `message_start`, in a new chat and in that chat again.

    The memory of a killed mongod stands for what a power cut takes: its journal is written ten times a second.
    """
    fake.delay_ms = 500
    session_id = cookie = None
    for question in ("First?", "Second?", "Third?"):
        reader = await connect_timed(serving.port)
        reader.send(ask_request(question, session_id, cookie, client_message_id=question))
        await asyncio.wait_for(reader.has_begun, 10)
        os.kill(serving.mongod_pid(), signal.SIGKILL)
        await serving.end(signal.SIGKILL)
        await serving.start()
        start = reader.start()
        session_id, cookie = start["session_id"], cookie or reader.cookie
        repeat = await ask_wire(serving.port, ask_request(question, None, cookie, client_message_id=question))
        assert repeat.start()["id"] == start["id"]
    async with serving.client(httpx.Cookies(dict([str(cookie).split("=", 1)]))) as client:
        messages = (await client.get(f"/chat/sessions/{session_id}")).json()["messages"]
    questions = [message["content"] for message in messages if message["role"] == "user"]
    assert questions == ["First?", "Second?", "Third?"]


async def test_killed_database_comes_back_and_loses_nothing(serving: Serving, fake: FakeModels) -> None:
    """mongod is started again, the answer streams on, and no acknowledged write is lost."""
    fake.delay_ms, fake.chunk = 60, 2
    async with serving.client() as client:
        ticket = await create_ticket(client)
        reading = asyncio.create_task(ask(client, "Why?"))
        await asyncio.sleep(0.5)
        first = serving.mongod_pid()
        os.kill(first, signal.SIGKILL)

        async def is_back() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await asyncio.sleep(0.2)
        await until(is_back, 10)
        assert serving.mongod_pid() != first
        assert text_of(await reading) == TEXT
        assert (await client.get(f"/tickets/{ticket['id']}")).status_code == 200

        async def is_joined() -> bool:
            sessions = (await client.get("/chat/sessions")).json()
            return bool(sessions) and sessions[0]["message_count"] == 2

        await until(is_joined, 10)


@pytest.mark.alone
async def test_frozen_database_is_503_in_time_and_recovers(serving: Serving, fake: FakeModels) -> None:
    """Requests get 503 within 3.5 s, a running reply continues, and recovery takes at most 3 s.

    The reader has the whole text, but its ending comes only when it is saved: a server killed now would not have it.
    """
    fake.delay_ms, fake.chunk = 40, 2
    loop = asyncio.get_running_loop()
    async with serving.client() as client:
        await create_ticket(client)
        reader = await connect_timed(serving.port)
        reader.send(ask_request("Why?"))
        await asyncio.wait_for(reader.has_text, 5)
        os.kill(serving.mongod_pid(), signal.SIGSTOP)
        try:
            started = loop.time()
            answers = await asyncio.gather(
                client.get("/tickets"), client.post("/tickets", json=TICKET), client.get("/health/ready")
            )
            assert loop.time() - started <= 3.5
            for answer in answers:
                assert answer.status_code == 503
                assert answer.headers["Retry-After"]
                assert answer.headers["content-type"] == "application/problem+json"
            assert (await client.get("/health/live")).status_code == 200

            async def has_whole_text() -> bool:
                return reader.text_at(time.perf_counter()) == TEXT

            await until(has_whole_text)
            assert (await client.get("/tickets")).status_code == 503  # three seconds later
            assert b"message_complete" not in reader.data
        finally:
            os.kill(serving.mongod_pid(), signal.SIGCONT)
        started = loop.time()

        async def works() -> bool:
            return (await client.post("/tickets", json=TICKET)).status_code == 201

        await until(works, 4)
        assert loop.time() - started <= 3
        await asyncio.wait_for(reader.is_over, 5)
        assert reader.events()[-2]["status"] == "complete"


async def test_server_starts_beside_a_hanging_orphan(serving: Serving) -> None:
    """The server was killed while its mongod hung, so the mongod is still there and ends by force only."""
    mongod = serving.mongod_pid()
    os.kill(mongod, signal.SIGSTOP)
    await serving.end(signal.SIGKILL)
    assert is_alive(mongod)
    started_at = time.monotonic()
    starting = asyncio.create_task(serving.start())

    async def is_gone() -> bool:
        return not is_alive(mongod)

    await until(is_gone)
    assert time.monotonic() - started_at < STOP_SECONDS
    await starting
    async with serving.client() as client:
        await create_ticket(client)


async def test_transaction_of_a_killed_process_frees_its_document(shared: Serving) -> None:
    """It is what a server leaves that is killed while it saves a message: MongoDB would keep it for a minute."""
    url = mongodb_url(shared.data_dir)
    with pymongo.MongoClient[Any](url) as client:
        rooms = client["tutordesk"]["test_rooms"]
        rooms.insert_one({"_id": 1, "seq": 0})
        killed = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        assert killed.stdout
        assert await asyncio.to_thread(killed.stdout.readline) == "holding\n"
        killed.kill()
        killed.wait()
        killed.stdout.close()
        started_at = time.monotonic()
        await asyncio.to_thread(rooms.update_one, {"_id": 1}, {"$inc": {"seq": 1}})
        assert time.monotonic() - started_at < 30
        assert rooms.find_one() == {"_id": 1, "seq": 1}


HOLD = """
import sys, time, pymongo
client = pymongo.MongoClient(sys.argv[1])
session = client.start_session()
session.start_transaction()
client["tutordesk"]["test_rooms"].update_one({"_id": 1}, {"$inc": {"seq": 5}}, session=session)
print("holding", flush=True)
time.sleep(600)
"""


async def test_database_is_reachable_only_by_its_owner(shared: Serving) -> None:
    """It listens on a private socket only."""
    socket = socket_dir(shared.data_dir) / SOCKET_NAME
    assert socket.stat().st_mode & 0o077 == 0
    for folder in (shared.data_dir, shared.data_dir / "mongodb", socket.parent):
        assert folder.stat().st_mode & 0o077 == 0
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    inodes = {os.readlink(link) for link in Path(f"/proc/{shared.mongod_pid()}/fd").iterdir() if link.is_symlink()}
    listeners = {
        f"socket:[{row.split()[9]}]"
        for row in listening.splitlines()
        if len(row.split()) > 9 and row.split()[3] == "0A"
    }
    assert not inodes & listeners
    assert (await _run("mongodb-url", "--data-dir", str(shared.data_dir))).stdout.strip() == mongodb_url(
        shared.data_dir
    )
    with pymongo.MongoClient[Any](mongodb_url(shared.data_dir)) as client:
        hello = client.admin.command("hello", compression=["zlib", "snappy", "zstd"])
        assert not hello.get("compression")
        options = client.admin.command("getCmdLineOpts")["parsed"]
        assert options["security"]["javascriptEnabled"] is False


async def test_mongod_that_offers_compression_is_refused(tmp_path: Path) -> None:
    """A mongod that ignores the flag against CVE-2025-14847 is stopped again."""
    careless = tmp_path / "careless-mongod"
    careless.write_text(
        f'#!/bin/sh\nexec {find_mongod(None)} $(echo "$@" | sed "s/--networkMessageCompressors disabled//")\n'
    )
    careless.chmod(0o700)
    settings = {"TUTORDESK_MONGOD": str(careless)}
    refused = await _run("serve", "--port", str(free_port()), "--data-dir", str(tmp_path / "data"), **settings)
    assert refused.returncode == 2
    assert "offers wire compression" in refused.stderr
    assert not is_alive(int((tmp_path / "data" / "mongodb" / "mongod.lock").read_text() or "0") or -1)


async def test_keys_are_in_no_command_line_and_no_log(shared: Serving) -> None:
    """Other users of the machine can read command lines and some logs."""
    assert shared.process
    for pid in (shared.process.pid, shared.mongod_pid()):
        assert b"test-key-of-gemini" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert "test-key-of-gemini" not in (shared.data_dir / "mongod.log").read_text()


async def test_moved_folder_and_long_paths_work(tmp_path: Path) -> None:
    server = await Serving(tmp_path / "One With Größe").start()
    async with server.client() as client:
        ticket = await create_ticket(client)
        cookies = client.cookies
    await server.end()
    far = tmp_path / ("long" * 25) / "two"
    far.parent.mkdir()
    server.data_dir.rename(far)
    server.data_dir = far
    await server.start()
    async with server.client(cookies) as client:
        assert (await client.patch(f"/tickets/{ticket['id']}", json={"title": "Moved"})).status_code == 200
    await server.end()


async def test_seed_adds_the_samples(shared: Serving) -> None:
    seeded = await _run("seed", "--data-dir", str(shared.data_dir))
    assert seeded.stdout == "30 sample tickets added.\n"
    async with shared.client() as client:
        assert len((await client.get("/tickets")).json()) == 30


async def test_pending_summary_is_picked_up_at_the_next_start(serving: Serving, fake: FakeModels) -> None:
    """The mark `pending` survives a kill."""
    fake.script = "timeout"
    async with serving.client() as client:
        ticket = await create_ticket(client)
        assert ticket["summary_status"] == "pending"
    await serving.end(signal.SIGKILL)
    fake.script = "ok"
    await serving.start()
    async with serving.client() as client:

        async def is_ready() -> bool:
            return bool((await client.get(f"/tickets/{ticket['id']}")).json()["summary_status"] == "ready")

        await until(is_ready)
