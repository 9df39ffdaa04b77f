"""`/metrics` and `/status`: their figures, their readers, and the status page's self-test."""

import os
import re
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pymongo
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK

from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.serving import Live
from testing.steps import ask, create_ticket, events_of, start_asking, until
from tutordesk.ground.settings import Settings

ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}


async def metrics(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = re.findall(r"^(tutordesk\S+) (\S+)$", answer.text.replace(", ", ","), re.M)
    return {name: float(value) for name, value in lines}


async def test_requests_are_measured_by_their_template(visitor: httpx.AsyncClient) -> None:
    before = await metrics(visitor)
    name = 'tutordesk_request_seconds_count{method="GET",route="/tickets/{ticket_id}",status="%d"}'
    ticket = await create_ticket(visitor)
    for ticket_id in (ticket["id"], ticket["id"], "0" * 24):
        await visitor.get(f"/tickets/{ticket_id}")
    after = await metrics(visitor)
    assert after[name % 200] - before.get(name % 200, 0) == 2
    assert after[name % 404] - before.get(name % 404, 0) == 1
    assert not any(ticket["id"] in line for line in after)


async def test_answers_are_measured(visitor: httpx.AsyncClient, fake: FakeModels) -> None:
    before = await metrics(visitor)
    first = 'tutordesk_first_token_seconds_count{model="gemini:fake"}'
    complete, failed = 'tutordesk_replies_total{status="complete"}', 'tutordesk_replies_total{status="failed"}'
    wrong = 'tutordesk_model_errors_total{class="auth",model="gemini:fake"}'
    fake.script = "ok"
    await ask(visitor, "What is a proxy?")
    fake.script = "badkey"
    await ask(visitor, "And why?")
    after = await metrics(visitor)
    grown = {name: after[name] - before.get(name, 0) for name in (first, complete, failed, wrong)}
    assert grown == {first: 1, complete: 1, failed: 1, wrong: 1}
    assert after["tutordesk_running_replies"] == 0
    assert after["tutordesk_database_up"] == 1


async def test_open_streams_and_running_answers_are_counted(visitor: httpx.AsyncClient, fake: FakeModels) -> None:
    fake.script = "stall@1"
    start = await start_asking(visitor, "A slow one")
    address = f"/chat/replies/{start.data['id']}/stream"
    async with visitor.stream("GET", address), visitor.stream("GET", address):
        await until(counts(visitor, 2))
        assert (await visitor.get("/status")).json()["figures"]["running_replies"] == 1
    await until(counts(visitor, 0))


def counts(visitor: httpx.AsyncClient, streams: int) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return (await metrics(visitor))["tutordesk_open_streams"] == streams

    return is_so


async def test_figures_are_for_this_machine_admins_and_token_holders(live: Live, visitor: httpx.AsyncClient) -> None:
    """Everyone else sees only which parts work."""
    settings: Settings = live.app.state.settings
    token = "a-token-of-tests-0123456789"
    live.app.state.settings = settings.model_copy(update={"metrics_token": Settings(metrics_token=token).metrics_token})
    try:
        assert (await visitor.get("/metrics", headers=ELSEWHERE)).status_code == 404
        for wrong in ("", "Bearer", f"Bearer {token}x", token, "Bearer é"):
            headers = [(b"x-forwarded-for", b"203.0.113.9"), (b"authorization", wrong.encode())]
            assert (await visitor.get("/metrics", headers=headers)).status_code == 404
        right = ELSEWHERE | {"Authorization": f"Bearer {token}"}
        assert (await visitor.get("/metrics", headers=right)).status_code == 200
        seen = (await visitor.get("/status", headers=ELSEWHERE)).json()
        assert (seen["figures"], len(seen["parts"])) == (None, 4)
        await visitor.patch("/me", json={"name": "Ana"})
        await live.collection("users").update_one({"name": "Ana"}, {"$set": {"role": "admin"}})
        assert (await visitor.get("/metrics", headers=ELSEWHERE)).status_code == 200
        assert (await visitor.get("/status", headers=ELSEWHERE)).json()["figures"]["routes"]
    finally:
        live.app.state.settings = settings


async def test_status_names_the_parts_that_work(visitor: httpx.AsyncClient) -> None:
    seen = (await visitor.get("/status")).json()
    says = {part["name"]: (part["state"], part["says"]) for part in seen["parts"]}
    assert says["database"][0] == "ok"
    assert says["tutor"] == ("ok", "Answers come from gemini:fake.")
    assert says["change_log"] == ("off", "Off: only dumps can be restored.")
    assert says["disk"][0] == "off"
    assert seen["epoch"] == "0"


async def test_self_test_streams_and_echoes(live: Live, visitor: httpx.AsyncClient) -> None:
    times = []
    async with visitor.stream("GET", "/status/stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for event in events_of(stream):
            if event.event == "tick":
                times.append(time.monotonic())
    assert len(times) == 5
    assert times[-1] - times[0] > 0.6
    async with connect(f"{live.url.replace('http', 'ws')}/status/socket", origin=live.url) as socket:  # type: ignore[arg-type]
        for text in ("one", "two"):
            await socket.send(text)
            assert await socket.recv() == text
        await socket.send("x" * 1000)
        assert await socket.recv() == "x" * 200
        await socket.send(b"no text")
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()


async def test_unreachable_database_is_reported(visitor: httpx.AsyncClient, live: Live) -> None:
    away: pymongo.AsyncMongoClient[dict[str, object]] = pymongo.AsyncMongoClient(
        "mongodb://127.0.0.1:1", serverSelectionTimeoutMS=50
    )
    client = live.app.state.client
    live.app.state.client = away
    try:
        seen = (await visitor.get("/status")).json()
        assert seen["parts"][0]["state"] == "down"
        assert (await metrics(visitor))["tutordesk_database_up"] == 0
    finally:
        live.app.state.client = client
        await away.close()


async def test_metrics_of_workers_add_up_and_dead_ones_hold_nothing_open(tmp_path: Path, fake: FakeModels) -> None:
    server = await Serving(tmp_path / "data", "--workers", "2", OPENAI_BASE_URL=fake.openai_url, **ENVIRONMENT).start()
    opened: list[httpx.Response] = []
    clients = [server.client() for _ in range(8)]
    try:
        await until(has_two_workers(server))
        ready = 'tutordesk_request_seconds_count{method="GET",route="/health/ready",status="200"}'
        for _ in range(40):  # each by a connection of its own, so that both workers answer some
            async with server.client() as client:
                assert (await client.get("/health/ready")).status_code == 200
        async with server.client() as client:
            seen = await metrics(client)
            assert seen[ready] == 40
            assert seen["tutordesk_change_log_bytes"] > 0

            async def has_base() -> dict[str, dict[str, str]] | None:
                parts = {part["name"]: part for part in (await client.get("/status")).json()["parts"]}
                return parts if "Bases to restore from: 1, of 20" in parts["change_log"]["says"] else None

            parts = await until(has_base)
            assert (parts["change_log"]["state"], parts["disk"]["state"]) == ("ok", "ok")
        for client in clients:
            opened.append(await client.send(client.build_request("GET", "/tickets/events"), stream=True))
        async with server.client() as client:
            assert (await metrics(client))["tutordesk_open_streams"] == len(opened)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)

        async def holds_nothing() -> bool:
            try:
                async with server.client() as client:
                    return (await metrics(client))["tutordesk_open_streams"] == 0
            except httpx.HTTPError:
                return False

        await until(holds_nothing)
    finally:
        for answer in opened:
            await answer.aclose()
        for client in clients:
            await client.aclose()
        await server.end()


def has_two_workers(server: Serving) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return len(server.workers()) == 2

    return is_so
