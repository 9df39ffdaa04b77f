"""A sign-in that one server ends is over on the others within five seconds, and for good."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from testing.processes import Pair, Serving
from testing.steps import until

PASSWORD = "a long enough password"
SOON = 5.0


async def _person(server: Serving, name: str) -> tuple[httpx.Cookies, str]:
    """Somebody with a name and an account: the cookie, and the id."""
    async with server.client() as client:
        await client.patch("/me", json={"name": name})
        answer = await client.post("/me/account", json={"email": f"{name}@example.org", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client.cookies, answer.json()["id"]


async def _status(server: Serving, cookies: httpx.Cookies) -> int:
    async with server.client(httpx.Cookies(cookies)) as client:
        return (await client.get("/me")).status_code


async def _is_out(server: Serving, cookies: httpx.Cookies) -> None:
    async def is_out() -> bool:
        return await _status(server, cookies) == 401

    await until(is_out, SOON)


async def test_sign_out_reaches_the_other_server(pair: Pair) -> None:
    one, other = pair
    cookies, _ = await _person(one, "Olga")
    assert await _status(other, cookies) == 200
    async with one.client(httpx.Cookies(cookies)) as client:
        assert (await client.delete("/me/session")).status_code == 204
    assert await _status(one, cookies) == 401
    await _is_out(other, cookies)


async def test_changed_password_reaches_the_other_server(pair: Pair) -> None:
    one, other = pair
    cookies, _ = await _person(one, "Pia")
    async with one.client(httpx.Cookies(cookies)) as client:
        change = {"email": "Pia@example.org", "password": PASSWORD + "!", "current_password": PASSWORD}
        assert (await client.post("/me/account", json=change)).status_code == 200
        await _is_out(other, cookies)
        assert await _status(other, client.cookies) == 200


async def test_disabled_user_is_out_everywhere_until_enabled(pair: Pair) -> None:
    cookies, user_id = await _person(pair[0], "Quentin")
    assert await pair[0].run("user", "disable", "Quentin") == (0, f"Quentin ({user_id}) is kept out.\n")
    for server in pair:
        await _is_out(server, cookies)
        async with server.client() as client:
            tried = await client.post("/me/session", json={"email": "quentin@example.org", "password": PASSWORD})
            assert tried.json()["type"] == "urn:tutordesk:problem:wrong-credentials"
    assert (await pair[0].run("user", "enable", user_id))[0] == 0

    async def is_in() -> bool:
        return await _status(pair[1], cookies) == 200

    await until(is_in, SOON)


@pytest.mark.process
async def test_disabled_user_is_out_after_an_outage_and_after_a_restart(tmp_path: Path) -> None:
    server = await Serving(tmp_path / "data", TUTORDESK_MODEL="offline").start()
    try:
        cookies, user_id = await _person(server, "Rosa")
        os.kill(server.mongod_pid(), signal.SIGSTOP)

        async def is_back() -> bool:
            async with server.client() as client:
                return (await client.get("/health/ready")).status_code == 200

        async def is_away() -> bool:
            return not await is_back()

        for _ in range(2):  # three seconds each, so that a reading fails between
            await until(is_away)
        os.kill(server.mongod_pid(), signal.SIGCONT)
        await until(is_back, 30)
        assert (await server.run("user", "disable", user_id))[0] == 0
        await _is_out(server, cookies)
        await server.end()
        await server.start()
        assert await _status(server, cookies) == 401
    finally:
        await server.end()


async def test_sign_out_ends_open_streams(pair: Pair) -> None:
    """The open stream is served by the other server, which learns of the sign-out later."""
    one, other = pair
    cookies, _ = await _person(one, "Streamer")
    async with (
        asyncio.timeout(10),
        other.client(cookies) as reader,
        one.client(httpx.Cookies(cookies)) as writer,
        reader.stream("GET", "/tickets/events") as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == ": ok"
        assert (await writer.delete("/me/session")).status_code == 204
        async for _ in lines:
            pass
