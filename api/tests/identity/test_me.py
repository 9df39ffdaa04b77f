"""A name, an account, signing in and signing out, by HTTP on mongomock."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from testing.serving import COOKIE
from testing.steps import create_ticket
from tutordesk.identity.accounts import DUMMY_HASH, HASHER
from tutordesk.identity.limits import network_of
from tutordesk.identity.models import User

ANN = {"email": "ann@example.org", "password": "a long enough password"}
WRONG = {**ANN, "password": "another long password"}


def _app(client: httpx.AsyncClient) -> FastAPI:
    app: FastAPI = client.app  # type: ignore[attr-defined]
    return app


def browser(of: httpx.AsyncClient, ip: str = "127.0.0.1", **cookies: str) -> httpx.AsyncClient:
    """Another browser of the same app, at an address of its own."""
    transport = httpx.ASGITransport(app=_app(of), client=(ip, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=of.headers, cookies=cookies)


async def _create_account(client: httpx.AsyncClient, **change: Any) -> dict[str, Any]:
    answer = await client.post("/me/account", json={**ANN, **change})
    assert answer.status_code == 200, answer.text
    me: dict[str, Any] = answer.json()
    return me


async def _users() -> int:
    return await User.find_all().count()


class TestReadMe:
    async def test_anonymous_visitor_reads_an_empty_profile(self, mock: httpx.AsyncClient) -> None:
        answer = await mock.get("/me")
        assert answer.json() == {"id": None, "name": None, "email": None, "role": "visitor", "model": "offline"}
        assert "set-cookie" not in answer.headers
        assert await _users() == 0

    async def test_user_of_an_older_version_is_read(self, mock: httpx.AsyncClient) -> None:
        author = (await create_ticket(mock))["author_id"]
        fields = {"name_key": "", "email": "", "password_hash": "", "is_disabled": ""}
        await User.get_motor_collection().update_one({}, {"$unset": fields, "$set": {"name": None}})
        me = (await mock.get("/me")).json()
        assert (me["id"], me["name"], me["email"], me["role"]) == (author, None, None, "visitor")


class TestUpdateMe:
    async def test_stranger_becomes_a_member_by_a_name(self, mock: httpx.AsyncClient) -> None:
        me = (await mock.patch("/me", json={"name": "Ann"})).json()
        assert (me["name"], me["role"]) == ("Ann", "member")
        assert (await mock.get("/me")).json() == me

    async def test_visitor_keeps_what_it_wrote(self, mock: httpx.AsyncClient) -> None:
        ticket = await create_ticket(mock)
        me = (await mock.patch("/me", json={"name": "Ann"})).json()
        assert me["id"] == ticket["author_id"]
        assert (await mock.patch(f"/tickets/{ticket['id']}", json={"title": "Still mine"})).status_code == 200

    async def test_admin_stays_one(self, mock: httpx.AsyncClient) -> None:
        await mock.patch("/me", json={"name": "Ann"})
        await User.find_all().update({"$set": {"role": "admin"}})
        assert (await mock.patch("/me", json={"name": "Ann Lee"})).json()["role"] == "admin"

    async def test_lost_user_is_created_again(self, mock: httpx.AsyncClient) -> None:
        first = (await mock.patch("/me", json={"name": "Ann"})).json()
        await User.find_all().delete()
        assert (await mock.patch("/me", json={"name": "Ann"})).json() == first

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "Ann", "role": "admin"},
            {"name": "Ann", "id": "0123456789abcdef01234567"},
            {"name": "Ann", "is_disabled": False},
            {"name": {"$ne": None}},
            {"name": ["Ann"]},
            {"name": 7},
            {"name": None},
            {},
            [],
        ],
    )
    async def test_nothing_but_a_name_is_taken(self, mock: httpx.AsyncClient, body: Any) -> None:
        """A body with any other field is refused."""
        assert (await mock.patch("/me", json=body)).status_code == 422
        assert await _users() == 0


class TestCreateAccount:
    async def test_visitor_creates_an_account(self, mock: httpx.AsyncClient) -> None:
        me = await _create_account(mock)
        assert (me["email"], me["name"], me["role"]) == (ANN["email"], None, "visitor")
        assert (await mock.get("/me")).json() == me

    async def test_account_belongs_to_the_user_who_asks(self, mock: httpx.AsyncClient) -> None:
        named = (await mock.patch("/me", json={"name": "Ann"})).json()
        account = await _create_account(mock, email="Ann@Example.ORG")
        assert account == {**named, "email": "ann@example.org"}
        user = await User.find_one()
        assert user
        assert user.password_hash
        assert user.password_hash.startswith("$argon2id$")
        assert user.password_hash not in repr(user)

    async def test_earlier_cookie_ends(self, mock: httpx.AsyncClient) -> None:
        """Someone who planted a cookie in a browser does not get the account that is created in it."""
        await mock.patch("/me", json={"name": "Ann"})
        planted = mock.cookies[COOKIE]
        await _create_account(mock)
        assert mock.cookies[COOKIE] != planted
        async with browser(mock, **{COOKIE: planted}) as other:
            assert (await other.get("/me")).status_code == 401
        assert (await mock.get("/me")).status_code == 200

    async def test_address_of_another_is_409(self, mock: httpx.AsyncClient) -> None:
        await _create_account(mock)
        async with browser(mock) as other:
            answer = await other.post("/me/account", json={**ANN, "email": "ANN@example.org"})
            assert answer.status_code == 409
            assert (await other.get("/me")).json()["email"] is None

    async def test_change_needs_the_current_password(self, mock: httpx.AsyncClient) -> None:
        await _create_account(mock)
        missing = await mock.post("/me/account", json=WRONG)
        assert missing.status_code == 422
        assert missing.json()["errors"][0]["field"] == "current_password"
        wrong = await mock.post("/me/account", json={**WRONG, "current_password": "a guess"})
        assert (wrong.status_code, wrong.json()["type"]) == (401, "urn:tutordesk:problem:wrong-credentials")
        assert "set-cookie" not in wrong.headers

    async def test_changed_password_ends_the_other_sign_ins(self, mock: httpx.AsyncClient) -> None:
        await _create_account(mock)
        async with browser(mock) as phone:
            await phone.post("/me/session", json=ANN)
            assert (await phone.get("/me")).json()["email"] == ANN["email"]
            await _create_account(mock, password=WRONG["password"], current_password=ANN["password"])
            assert (await phone.get("/me")).status_code == 401
            assert (await phone.post("/me/session", json=ANN)).status_code == 401
            assert (await phone.post("/me/session", json=WRONG)).status_code == 200
        assert (await mock.get("/me")).status_code == 200

    async def test_guesses_of_the_current_password_are_counted(self, mock: httpx.AsyncClient) -> None:
        """A stolen cookie is no way around the limit."""
        await _create_account(mock)
        guess = {**ANN, "current_password": "a guess"}
        answers = [(await mock.post("/me/account", json=guess)).status_code for _ in range(6)]
        assert answers == [401] * 5 + [429]

    @pytest.mark.parametrize(
        "change",
        [
            {"password": "short"},
            {"password": "x" * 201},
            {"password": "ann@example.org"},
            {"password": {"$gt": ""}},
            {"email": "ann"},
            {"email": "ann@example.org, bob@example.org"},
            {"email": {"$gt": ""}},
            {"email": "a" * 300 + "@example.org"},
            {"role": "admin"},
            {"name": "Ann"},
        ],
    )
    async def test_unusable_account_is_refused(self, mock: httpx.AsyncClient, change: Any) -> None:
        answer = await mock.post("/me/account", json={**ANN, **change})
        assert answer.status_code == 422
        assert ANN["password"] not in answer.text
        assert await _users() == 0


class TestCreateSession:
    async def test_stranger_signs_in(self, mock: httpx.AsyncClient) -> None:
        me = await _create_account(mock)
        async with browser(mock) as phone:
            assert (await phone.post("/me/session", json={**ANN, "email": "ANN@example.org"})).json() == me
            assert (await phone.get("/me")).json() == me
        assert (await mock.get("/me")).json() == me

    async def test_earlier_cookie_ends(self, mock: httpx.AsyncClient) -> None:
        me = await _create_account(mock)
        async with browser(mock) as phone:
            await phone.patch("/me", json={"name": "Somebody"})
            before = phone.cookies[COOKIE]
            assert (await phone.post("/me/session", json=ANN)).json()["id"] == me["id"]
            assert phone.cookies[COOKIE] != before
            async with browser(mock, **{COOKIE: before}) as other:
                assert (await other.get("/me")).status_code == 401

    async def test_unknown_address_and_wrong_password_are_the_same(self, mock: httpx.AsyncClient) -> None:
        """Both take the same time: for an unknown address a hash is computed too."""
        await _create_account(mock)
        async with browser(mock) as phone:
            wrong = await phone.post("/me/session", json=WRONG)
            unknown = await phone.post("/me/session", json={**ANN, "email": "bob@example.org"})
            assert wrong.status_code == unknown.status_code == 401
            assert wrong.json() == unknown.json()
            assert wrong.json()["type"] == "urn:tutordesk:problem:wrong-credentials"
            assert "set-cookie" not in wrong.headers
        assert not HASHER.check_needs_rehash(DUMMY_HASH)

    async def test_sixth_try_is_429_but_nobody_else_is_locked_out(self, mock: httpx.AsyncClient) -> None:
        await _create_account(mock)
        async with browser(mock, "192.0.2.1") as thief, browser(mock, "192.0.2.2") as ann:
            tries = [await thief.post("/me/session", json=WRONG) for _ in range(6)]
            assert [answer.status_code for answer in tries] == [401] * 5 + [429]
            assert 890 <= int(tries[5].headers["retry-after"]) <= 900
            assert (await thief.post("/me/session", json=ANN)).status_code == 429
            assert (await ann.post("/me/session", json=ANN)).status_code == 200

    async def test_unknown_address_is_limited_alike(self, mock: httpx.AsyncClient) -> None:
        """The limit does not tell whether an address has an account."""
        answers = [(await mock.post("/me/session", json=WRONG)).status_code for _ in range(6)]
        assert answers == [401] * 5 + [429]

    async def test_success_forgets_the_failures(self, mock: httpx.AsyncClient) -> None:
        await _create_account(mock)
        for _ in range(2):
            answers = [(await mock.post("/me/session", json=WRONG)).status_code for _ in range(4)]
            assert answers == [401] * 4
            assert (await mock.post("/me/session", json=ANN)).status_code == 200

    async def test_one_network_has_fifty_failures(self, mock: httpx.AsyncClient) -> None:
        """One network may try many addresses, but only fifty times."""
        async with browser(mock, "2001:db8::1") as thief:
            for number in range(50):
                tried = {**ANN, "email": f"p{number}@example.org"}
                assert (await thief.post("/me/session", json=tried)).status_code == 401
        async with browser(mock, "2001:db8::ffff") as thief:
            assert (await thief.post("/me/session", json=ANN)).status_code == 429
        assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
        assert network_of("192.0.2.1") != network_of("192.0.2.2")

    @pytest.mark.parametrize(
        "body",
        [{}, {"email": ANN["email"]}, {**ANN, "role": "admin"}, {**ANN, "password": {"$ne": ""}}, {**ANN, "email": 1}],
    )
    async def test_malformed_sign_in_is_422(self, mock: httpx.AsyncClient, body: Any) -> None:
        assert (await mock.post("/me/session", json=body)).status_code == 422


class TestDeleteSession:
    async def test_anonymous_visitor_may_sign_out(self, mock: httpx.AsyncClient) -> None:
        assert (await mock.delete("/me/session")).status_code == 204

    async def test_copied_cookie_ends(self, mock: httpx.AsyncClient) -> None:
        await mock.patch("/me", json={"name": "Ann"})
        copied = mock.cookies[COOKIE]
        answer = await mock.delete("/me/session")
        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith(f"{COOKIE}=; Max-Age=0")
        async with browser(mock, **{COOKIE: copied}) as thief:
            assert (await thief.get("/me")).status_code == 401

    async def test_other_sign_ins_continue(self, mock: httpx.AsyncClient) -> None:
        me = await _create_account(mock)
        async with browser(mock) as phone:
            await phone.post("/me/session", json=ANN)
            await phone.delete("/me/session")
            assert (await phone.get("/me")).json()["id"] is None
        assert (await mock.get("/me")).json() == me
