"""nginx at its limits: requests it refuses, addresses it believes, and its answers while the server is away."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from testing.deploy.proxies import Proxy, environment, prepared, running_nginx
from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving, free_port
from testing.serving import JSON
from testing.steps import TICKET, until

LONG = json.dumps({"message": "x" * 1_000_000})


async def test_long_request_is_refused_as_the_server_does(plain: Proxy, served: Serving) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(LONG), 100_000):
            yield LONG[start : start + 100_000].encode()

    headers = {"Content-Type": "application/json"}
    async with plain.client() as client, served.client() as direct:
        expected = await direct.post("/tickets", content=LONG, headers=headers)
        assert expected.status_code == 413
        for content in (LONG, in_pieces()):
            refused = await client.post("/tickets", content=content, headers=headers)
            assert refused.status_code == 413
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json() == expected.json()
        nearly = await client.post("/tickets", content=LONG[:999_000] + '"}', headers=headers)
        assert nearly.status_code == 422


async def test_visitor_claims_neither_address_nor_tls(plain: Proxy, fake: FakeModels) -> None:
    """Limits count by the address that a request comes from, and a cookie that came by TLS is Secure."""
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
        assert answer.headers["set-cookie"].startswith("__Host-tutordesk_")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.http_version == "HTTP/1.1"


async def test_plain_http_leads_to_tls(tls: Proxy) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{tls.plain_url}/tickets?q=a%20b")
        assert (answer.status_code, answer.headers["location"]) == (308, f"{tls.url}/tickets?q=a%20b")


async def test_only_the_proxy_that_is_named_is_believed(mongod_url: str, tmp_path: Path) -> None:
    """As in containers, where nginx has another address than the server: strangers on that network are not believed."""
    settings = {**ENVIRONMENT, "TUTORDESK_MODEL": "offline", "TUTORDESK_TRUSTED_PROXIES": "127.0.3.0/30"}
    url = mongod_url.replace("/tutordesk?", "/behind_another?")
    server = await Serving(tmp_path / "data", **settings, MONGODB_URL=url).start()
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


async def test_restarted_server_is_found(served: Serving) -> None:
    """A container that is made again has another address."""
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
    resolver = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    variables = {"API": f"api:{served.port}", "RESOLVER": resolver}
    with running_nginx(served.port, False, **variables) as proxy:
        async with proxy.client() as client:
            assert (await client.get("/health/live")).status_code == 503
            names.address = "127.0.0.1"

            async def is_found() -> bool:
                return (await client.get("/health/live")).status_code == 200

            await until(is_found, seconds=20)
    transport.close()


async def test_without_a_server_files_are_served_and_the_rest_is_503(services: Any) -> None:
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
