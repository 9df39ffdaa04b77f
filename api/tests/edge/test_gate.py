"""The gate and the headers it sends, on a live server and over raw sockets."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from testing.serving import COOKIE, Live
from testing.steps import TICKET, create_ticket, until
from tutordesk.edge.pages import POLICY
from tutordesk.tickets.models import Ticket

BODY = json.dumps(TICKET)
UNSAFE = [
    ("POST", "/tickets"),
    ("POST", "/tickets/samples"),
    ("PATCH", "/tickets/{id}"),
    ("DELETE", "/tickets/{id}"),
    ("POST", "/tickets/{id}/restore"),
    ("POST", "/tickets/{id}/summary"),
    ("POST", "/chat/global/stream"),
    ("POST", "/chat/ticket/{id}/stream"),
    ("POST", "/chat/replies/{id}/stop"),
]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None, "application/jsonx"],
)
async def test_only_json_is_read(live: Live, visitor: httpx.AsyncClient, kind: str | None) -> None:
    """A form or plain text could come from another site without a preflight."""
    headers = {"Content-Type": kind} if kind else {}
    answer = await visitor.post("/tickets", content=BODY, headers=headers)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert await Ticket.count() == 0


async def test_head_is_a_get_without_its_body(live: Live, visitor: httpx.AsyncClient) -> None:
    """On every route that has a GET, and on pages and files. Streams end after their headers."""
    ticket = await create_ticket(visitor)

    async def is_summarised() -> bool:
        return bool((await visitor.get(f"/tickets/{ticket['id']}")).json()["summary_status"] == "ready")

    await until(is_summarised)
    described: dict[str, dict[str, Any]] = live.app.openapi()["paths"]
    paths = [
        path.replace("{ticket_id}", ticket["id"]).replace("{", "").replace("}", "")
        for path, operations in described.items()
        if "get" in operations
    ]
    assert {"/tickets", "/tickets/events", "/health/live", "/health/ready", f"/tickets/{ticket['id']}"} <= set(paths)
    for path in [*paths, "/docs", "/openapi.json", "/favicon.svg", "/nowhere"]:
        for accept in ("application/json", "text/html"):
            headers = {"Accept": accept}
            head = await asyncio.wait_for(visitor.head(path, headers=headers), 10)
            async with visitor.stream("GET", path, headers=headers) as get:
                assert head.status_code == get.status_code, path
                assert head.content == b""
                assert head.headers["content-type"] == get.headers["content-type"], path
                assert set(head.headers) >= {"x-request-id", "x-content-type-options"}
                if "content-length" in get.headers and path not in ("/metrics", "/status"):
                    assert head.headers["content-length"] == get.headers["content-length"], path


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "text/plain", "application/x-www-form-urlencoded"])
async def test_call_without_a_body_needs_no_content_type(
    live: Live, visitor: httpx.AsyncClient, kind: str | None
) -> None:
    """As aiohttp, requests and curl send it. The list comes from the API's description, so it holds new calls, too."""
    await create_ticket(visitor)
    paths: dict[str, dict[str, Any]] = live.app.openapi()["paths"]
    calls = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in ("post", "put", "patch", "delete") and "requestBody" not in operation
    ]
    assert {("POST", "/chat/replies/reply_id/stop"), ("POST", "/rooms/room_id/join")} <= set(calls)
    headers = {"Content-Type": kind} if kind else {}
    for method, path in calls:
        answer = await visitor.request(method, path, headers=headers)
        assert answer.status_code != 415, (method, path)
        other = await visitor.request(method, path, headers={**headers, "Sec-Fetch-Site": "cross-site"})
        assert other.status_code == 403, (method, path)


@pytest.mark.parametrize(("method", "path"), UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "{site}"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "{site}.evil.example"},
        {"Origin": "{other_port}"},
    ],
)
async def test_other_sites_change_nothing(
    live: Live, visitor: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    """Sec-Fetch-Site or Origin names the other site."""
    ticket = await create_ticket(visitor)
    sent = {name: value.format(site=live.url, other_port="http://127.0.0.1:1") for name, value in headers.items()}
    answer = await visitor.request(method, path.format(id=ticket["id"]), json={"title": "x"}, headers=sent)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:tutordesk:problem:other-site"
    assert "Sec-Fetch-Site" in answer.headers["vary"]
    assert await Ticket.count() == 1
    assert (await visitor.get(f"/tickets/{ticket['id']}")).json()["title"] == TICKET["title"]


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "{site}"}]
)
async def test_own_site_is_accepted(live: Live, visitor: httpx.AsyncClient, headers: dict[str, str]) -> None:
    sent = {name: value.format(site=live.url) for name, value in headers.items()}
    assert (await visitor.post("/tickets", json=TICKET, headers=sent)).status_code == 201


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "{site}.evil.example", "https://127.0.0.1", None],
)
async def test_sockets_of_other_sites_are_refused_before_accept(live: Live, origin: str | None) -> None:
    """The gate is in front of every WebSocket, whatever its address."""
    head = "GET /rooms/x/socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    head += f"Cookie: {COOKIE}=x\r\n"
    head = head.format(host=live.url.removeprefix("http://"))
    head += f"Origin: {origin.format(site=live.url)}\r\n" if origin else ""
    answer = await _raw(live, head.encode() + b"\r\n", 1)
    assert answer.split(b" ", 2)[1] == b"403"


@pytest.mark.parametrize("method", ["GET", "TRACE", "PUT", "HEAD"])
async def test_wrong_methods_do_nothing(live: Live, visitor: httpx.AsyncClient, method: str) -> None:
    """Only the methods that a route names reach it."""
    ticket = await create_ticket(visitor)
    for _, path in UNSAFE[3:]:
        if path != "/tickets/{id}" or method not in ("GET", "HEAD"):
            answer = await visitor.request(method, path.format(id=ticket["id"]))
            assert answer.status_code == 405, path
    override = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    await visitor.get(f"/tickets/{ticket['id']}", headers=override)
    assert (await visitor.get(f"/tickets/{ticket['id']}")).status_code == 200


async def test_cookie_is_sent_once_by_the_first_write(live: Live, visitor: httpx.AsyncClient) -> None:
    """Reading creates no visitor."""
    for path in ("/tickets", "/me", "/chat/sessions", "/tickets/facets"):
        assert "set-cookie" not in (await visitor.get(path)).headers
    assert await live.collection("users").count_documents({}) == 0
    answer = await visitor.post("/tickets", json=TICKET)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Secure" not in cookie
    assert len(cookie) < 4096
    assert "set-cookie" not in (await visitor.post("/tickets", json=TICKET)).headers
    assert await live.collection("users").count_documents({}) == 1
    assert (await visitor.get("/me")).json()["id"] == answer.json()["author_id"]


async def test_cookie_is_host_bound_behind_tls(live: Live, visitor: httpx.AsyncClient) -> None:
    """A proxy on this machine says that the request came by TLS."""
    answer = await visitor.post("/tickets", json=TICKET, headers={"X-Forwarded-Proto": "https"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "strict-transport-security" in answer.headers


async def test_page_and_api_share_addresses(live: Live, visitor: httpx.AsyncClient) -> None:
    """A GET that accepts text/html is a navigation; anything else gets the API."""
    ticket = await create_ticket(visitor)
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/", "/tickets", "/tickets/new", f"/tickets/{ticket['id']}", "/chat", "/chat/sessions", "/nonsense"):
        page = await visitor.get(path, headers=html)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["content-security-policy"] == POLICY
    for accept in ("application/json", "*/*"):
        answer = await visitor.get("/tickets", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert "Accept" in answer.headers["vary"]


async def test_policy_allows_nothing_inline(live: Live, visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/tickets", headers={"Accept": "text/html"})
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert policy[name] == "'none'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert page.headers["cross-origin-resource-policy"] == "same-origin"
    assert "<style" not in page.text
    assert "onload=" not in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/../pyproject.toml",
        "/assets/../../pyproject.toml",
        "/assets/%2e%2e/%2e%2e/package.json",
        "/assets/%00.js",
        "/.env",
        "/index.html.map",
        "/assets",
        "/assets/",
        "//etc/passwd",
    ],
)
async def test_paths_outside_the_client_are_404(live: Live, visitor: httpx.AsyncClient, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(live.url.rsplit(":", 1)[1]))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    status = await reader.readline()
    writer.close()
    assert status.split()[1] == b"404"


async def test_no_source_maps_are_built() -> None:
    dist = Path(__file__).parents[2] / "tutordesk" / "web"
    assert (dist / "index.html").exists()
    assert not list(dist.rglob("*.map"))


async def test_description_is_for_this_machine_only(live: Live, visitor: httpx.AsyncClient) -> None:
    for path in ("/openapi.json", "/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/metrics"):
        assert (await visitor.get(path)).status_code == 200
        assert (await visitor.get(path, headers={"X-Forwarded-For": "203.0.113.9"})).status_code == 404


async def test_reference_serves_no_other_file(visitor: httpx.AsyncClient) -> None:
    for name in ("redoc.standalone.js", "..%2Fcore.py", "core.py"):
        assert (await visitor.get(f"/docs/{name}")).status_code == 404


async def test_private_answers_are_never_kept(live: Live, visitor: httpx.AsyncClient) -> None:
    """Neither browsers nor proxies may store what belongs to one person."""
    await create_ticket(visitor)
    for path in ("/me", "/chat/sessions", "/tickets", "/nonsense"):
        assert (await visitor.get(path)).headers["cache-control"] == "no-store"


async def _raw(live: Live, data: bytes, seconds: float = 5) -> bytes:
    """Send bytes as they are; what came back before the connection was closed or `seconds` were over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(live.url.rsplit(":", 1)[1]))
    writer.write(data)
    answer = b""
    try:
        async with asyncio.timeout(seconds):
            while part := await reader.read(65_536):
                answer += part
    except (TimeoutError, ConnectionResetError):
        pass
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("request_head", "statuses"),
    [
        (b"GET /tickets HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n", (b"400", b"431")),
        (b"GET /tickets HTTP/1.1\r\nHost: x\r\n" + b"X-Many: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 3_000, (b"400", b"431")),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (b"400", b"414", b"431")),
        (b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", (b"400",)),
        (b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", (b"400",)),
        (b"GET /tickets\0 HTTP/1.1\r\nHost: x\r\n\r\n", (b"400", b"404")),
        (b"GET /tickets/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (b"404",)),
        (b"GET /tickets HTTP/1.0\r\n\r\n", (b"200",)),
        (b"\x16\x03\x01\x02\x00\x01\x00", (b"400",)),
        (b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n", (b"413",)),
    ],
)
async def test_hostile_requests_are_refused(live: Live, request_head: bytes, statuses: tuple[bytes, ...]) -> None:
    answer = await _raw(live, request_head)
    assert answer.split(b" ", 2)[1] in statuses, answer[:100]
    async with live.visitor() as client:
        assert (await client.get("/health/live")).status_code == 200


async def test_large_bodies_are_refused_before_they_are_read(live: Live, visitor: httpx.AsyncClient) -> None:
    """The answer is 413 after at most 1 MB, with and without a length."""
    sent = 0

    async def endless() -> "asyncio.AsyncIterator[bytes]":  # type: ignore[name-defined]
        nonlocal sent
        for _ in range(1_600):
            sent += 65_536
            yield b"[" * 65_536

    headers = {"Content-Type": "application/json"}
    try:
        answer = await visitor.post("/tickets", content=endless(), headers=headers)
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server answered and closed while we were still sending
    assert sent < 20_000_000
    for size in (1_000_001, 5_000_000, 9_000_000):  # the answer arrives, though what was sent is not read
        answer = await visitor.post("/tickets", content=b"x" * size, headers=headers)
        assert answer.status_code == 413


async def test_refusal_of_a_body_that_was_read_ends_at_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is still on its way is waited for."""
    monkeypatch.setattr("tutordesk.edge.gate.MAX_DRAIN_SECONDS", 60.0)
    head = b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(live.url.rsplit(":", 1)[1]))
    writer.write(head)
    async with asyncio.timeout(20):
        answer = await reader.read()  # until the server closes
    writer.close()
    assert answer.split(b" ", 2)[1] == b"415"


@pytest.mark.parametrize(
    "body", [b"[" * 900_000, b'{"a":' * 100_000, b"{", b"", b"nul", b"\xff\xfe", b'"' + b"x" * 900_000]
)
async def test_unreadable_json_is_refused(live: Live, visitor: httpx.AsyncClient, body: bytes) -> None:
    answer = await visitor.post("/tickets", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_slow_headers_and_bodies_are_given_up(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends a byte now and then is cut off."""
    monkeypatch.setattr("tutordesk.serving.server.HEADER_SECONDS", 0.2)
    monkeypatch.setattr("tutordesk.edge.gate.BODY_SECONDS", 0.2)
    assert await _raw(live, b"GET /tickets HTTP/1.1\r\nHost: x\r\nX-Slow: ", 2) == b""
    assert await _raw(live, b"", 2) == b""
    head = b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    assert b" 408 " in await _raw(live, head, 2)


async def test_errors_carry_an_id_and_no_inside(
    live: Live, visitor: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen failure is a problem document that shows nothing of the inside."""
    app = live.app
    facets, app.state.facets = app.state.facets, None
    try:
        answer = await visitor.get("/tickets/facets")
    finally:
        app.state.facets = facets
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert "NoneType" not in answer.text
    assert "Traceback" not in answer.text
    assert "NoneType" in caplog.text
