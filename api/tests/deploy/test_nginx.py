"""Browsers get from nginx what the server sends, at once and with the right headers."""

import asyncio
import itertools
import subprocess
import time
from typing import Any

import httpx
import pytest

from testing.deploy.proxies import Proxy
from testing.fake_gemini import FakeModels
from testing.processes import Serving
from testing.rooms.people import Socket, open_socket, person
from testing.steps import create_ticket, events_of

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAUSE_SECONDS = 0.2


def slow_model(fake: FakeModels) -> None:
    fake.text, fake.chunk, fake.delay_ms = "One two three four five six. " * 4, 12, PAUSE_SECONDS * 1000


def assert_spread(arrivals: list[float]) -> None:
    """Ten pieces that are written a fifth of a second apart do not come together."""
    assert len(arrivals) >= 8
    pauses = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len([pause for pause in pauses if pause > PAUSE_SECONDS / 4]) >= 6, pauses
    assert arrivals[-1] - arrivals[0] > 5 * PAUSE_SECONDS, arrivals


async def test_answer_arrives_as_it_is_written(proxy: Proxy, fake: FakeModels) -> None:
    slow_model(fake)
    arrivals = []
    async with (
        proxy.client("127.0.1.1") as client,
        client.stream("POST", "/chat/global/stream", json={"message": "Hello"}) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in response.headers
        async for event in events_of(response):
            arrivals += [time.monotonic()] if event.event == "message_delta" else []
            assert event.event != "error", event
    assert event.event == "done"
    assert_spread(arrivals)


async def test_answer_streams_by_http_2(tls: Proxy, fake: FakeModels) -> None:
    slow_model(fake)
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--no-buffer", "--http2", "--cacert", str(tls.certificate), "--interface", "127.0.1.3"),
        *("--header", "Content-Type: application/json", "--data", '{"message": "Hello"}'),
        *("--write-out", "HTTP/%{http_version} %{response_code}", f"{tls.url}/chat/global/stream"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    arrivals, line = [], b""
    async for line in process.stdout:
        if line.startswith(b"event: message_delta"):
            arrivals.append(time.monotonic())
    await process.wait()
    assert line == b"HTTP/2 200"
    assert_spread(arrivals)


async def test_silent_stream_lives_on(plain: Proxy) -> None:
    """Nothing happens for longer than a heartbeat, and then something does."""
    async with (
        plain.client() as client,
        client.stream("GET", "/tickets/events", headers={"Accept": "text/event-stream"}) as response,
    ):
        started = time.monotonic()
        lines, line = response.aiter_lines(), ""
        async with asyncio.timeout(40):
            while time.monotonic() - started < 14 or not line.startswith(":"):
                line = await anext(lines)
            ticket = await create_ticket(client)
            while ticket["id"] not in line:
                line = await anext(lines)


async def test_room_works_in_both_directions(proxy: Proxy) -> None:
    async with proxy.client() as ada, proxy.client() as bob:
        for client, name in ((ada, "Ada"), (bob, "Bob")):
            assert (await client.patch("/me", json={"name": name})).status_code == 200
        room = (await ada.post("/rooms", json={"name": "Networks"})).json()["id"]
        assert (await bob.post(f"/rooms/{room}/join", json={})).status_code == 200
        trust: dict[str, Any] = {"ssl": proxy.trust()} if proxy.is_tls else {}
        opened = [open_socket(proxy.url, room, cookies_of(client), **trust) for client in (ada, bob)]
        async with opened[0] as one, opened[1] as other:
            speaking, hearing = Socket(one), Socket(other)
            await speaking.say("Through the proxy", "first")
            heard = await hearing.wait("message_posted")
            assert heard["message"]["content"] == "Through the proxy"
            await hearing.say("And back", "second")
            if proxy.is_tls:
                await asyncio.sleep(9)  # two pings of the server, which nginx passes on and the client answers
            await speaking.say("Still there", "third")


def cookies_of(client: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def test_socket_from_another_site_is_refused(plain: Proxy, served: Serving) -> None:
    somebody = await person(plain.url, "Eve")
    room = await somebody.make_room()
    with pytest.raises(Exception, match="HTTP 403"):
        async with open_socket(plain.url, room, somebody.cookie, origin="https://evil.example"):
            pass
    await somebody.client.aclose()


async def test_pages_are_those_of_the_server(proxy: Proxy, served: Serving) -> None:
    """Pages keep their security policy. With TLS they also say that browsers must stay with TLS."""
    async with proxy.client() as client, served.client() as direct:
        for path in ("/", "/tickets", "/chat"):
            page, expected_answer = await client.get(path, headers=HTML), await direct.get(path, headers=HTML)
            assert page.text == expected_answer.text
            proxied = {name: value for name, value in page.headers.items() if name not in CHANGING}
            expected = {name: value for name, value in expected_answer.headers.items() if name not in CHANGING}
            assert proxied == expected
            assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
            assert page.headers.get("strict-transport-security") == ("max-age=31536000" if proxy.is_tls else None)
        assert (await client.get("/tickets")).headers["content-type"] == "application/json"


CHANGING = ("date", "x-request-id", "server", "connection", "strict-transport-security")


async def test_files_are_kept_for_ever_and_packed(proxy: Proxy, served: Serving) -> None:
    script = next(path.name for path in (proxy.folder / "client" / "assets").glob("*.js") if path.stat().st_size > 5000)
    async with proxy.client() as client, served.client() as direct:
        answer, expected_answer = await client.get(f"/assets/{script}"), await direct.get(f"/assets/{script}")
        assert answer.text == expected_answer.text
        assert answer.headers["content-encoding"] == "gzip"
        assert "javascript" in answer.headers["content-type"]
        for name in (
            "cache-control",
            *(header for header in expected_answer.headers if header.startswith(("cross-", "referrer", "x-c"))),
        ):
            assert answer.headers[name] == expected_answer.headers[name], name
        assert answer.headers.get("strict-transport-security") == ("max-age=31536000" if proxy.is_tls else None)
        for path in (
            "/assets/nothing.js",
            "/assets/../nginx.conf",
            "/assets/%2e%2e/%2e%2e/nginx.conf",
            "/.vite/manifest.json",
        ):
            assert (await client.get(path)).status_code in (400, 404), path
