"""The list of rooms, joining and leaving, the rights of each role, and pages of messages."""

import os
import random
from typing import Any

import httpx
import pytest

from testing.rooms.people import Person, person
from testing.serving import Live
from testing.steps import create_ticket


async def test_nameless_visitor_sees_only_the_list(live: Live, visitor: httpx.AsyncClient, room_id: str) -> None:
    """Nameless visitors see the list of rooms, and nothing of what is said there."""
    (row,) = (await visitor.get("/rooms")).json()
    assert (row["name"], row["member_count"], row["is_member"], row["last_message"]) == ("Networks", 2, False, None)
    room = (await visitor.get(f"/rooms/{room_id}")).json()
    assert (room["members"], room["running_reply"], room["is_admin"]) == ([], None, False)
    assert (await visitor.get(f"/rooms/{room_id}/messages")).status_code == 404
    for path, body in (("/rooms", {"name": "Mine"}), (f"/rooms/{room_id}/join", {}), (f"/rooms/{room_id}/leave", {})):
        refused = await visitor.post(path, json=body)
        assert refused.status_code == 403
        assert refused.json()["type"].endswith(":name-needed")
    assert not visitor.cookies  # reading and being refused create nothing
    assert await live.collection("users").count_documents({}) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 81},
        {"name": ["x"]},
        {"name": {"$ne": 1}},
        {"name": "x", "topic": "y" * 301},
        {"name": "x", "seq": 5},
        {"name": "x", "created_by": "0" * 24},
        {"name": "x", "is_deleted": True},
    ],
)
async def test_unusable_room_is_refused(ana: Person, body: dict[str, Any]) -> None:
    """Wrong types and unknown fields are refused, and no room is created."""
    assert (await ana.client.post("/rooms", json=body)).status_code == 422
    assert (await ana.client.get("/rooms")).json() == []


async def test_room_is_created_changed_and_deleted(ana: Person, ben: Person) -> None:
    made = await ana.client.post("/rooms", json={"name": " Networks ", "topic": "Cables"})
    room = made.json()
    assert made.headers["location"] == f"/rooms/{room['id']}"
    assert (room["name"], room["topic"], room["seq"], room["is_admin"]) == ("Networks", "Cables", 1, True)
    assert [(member["name"], member["role"]) for member in room["members"]] == [("Ana", "admin")]
    await ben.join(room["id"])
    assert (await ben.client.patch(f"/rooms/{room['id']}", json={"name": "Mine"})).status_code == 403
    changed = await ana.client.patch(f"/rooms/{room['id']}", json={"name": "Nets"})
    assert (changed.json()["name"], changed.json()["topic"]) == ("Nets", "Cables")
    assert (await ana.client.delete(f"/rooms/{room['id']}")).status_code == 204
    assert (await ana.client.get("/rooms")).json() == []
    assert (await ben.client.post(f"/rooms/{room['id']}/join", json={})).status_code == 404


async def test_unread_and_mentions_are_computed(ana: Person, ben: Person, room_id: str) -> None:
    """Unread are others' messages after the last one read. The mark only moves forward."""
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        await one.say("First")
        second = await one.say("Second, @Ben")
        third = await one.say("Third")
        await one.send("delete", message_id=third["message"]["id"])
        await one.wait("message_deleted")
        await other.say("Mine does not count")

        async def counts() -> tuple[int, int, int]:
            (row,) = (await ben.client.get("/rooms")).json()
            return row["unread"], row["mentions"], row["read_seq"]

        assert await counts() == (2, 1, 2)
        await other.send("read", seq=second["seq"])
        await other.send("typing")
        await other.wait("typing")
        assert await counts() == (0, 0, second["seq"])
        await other.send("read", seq=1)
        await other.send("read", seq=10_000)
        await other.say("And on")
        assert (await counts())[2] == (await ben.room(room_id))["seq"] - 1
    (row,) = (await ana.client.get("/rooms")).json()
    assert (row["unread"], row["mentions"], row["last_message"]) == (2, 0, "Ben: And on")


async def test_muting_is_private(ana: Person, ben: Person, room_id: str) -> None:
    before = (await ana.room(room_id))["seq"]
    assert (await ben.client.patch(f"/rooms/{room_id}/members/{ben.id}", json={"is_muted": True})).status_code == 204
    assert (await ben.client.get("/rooms")).json()[0]["is_muted"]
    assert not (await ana.client.get("/rooms")).json()[0]["is_muted"]
    assert (await ana.room(room_id))["seq"] == before
    assert (await ana.client.patch(f"/rooms/{room_id}/members/{ben.id}", json={"is_muted": True})).status_code == 403


async def test_messages_come_in_pages_both_ways(ana: Person, room_id: str) -> None:
    async with ana.socket(room_id) as one:
        sent = [await one.say(f"Message {number}") for number in range(25)]
    seqs = [event["seq"] for event in sent]
    pages, url = [], f"/rooms/{room_id}/messages?limit=10"
    while url:
        answer = await ana.client.get(url)
        pages.append([message["seq"] for message in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
    assert pages == [seqs[15:], seqs[5:15], seqs[:5]]
    assert [message["seq"] for message in await ana.messages(room_id, after=seqs[4], limit=10)] == seqs[5:15]
    assert [message["seq"] for message in await ana.messages(room_id, before=seqs[4])] == seqs[:4]


async def test_rooms_come_in_pages_lately_active_first(ana: Person) -> None:
    made = [await ana.make_room(f"Room {number}") for number in range(7)]
    async with ana.socket(made[2]) as one:
        await one.say("This one is active")
    room_ids, url = [], "/rooms?limit=3"
    while url:
        answer = await ana.client.get(url)
        room_ids += [row["id"] for row in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert room_ids == [made[2], *made[:2:-1], made[1], made[0]]
    assert (await ana.client.get("/rooms?cursor=nonsense")).status_code == 422


async def test_room_may_be_about_a_ticket(ana: Person, visitor: httpx.AsyncClient) -> None:
    """Rooms are listed by their ticket, and an unknown ticket is refused."""
    ticket = await create_ticket(visitor)
    room_id = await ana.make_room("About it", ticket_id=ticket["id"])
    await ana.make_room("About nothing")
    (row,) = (await ana.client.get("/rooms", params={"ticket_id": ticket["id"]})).json()
    assert (row["id"], row["ticket_id"]) == (room_id, ticket["id"])
    assert (await ana.client.post("/rooms", json={"name": "x", "ticket_id": "0" * 24})).status_code == 404


async def test_message_is_edited_and_deleted_by_http(ana: Person, ben: Person, room_id: str) -> None:
    async with ben.socket(room_id) as other:
        message = (await other.say("Teh text"))["message"]
        url = f"/rooms/{room_id}/messages/{message['id']}"
        edited = await ben.client.patch(url, json={"content": "The text"})
        assert (edited.json()["content"], edited.json()["edited_at"] is None) == ("The text", False)
        assert (await other.wait("message_edited"))["message"] == edited.json()
        assert (await ana.client.delete(url)).status_code == 204
        assert (await other.wait("message_deleted"))["message_id"] == message["id"]
    assert (await ben.client.patch(url, json={"content": "Again"})).status_code == 404


async def test_member_leaves_and_comes_back(ana: Person, ben: Person, room_id: str) -> None:
    async with ben.socket(room_id) as other:
        await other.wait("resumed")
        assert (await ben.client.post(f"/rooms/{room_id}/leave", json={})).status_code == 204
        assert await other.closed(1) == 4403
    assert (await ben.client.post(f"/rooms/{room_id}/leave", json={})).status_code == 404
    await ben.join(room_id)
    await ben.join(room_id)
    members = (await ana.room(room_id))["members"]
    assert [member["name"] for member in members] == ["Ana", "Ben"]


async def test_nobody_can_do_what_the_table_does_not_allow(live: Live, ana: Person, ben: Person, room_id: str) -> None:
    """Random actors, verbs and objects against eight rules; `make bench` makes 10,000 calls (RIGHTS_CALLS)."""
    eve, boss = await person(live.url, "Eve"), await person(live.url, "Chief")
    await live.collection("users").update_one({"name": "Chief"}, {"$set": {"role": "admin"}})
    await boss.join(room_id)
    people = {"owner": ana, "member": ben, "stranger": eve, "boss": boss}
    messages = {}
    for who in ("owner", "member", "boss"):
        async with people[who].socket(room_id) as socket:
            messages[who] = (await socket.say(f"Of {who}"))["message"]["id"]
    chance = random.Random(7)

    def allowed(actor: str, verb: str, author: str) -> int:
        if actor == "stranger":
            return 404 if verb != "rename" else 403
        if verb == "read":
            return 200
        if verb == "edit":
            return 200 if actor in ("owner", "boss", author) else 403
        if verb == "mute":
            return 204 if actor == author else 403
        return (200 if verb == "rename" else 204) if actor in ("owner", "boss") else 403

    room = f"/rooms/{room_id}"
    for _ in range(int(os.environ.get("RIGHTS_CALLS", "300"))):
        actor, author = chance.choice(list(people)), chance.choice(list(messages))
        member = f"{room}/members/{people[author].id}"
        calls: dict[str, tuple[str, str, Any]] = {
            "read": ("GET", f"{room}/messages", None),
            "edit": ("PATCH", f"{room}/messages/{messages[author]}", {"content": f"Edited {chance.random()}"}),
            "mute": ("PATCH", member, {"is_muted": True}),
            "silence": ("PATCH", member, {"is_silenced": False}),
            "rename": ("PATCH", room, {"name": "Networks"}),
        }
        verb = chance.choice(list(calls))
        method, path, body = calls[verb]
        answer = await people[actor].client.request(method, path, json=body)
        assert answer.status_code == allowed(actor, verb, author), (actor, verb, author, answer.text)
    for visitor in (eve, boss):
        await visitor.client.aclose()


async def test_members_cannot_remove_the_owner_or_admins(ana: Person, ben: Person, room_id: str) -> None:
    assert (await ben.client.delete(f"/rooms/{room_id}/members/{ana.id}")).status_code == 403
    assert (await ana.client.delete(f"/rooms/{room_id}/members/{ana.id}")).status_code == 403
