"""`Visitor`, `Member`, `Admin`: who gets in, by request and by WebSocket, on an app that has one route of each."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket

from testing.serving import COOKIE
from tutordesk.ground.errors import NotSignedIn
from tutordesk.identity.access import Admin, Member, visitor_of
from tutordesk.identity.models import User


@pytest.fixture
def doors(mock: httpx.AsyncClient) -> httpx.AsyncClient:
    app: FastAPI = mock.app  # type: ignore[attr-defined]

    @app.get("/for-members")
    async def read_member(member: Member) -> list[str | None]:
        return [str(member.id), member.user.name, member.ip]

    @app.get("/for-admins")
    async def read_admin(admin: Admin) -> str:
        return str(admin.id)

    @app.websocket("/socket")
    async def talk(websocket: WebSocket) -> None:
        try:
            visitor = await visitor_of(websocket)
        except NotSignedIn:
            await websocket.close(4401)
            return
        await websocket.accept()
        await websocket.send_json([visitor.is_new, str(visitor.id)])

    return mock


class TestMember:
    async def test_anonymous_visitor_is_refused(self, doors: httpx.AsyncClient) -> None:
        answer = await doors.get("/for-members")
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tutordesk:problem:name-needed")
        assert answer.json()["detail"] == "Give yourself a name first; then you can join."

    async def test_nameless_account_is_refused(self, doors: httpx.AsyncClient) -> None:
        await doors.post("/me/account", json={"email": "ann@example.org", "password": "a long password"})
        assert (await doors.get("/for-members")).status_code == 403

    @pytest.mark.parametrize("role", ["member", "admin"])
    async def test_person_with_a_name_gets_in(self, doors: httpx.AsyncClient, role: str) -> None:
        me = (await doors.patch("/me", json={"name": "Ann"})).json()
        await User.find_all().update({"$set": {"role": role}})
        assert (await doors.get("/for-members")).json() == [me["id"], "Ann", "127.0.0.1"]

    async def test_disabled_user_is_refused(self, doors: httpx.AsyncClient) -> None:
        await doors.patch("/me", json={"name": "Ann"})
        await User.find_all().update({"$set": {"is_disabled": True}})
        assert (await doors.get("/for-members")).status_code == 401


class TestAdmin:
    async def test_anonymous_visitor_is_refused(self, doors: httpx.AsyncClient) -> None:
        answer = await doors.get("/for-admins")
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tutordesk:problem:forbidden")

    async def test_member_is_refused(self, doors: httpx.AsyncClient) -> None:
        await doors.patch("/me", json={"name": "Ann"})
        assert (await doors.get("/for-admins")).status_code == 403

    async def test_admin_gets_in(self, doors: httpx.AsyncClient) -> None:
        me = (await doors.patch("/me", json={"name": "Ann"})).json()
        await User.find_all().update({"$set": {"role": "admin"}})
        assert (await doors.get("/for-admins")).json() == me["id"]


async def test_socket_knows_its_visitor(doors: httpx.AsyncClient) -> None:
    me = (await doors.patch("/me", json={"name": "Ann"})).json()
    cookie = doors.cookies[COOKIE]
    assert await _opened(doors, f"{COOKIE}={cookie}") == [False, me["id"]]
    assert (await _opened(doors, ""))[0] is True
    assert await _opened(doors, f"{COOKIE}=nonsense") == 4401
    await doors.delete("/me/session")
    assert await _opened(doors, f"{COOKIE}={cookie}") == 4401


async def _opened(client: httpx.AsyncClient, cookie: str) -> Any:
    """Return the first event of a socket with this cookie, or the code that it is closed with."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1"), (b"cookie", cookie.encode())]
    where = {"path": "/socket", "raw_path": b"/socket", "query_string": b"", "scheme": "ws", "headers": headers}
    scope = {"type": "websocket", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "subprotocols": [], **where}
    await client.app(scope, receive, send)  # type: ignore[attr-defined]
    return json.loads(sent[1]["text"]) if sent[0]["type"] == "websocket.accept" else sent[0]["code"]
