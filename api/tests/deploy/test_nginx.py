"""D2: what browsers get through nginx is what the server gives, at once and with the right headers."""

import asyncio
import itertools
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.tests.conftest import JSON
from api.tests.deploy.proxies import Proxy, environment, prepared, running_nginx
from api.tests.fake_gemini import FakeModels
from api.tests.processes import GIVEN, Serving, free_port
from api.tests.rooms.people import Socket, open_socket, person
from api.tests.steps import TICKET, create_ticket, events_of, until

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
LONG = json.dumps({"message": "x" * 1_000_000})
PAUSE_SECONDS = 0.2


@pytest.fixture(scope="module")
async def server(
    mongod_url: str, fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Serving]:
    urls = {"MONGODB_URL": mongod_url.replace("/tutordesk?", "/behind_nginx?"), "GEMINI_BASE_URL": fake_server.url}
    given = {**GIVEN, **urls, "TUTORDESK_MAX_MESSAGES_PER_MINUTE_PER_IP": "3"}
    one = await Serving(tmp_path_factory.mktemp("behind_nginx"), **given).start()
    yield one
    await one.end()


@pytest.fixture(scope="module")
def plain(server: Serving) -> Iterator[Proxy]:
    with running_nginx(server.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def tls(server: Serving) -> Iterator[Proxy]:
    with running_nginx(server.port, is_tls=True) as proxy:
        yield proxy


@pytest.fixture(params=["plain", "tls"])
def proxy(request: pytest.FixtureRequest, plain: Proxy, tls: Proxy) -> Proxy:
    return tls if request.param == "tls" else plain


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


async def test_room_is_heard_both_ways(proxy: Proxy) -> None:
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


async def test_socket_from_another_site_is_refused(plain: Proxy, server: Serving) -> None:
    somebody = await person(plain.url, "Eve")
    room = await somebody.make_room()
    with pytest.raises(Exception, match="HTTP 403"):
        async with open_socket(plain.url, room, somebody.cookie, origin="https://evil.example"):
            pass
    await somebody.client.aclose()


async def test_pages_are_those_of_the_server(proxy: Proxy, server: Serving) -> None:
    """S-20: their policy above all; with TLS that it stays with TLS, too."""
    async with proxy.client() as client, server.client() as direct:
        for path in ("/", "/tickets", "/chat"):
            page, own = await client.get(path, headers=HTML), await direct.get(path, headers=HTML)
            assert page.text == own.text
            proxied = {name: value for name, value in page.headers.items() if name not in CHANGING}
            expected = {name: value for name, value in own.headers.items() if name not in CHANGING}
            assert proxied == expected
            assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
            assert page.headers.get("strict-transport-security") == ("max-age=31536000" if proxy.is_tls else None)
        assert (await client.get("/tickets")).headers["content-type"] == "application/json"


CHANGING = ("date", "x-request-id", "server", "connection", "strict-transport-security")


async def test_files_are_kept_for_ever_and_packed(proxy: Proxy, server: Serving) -> None:
    script = next(path.name for path in (proxy.folder / "client" / "assets").glob("*.js") if path.stat().st_size > 5000)
    async with proxy.client() as client, server.client() as direct:
        answer, own = await client.get(f"/assets/{script}"), await direct.get(f"/assets/{script}")
        assert answer.text == own.text
        assert answer.headers["content-encoding"] == "gzip"
        assert "javascript" in answer.headers["content-type"]
        for name in (
            "cache-control",
            *(header for header in own.headers if header.startswith(("cross-", "referrer", "x-c"))),
        ):
            assert answer.headers[name] == own.headers[name], name
        assert answer.headers.get("strict-transport-security") == ("max-age=31536000" if proxy.is_tls else None)
        for path in (
            "/assets/nothing.js",
            "/assets/../nginx.conf",
            "/assets/%2e%2e/%2e%2e/nginx.conf",
            "/.vite/manifest.json",
        ):
            assert (await client.get(path)).status_code in (400, 404), path


async def test_long_request_is_refused_as_the_server_does(plain: Proxy, server: Serving) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(LONG), 100_000):
            yield LONG[start : start + 100_000].encode()

    headers = {"Content-Type": "application/json"}
    async with plain.client() as client, server.client() as direct:
        own = await direct.post("/tickets", content=LONG, headers=headers)
        assert own.status_code == 413
        for content in (LONG, in_pieces()):
            refused = await client.post("/tickets", content=content, headers=headers)
            assert refused.status_code == 413
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json() == own.json()
        nearly = await client.post("/tickets", content=LONG[:999_000] + '"}', headers=headers)
        assert nearly.status_code == 422


async def test_visitor_claims_neither_address_nor_tls(plain: Proxy) -> None:
    """S-25: limits count by where a request comes from, and a cookie is Secure where it came by TLS."""
    statuses = []
    for number in range(5):
        claims = {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "https", "Forwarded": "for=1.2.3.4"}
        async with plain.client("127.0.2.1") as client:
            answer = await client.post("/chat/global/stream", json={"message": "Hello"}, headers=claims)
            statuses.append(answer.status_code)
            assert "__Host-" not in answer.headers.get("set-cookie", "")
            assert "strict-transport-security" not in answer.headers
    assert statuses == [200, 200, 200, 429, 429]
    async with plain.client("127.0.2.2") as other:
        assert (await other.post("/chat/global/stream", json={"message": "Hello"})).status_code == 200
        for claims in ({}, {"X-Forwarded-For": "127.0.0.1"}):
            for path in ("/docs", "/metrics"):
                assert (await other.get(path, headers=claims)).status_code in (403, 404), path
    async with plain.client("127.0.0.1") as here:
        for path in ("/docs", "/metrics"):
            assert (await here.get(path)).status_code == 200, path


async def test_cookie_is_host_bound_by_tls(tls: Proxy) -> None:
    async with tls.client() as client:
        answer = await client.post("/tickets", json=TICKET, headers={"X-Forwarded-Proto": "http", "Origin": tls.url})
        assert answer.status_code == 201
        assert answer.headers["set-cookie"].startswith("__Host-tutordesk=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.http_version == "HTTP/1.1"


async def test_plain_http_leads_to_tls(tls: Proxy) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{tls.plain_url}/tickets?q=a%20b")
        assert (answer.status_code, answer.headers["location"]) == (308, f"{tls.url}/tickets?q=a%20b")


async def test_only_the_proxy_that_is_named_is_believed(mongod_url: str, tmp_path: Path) -> None:
    """As in containers, where nginx has another address than the server: strangers on that network are not believed."""
    given = {**GIVEN, "TUTORDESK_MODEL": "offline", "TUTORDESK_TRUSTED_PROXIES": "127.0.3.0/30"}
    url = mongod_url.replace("/tutordesk?", "/behind_another?")
    server = await Serving(tmp_path / "data", **given, MONGODB_URL=url).start()
    claims = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    try:
        for address, is_believed in (("127.0.3.1", True), ("127.0.3.9", False), ("127.0.0.1", False)):
            transport = httpx.AsyncHTTPTransport(local_address=address)
            async with httpx.AsyncClient(base_url=server.url, headers=JSON, transport=transport) as client:
                answer = await client.post("/tickets", json=TICKET, headers=claims)
                assert answer.headers["set-cookie"].startswith("__Host-") == is_believed
                is_here = is_believed or address == "127.0.0.1"
                assert (await client.get("/docs", headers=claims)).status_code == (200 if is_here else 404)
    finally:
        await server.end()


class Names(asyncio.DatagramProtocol):
    """A name server that says the same address of every name, as the one of containers does of `api`."""

    address = "127.0.0.77"

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        end = data.index(b"\0", 12) + 5
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(self.address)
        self._transport.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:end] + answer, addr)


async def test_server_that_was_started_anew_is_found(server: Serving) -> None:
    """A container that is made again has another address."""
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
    resolver = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    given = {"API": f"api:{server.port}", "RESOLVER": resolver}
    with running_nginx(server.port, False, **given) as proxy:
        async with proxy.client() as client:
            assert (await client.get("/health/live")).status_code == 503
            names.address = "127.0.0.1"

            async def is_found() -> bool:
                return (await client.get("/health/live")).status_code == 200

            await until(is_found, seconds=20)
    transport.close()


async def test_without_a_server_files_are_there_and_the_rest_is_said(services: Any) -> None:
    with running_nginx(free_port()) as proxy:
        check = services["web"]["healthcheck"]["test"][-1].replace("http://127.0.0.1:8080", proxy.plain_url)
        async with proxy.client() as client:
            assert (await client.get(check)).status_code == 204
            script = next((proxy.folder / "client" / "assets").glob("*.js")).name
            assert (await client.get(f"/assets/{script}")).status_code == 200
            answer = await client.get("/tickets")
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert answer.json()["type"] == "urn:tutordesk:problem:unavailable"
            assert answer.headers["retry-after"] == "2"


def test_half_a_certificate_is_refused_with_a_sentence() -> None:
    with prepared(is_tls=True) as proxy:
        proxy.certificate.unlink()
        command = ["sh", str(proxy.folder / "start-nginx.sh")]
        ended = subprocess.run(command, env=environment(proxy, 9), capture_output=True, text=True, timeout=10)
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"start-nginx: {proxy.certificate} and ")
        assert ended.stderr.count("\n") == 1
