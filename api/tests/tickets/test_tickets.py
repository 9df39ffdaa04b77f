"""Tickets are written, read, changed, deleted and restored. Wrong fields are refused by name."""

from typing import Any

import httpx
import pytest

from testing.steps import TICKET, create_ticket
from tutordesk.tickets.models import Ticket


async def test_ticket_is_created_and_read(mock: httpx.AsyncClient) -> None:
    answer = await mock.post("/tickets", json=TICKET)
    ticket = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/tickets/{ticket['id']}"
    assert ticket["summary_status"] == "pending"
    assert ticket["ai_summary"] is None
    assert (await mock.get(answer.headers["Location"])).json()["description"] == TICKET["description"]


async def test_list_has_excerpt_and_no_description(mock: httpx.AsyncClient) -> None:
    await create_ticket(mock, description="**Bold** word. " * 100)
    row = (await mock.get("/tickets")).json()[0]
    assert "description" not in row
    assert row["excerpt"].startswith("Bold word. Bold word.")
    assert len(row["excerpt"]) <= 280


async def test_tags_are_trimmed_folded_and_unique(mock: httpx.AsyncClient) -> None:
    ticket = await create_ticket(mock, tags=["  HTTP ", "http", "#Straße", "", "a  b"])
    assert ticket["tags"] == ["http", "strasse", "a b"]


async def test_tags_that_look_the_same_are_one(mock: httpx.AsyncClient) -> None:
    tags = ["café", "cafe\u0301", "한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u200bmath", "math", "\u200b"]
    ticket = await create_ticket(mock, tags=tags)
    assert ticket["tags"] == ["café", "한글", "math"]
    for tag in tags[:-1]:
        rows = (await mock.get("/tickets", params={"tag": tag})).json()
        assert [row["id"] for row in rows] == [ticket["id"]], tag


async def test_category_defaults_when_blank(mock: httpx.AsyncClient) -> None:
    assert (await create_ticket(mock, category="  "))["category"] == "general"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "x" * 201}, "title"),
        ({"title": "   "}, "title"),
        ({"title": 7}, "title"),
        ({"title": None}, "title"),
        ({"title": {"$ne": None}}, "title"),
        ({"title": ["a"]}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"description": "x" * 100_001}, "description"),
        ({"description": ""}, "description"),
        ({"description": {"$gt": ""}}, "description"),
        ({"category": "x" * 61}, "category"),
        ({"title": "\u200b"}, "title"),
        ({"title": "\u00ad \ufeff"}, "title"),
        ({"description": "\u2060\n"}, "description"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": "one"}, "tags"),
        ({"tags": {"$in": ["a"]}}, "tags"),
        ({"tags": [{"$ne": None}]}, "tags.0"),
        ({"$where": "sleep(1000)"}, "$where"),
        ({"a.b": 1}, "a.b"),
        ({"__proto__": {}}, "__proto__"),
    ],
)
async def test_bad_field_is_named(mock: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    """The answer names the field and what is wrong with it."""
    import json

    body = json.dumps({**TICKET, **change})
    answer = await mock.post("/tickets", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert await Ticket.count() == 0


@pytest.mark.parametrize("field", ["title", "description"])
async def test_missing_field_is_named(mock: httpx.AsyncClient, field: str) -> None:
    answer = await mock.post("/tickets", json={name: value for name, value in TICKET.items() if name != field})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("field", ["id", "author_id", "role", "created_at", "ai_summary", "is_deleted", "transcripts"])
async def test_mass_assignment_is_refused(mock: httpx.AsyncClient, field: str) -> None:
    """Fields that only the server sets are refused."""
    assert (await mock.post("/tickets", json={**TICKET, field: "x"})).status_code == 422
    ticket = await create_ticket(mock)
    before = await Ticket.get(ticket["id"])
    assert (await mock.patch(f"/tickets/{ticket['id']}", json={field: "x"})).status_code == 422
    assert await Ticket.get(ticket["id"]) == before


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦" * 1000,
        "e\u0301" * 1000,
        "a\u202eb",
        "nul \x00 inside",
        "line\u2028separator",
        "one\r\ntwo",
        "> " * 10_000,
        "[" * 10_000,
        "*" * 100_000,
        "x" * 100_000,
    ],
)
async def test_unicode_and_deep_text_come_back_exactly(mock: httpx.AsyncClient, text: str) -> None:
    """Long and deeply nested text in any script is stored unchanged."""
    ticket = await create_ticket(mock, description=text)
    assert (await mock.get(f"/tickets/{ticket['id']}")).json()["description"] == text


async def test_limit_counts_characters_not_bytes(mock: httpx.AsyncClient) -> None:
    await create_ticket(mock, title="あ" * 200)
    assert (await mock.post("/tickets", json={**TICKET, "title": "あ" * 201})).status_code == 422


async def test_author_changes_only_what_is_sent(mock: httpx.AsyncClient) -> None:
    ticket = await create_ticket(mock)
    changed = (await mock.patch(f"/tickets/{ticket['id']}", json={"title": "New title"})).json()
    assert changed["title"] == "New title"
    assert changed["description"] == TICKET["description"]
    assert changed["summary_status"] == "pending"
    assert changed["updated_at"] >= ticket["updated_at"]
    rows = (await mock.get("/tickets", params={"q": "new title"})).json()
    assert [row["id"] for row in rows] == [ticket["id"]]


async def test_null_is_refused(mock: httpx.AsyncClient) -> None:
    ticket = await create_ticket(mock)
    assert (await mock.patch(f"/tickets/{ticket['id']}", json={"title": None})).status_code == 422
    assert (await mock.patch(f"/tickets/{ticket['id']}", json={})).json()["title"] == TICKET["title"]


async def test_deleted_ticket_is_gone_and_comes_back(mock: httpx.AsyncClient) -> None:
    ticket = await create_ticket(mock)
    url = f"/tickets/{ticket['id']}"
    assert (await mock.delete(url)).status_code == 204
    assert (await mock.get(url)).status_code == 404
    assert (await mock.get("/tickets")).json() == []
    assert (await mock.delete(url)).status_code == 404
    assert (await mock.post(f"{url}/restore")).json()["title"] == TICKET["title"]
    assert (await mock.post(f"{url}/restore")).status_code == 200
    assert len((await mock.get("/tickets")).json()) == 1


async def test_stranger_may_read_but_not_change(mock: httpx.AsyncClient) -> None:
    ticket = await create_ticket(mock)
    url = f"/tickets/{ticket['id']}"
    mock.cookies.clear()
    assert (await mock.get(url)).status_code == 200
    for answer in (await mock.patch(url, json={"title": "Mine"}), await mock.delete(url)):
        assert answer.status_code == 403
        assert answer.json()["detail"] == "Only the author or an admin may do that."
    assert (await mock.get(url)).json()["title"] == TICKET["title"]


async def test_deleted_ticket_of_another_author_is_404(mock: httpx.AsyncClient) -> None:
    """Deleted tickets are shown to their authors only."""
    ticket = await create_ticket(mock)
    await mock.delete(f"/tickets/{ticket['id']}")
    mock.cookies.clear()
    foreign = await mock.post(f"/tickets/{ticket['id']}/restore")
    unknown = await mock.post("/tickets/0123456789abcdef01234567/restore")
    assert foreign.status_code == unknown.status_code == 404


async def test_admin_may_change(mock: httpx.AsyncClient) -> None:
    from tutordesk.identity.models import User

    ticket = await create_ticket(mock)
    mock.cookies.clear()
    mine = await create_ticket(mock)
    user = await User.get(mine["author_id"])
    assert user
    await user.set({"role": "admin"})
    assert (await mock.patch(f"/tickets/{ticket['id']}", json={"title": "By an admin"})).status_code == 200


@pytest.mark.parametrize("id", ["nonsense", "0123456789abcdef01234567", "%00", "0" * 25, "..%2f..", "{$ne:1}"])
async def test_unknown_and_malformed_ids_are_the_same_404(mock: httpx.AsyncClient, id: str) -> None:
    answer = await mock.get(f"/tickets/{id}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:tutordesk:problem:not-found"


async def test_samples_fill_an_empty_helpdesk_once(mock: httpx.AsyncClient) -> None:
    answer = await mock.post("/tickets/samples")
    assert answer.status_code == 201
    assert answer.json()["created"] == 30
    rows = (await mock.get("/tickets", params={"limit": 100})).json()
    assert len(rows) == 30
    assert all(row["summary_status"] == "ready" and row["ai_summary"] for row in rows)
    assert (await mock.post("/tickets/samples")).status_code == 409


async def test_hourly_limit_says_when_to_try_again(mock: httpx.AsyncClient) -> None:
    from tutordesk.identity.limits import Limits

    mock.app.state.limits = Limits(mock.app.state.settings.model_copy(update={"max_tickets_per_hour": 2}))  # type: ignore[attr-defined]
    await create_ticket(mock)
    await create_ticket(mock)
    answer = await mock.post("/tickets", json=TICKET)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert "try again" in answer.json()["detail"] or "again in" in answer.json()["detail"]
