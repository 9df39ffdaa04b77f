"""Cookies: every wrong one is the same 401 and is removed from the browser, and keys are rotated."""

import base64
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from beanie import PydanticObjectId

from testing.serving import COOKIE, SECRET
from testing.steps import TICKET, create_ticket
from tutordesk.identity.tokens import EARLIER_COOKIE, cookie_name

NEWER = "a-newer-key-of-tests-0123456789-abcdef"
NOW = int(time.time())
GOOD: dict[str, Any] = {
    "sub": "0123456789abcdef01234567",
    "iss": "tutordesk",
    "aud": "tutordesk:visitor",
    "iat": NOW,
    "exp": NOW + 3600,
}


def _signed(key: str = SECRET, algorithm: str = "HS256", headers: dict[str, str] | None = None, **change: Any) -> str:
    claims = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def _unsigned(algorithm: str) -> str:
    parts = [{"alg": algorithm, "typ": "JWT"}, GOOD]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def _flipped() -> str:
    token = _signed()
    return token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]


WRONG = {
    "none": _unsigned("none"),
    "None": _unsigned("None"),
    "nOnE": _unsigned("nOnE"),
    "other key": _signed(key="another-key-0123456789-0123456789-xyz"),
    "other algorithm": _signed(key=SECRET * 2, algorithm="HS512"),
    "kid": _signed(key="another-key-0123456789-0123456789-xyz", headers={"kid": "../../../dev/null"}),
    "jku": _signed(key="another-key-0123456789-0123456789-xyz", headers={"jku": "http://127.0.0.1:9/keys"}),
    "expired": _signed(exp=NOW - 3600),
    "from the future": _signed(nbf=NOW + 3600),
    "other audience": _signed(aud="tutordesk:user"),
    "no audience": _signed(aud=None),
    "other issuer": _signed(iss="somebody"),
    "no subject": _signed(sub=None),
    "subject is no id": _signed(sub="admin"),
    "one bit": _flipped(),
    "too long": "a" * 30_000,
    "no token": "nonsense",
    "empty": "",
    "dots": "..",
}


@pytest.mark.parametrize("name", WRONG)
async def test_wrong_cookie_is_401_and_removed(mock: httpx.AsyncClient, name: str) -> None:
    headers = {"Cookie": f"{COOKIE}={WRONG[name]}"}
    answers = [
        await mock.get("/tickets", headers=headers),
        await mock.get("/me", headers=headers),
        await mock.post("/tickets", json=TICKET, headers=headers),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.json() == answers[0].json()
        assert answer.headers["set-cookie"].startswith(f"{COOKIE}=; Max-Age=0")


async def test_good_cookie_names_its_user(mock: httpx.AsyncClient) -> None:
    me = await mock.get("/me", headers={"Cookie": f"{COOKIE}={_signed()}"})
    assert me.json()["id"] == GOOD["sub"]
    assert "set-cookie" not in me.headers


async def test_old_cookie_is_renewed(mock: httpx.AsyncClient) -> None:
    token = _signed(iat=NOW - 40 * 86_400)
    me = await mock.get("/me", headers={"Cookie": f"{COOKIE}={token}"})
    renewed = me.headers["set-cookie"].split(";")[0].removeprefix(f"{COOKIE}=")
    assert jwt.decode(renewed, SECRET, ["HS256"], audience=GOOD["aud"])["sub"] == GOOD["sub"]


async def test_sign_in_of_wrong_shape_is_401(mock: httpx.AsyncClient) -> None:
    """The server does not guess at values that it never writes."""
    changes: list[dict[str, Any]] = [{"sid": 7}, {"sid": {}}, {"auth_time": "yesterday"}, {"auth_time": []}]
    for change in changes:
        answer = await mock.get("/me", headers={"Cookie": f"{COOKIE}={_signed(**change)}"})
        assert answer.status_code == 401, change


async def test_keys_are_rotated_without_losing_anybody(mock: httpx.AsyncClient) -> None:
    """An old cookie is accepted and renewed while its key is listed, and refused afterwards."""
    state = mock.app.state  # type: ignore[attr-defined]
    ticket = await create_ticket(mock)
    old = mock.cookies[COOKIE]
    state.secret_keys = [NEWER, SECRET]
    assert (await mock.get("/me")).json()["id"] == ticket["author_id"]
    renewed = mock.cookies[cookie_name(NEWER)]
    assert jwt.decode(renewed, NEWER, ["HS256"], audience=GOOD["aud"])["sub"] == ticket["author_id"]
    assert "set-cookie" not in (await mock.get("/me")).headers
    state.secret_keys = [NEWER]
    assert (await mock.patch(f"/tickets/{ticket['id']}", json={"title": "Still mine"})).status_code == 200
    mock.cookies.clear()
    stranger = (await mock.get("/me", headers={"Cookie": f"{COOKIE}={old}"})).json()
    assert stranger["id"] != ticket["author_id"]
    assert (await mock.get("/me", headers={"Cookie": f"{cookie_name(NEWER)}={old}"})).status_code == 401


async def test_installations_on_one_host_keep_their_visitors(mock: httpx.AsyncClient) -> None:
    """A browser sends a host's cookies to each of its ports. Each installation reads its own and leaves the rest."""
    state = mock.app.state  # type: ignore[attr-defined]
    ids: dict[str, str] = {}
    for key in (SECRET, NEWER):
        state.secret_keys = [key]
        ids[key] = (await mock.patch("/me", json={"name": f"Ann {len(ids)}"})).json()["id"]
    for key in (SECRET, NEWER, SECRET):
        state.secret_keys = [key]
        me = await mock.get("/me")
        assert me.json()["id"] == ids[key]
        assert "set-cookie" not in me.headers


async def test_cookie_of_an_earlier_version_is_taken_if_it_is_ours(mock: httpx.AsyncClient) -> None:
    """It gets the new name. One of another installation is left alone, and so is its visitor's name there."""
    me = await mock.get("/me", headers={"Cookie": f"{EARLIER_COOKIE}={_signed()}"})
    assert me.json()["id"] == GOOD["sub"]
    assert me.headers["set-cookie"].startswith(f"{COOKIE}=ey")
    for token in ("forged", jwt.encode(GOOD, NEWER, "HS256")):
        other = await mock.get("/me", headers={"Cookie": f"{EARLIER_COOKIE}={token}"})
        assert other.status_code == 200
        assert other.json()["id"] != GOOD["sub"]
        assert "set-cookie" not in other.headers


async def test_renewed_cookie_does_not_outlive_its_sign_in(mock: httpx.AsyncClient) -> None:
    """A thief's renewed copy ends with its sign-in, also when all sign-ins before a time are ended."""
    state = mock.app.state  # type: ignore[attr-defined]
    me = (await mock.patch("/me", json={"name": "Ann"})).json()
    cookies = [mock.cookies[COOKIE]]
    for keys in ([NEWER, SECRET], [SECRET, NEWER]):
        state.secret_keys = keys
        answer = await mock.get("/me", headers={"Cookie": f"{cookie_name(keys[1])}={cookies[-1]}"})
        cookies.append(answer.headers["set-cookie"].split(";")[0].partition("=")[2])
    assert len(set(cookies)) == 3
    first = jwt.decode(cookies[0], SECRET, ["HS256"], audience=GOOD["aud"])
    last = jwt.decode(cookies[2], SECRET, ["HS256"], audience=GOOD["aud"])
    assert (first["sid"], first["auth_time"]) == (last["sid"], last["auth_time"])
    await state.revocations.end_all_sign_ins(PydanticObjectId(me["id"]), before=first["auth_time"] + 0.001)
    mock.cookies.clear()
    for cookie in cookies:
        assert (await mock.get("/me", headers={"Cookie": f"{COOKIE}={cookie}"})).status_code == 401


async def test_cookie_without_a_sign_in_id_can_be_signed_out(mock: httpx.AsyncClient) -> None:
    headers = {"Cookie": f"{COOKIE}={_signed()}"}
    assert (await mock.get("/me", headers=headers)).status_code == 200
    assert (await mock.delete("/me/session", headers=headers)).status_code == 204
    assert (await mock.get("/me", headers=headers)).status_code == 401
