"""`tutordesk user …` on a running server: lists of people, admins, and refusals that say what to do."""

from typing import Any

from testing.processes import Pair, Serving


async def _named(server: Serving, name: str, **account: str) -> dict[str, Any]:
    async with server.client() as client:
        answer = await client.patch("/me", json={"name": name})
        if account:
            answer = await client.post("/me/account", json={"password": "a long enough password", **account})
        assert answer.status_code == 200, answer.text
        me: dict[str, Any] = {**answer.json(), "cookies": client.cookies}
        return me


async def _role(server: Serving, me: dict[str, Any]) -> str:
    async with server.client(me["cookies"]) as client:
        role: str = (await client.get("/me")).json()["role"]
        return role


async def test_list_shows_people_with_a_name_or_an_account(pair: Pair) -> None:
    me = await _named(pair[0], "Zoë 3", email="zoe@example.org")
    async with pair[0].client() as client:
        visitor = (await client.post("/chat/global/stream", json={"message": "Hello"})).cookies
    assert visitor
    listed = (await pair[0].run("user", "list"))[1].splitlines()
    assert listed[0].split() == ["ID", "NAME", "ROLE", "E-MAIL", "CREATED", "DISABLED"]
    row = next(line for line in listed if line.startswith(me["id"]))
    assert "Zoë 3" in row
    assert "member" in row
    assert "zoe@example.org" in row
    everybody = (await pair[0].run("user", "list", "--all"))[1].splitlines()
    assert len(everybody) > len(listed)


async def test_admins_are_made_and_unmade(pair: Pair) -> None:
    me = await _named(pair[0], "Mona", email="mona@example.org")
    promoted = await pair[0].run("user", "promote", "Mona@Example.org")
    assert promoted == (0, f"Mona ({me['id']}) is an admin.\n")
    assert await _role(pair[1], me) == "admin"
    assert await pair[0].run("user", "demote", "Mona") == (0, f"Mona ({me['id']}) is a member.\n")
    assert await _role(pair[1], me) == "member"
    again = await pair[0].run("user", "demote", me["id"])
    assert again == (2, f"tutordesk: Mona ({me['id']}) is no admin.\n")


async def test_doubtful_and_unknown_people_are_refused(pair: Pair) -> None:
    twins = [(await _named(pair[0], "Twin"))["id"] for _ in range(2)]
    code, said = await pair[0].run("user", "promote", "Twin")
    assert code == 2
    assert all(twin in said for twin in twins)
    for who in ("Nobody", "nobody@example.org", "0123456789abcdef01234567"):
        code, said = await pair[0].run("user", "promote", who)
        assert code == 2
        assert said.startswith(f"tutordesk: Nobody is called {who}. ")


async def test_name_that_looks_like_an_address_or_an_id_matches_nobody(pair: Pair) -> None:
    """Otherwise people could be promoted by naming themselves what the operator types."""
    mine = await _named(pair[0], "boss@example.org")
    other = await _named(pair[0], "0123456789abcdef0123456f")
    for me in (mine, other):
        assert (await pair[0].run("user", "promote", me["name"]))[0] == 2
        assert await _role(pair[0], me) == "member"
