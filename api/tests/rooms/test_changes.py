"""A changed room: its members see the new name and topic at once, and again after a reconnect."""

from typing import Any

import pytest

from testing.rooms.people import Person

WAS = {"name": "Networks", "topic": ""}


@pytest.mark.parametrize(
    "change",
    [{"name": "Nets"}, {"topic": "Cables"}, {"name": "Сети", "topic": "网络 🕸"}, {"name": "شبكات"}],
)
async def test_members_see_a_changed_room(ana: Person, ben: Person, room_id: str, change: dict[str, Any]) -> None:
    """The event has the next number, and the replay sends it to a member who was away."""
    before = await ben.room(room_id)
    wanted = {"id": room_id, **WAS, **change}
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        await one.wait("resumed")
        await other.wait("resumed")
        assert (await ana.client.patch(f"/rooms/{room_id}", json=change)).status_code == 200
        events = [await socket.wait("room_changed") for socket in (one, other)]
    assert events == [{"type": "room_changed", "seq": before["seq"] + 1, "room": wanted}] * 2
    async with ben.socket(room_id, after=before["seq"]) as back:
        await back.wait("resumed")
        assert back.persisted() == events[:1]
    room = await ben.room(room_id)
    assert (room["name"], room["topic"], room["seq"]) == (wanted["name"], wanted["topic"], before["seq"] + 1)
    assert (room["active_at"], room["unread"]) == (before["active_at"], before["unread"])


@pytest.mark.parametrize("change", [{}, {"name": "Networks"}, {"name": " Networks ", "topic": ""}])
async def test_unchanged_room_makes_no_event(ana: Person, room_id: str, change: dict[str, Any]) -> None:
    before = await ana.room(room_id)
    assert (await ana.client.patch(f"/rooms/{room_id}", json=change)).status_code == 200
    assert (await ana.room(room_id))["seq"] == before["seq"]


async def test_rename_in_a_deleted_room_is_not_found(ana: Person, room_id: str) -> None:
    assert (await ana.client.delete(f"/rooms/{room_id}")).status_code == 204
    assert (await ana.client.patch(f"/rooms/{room_id}", json={"name": "Nets"})).status_code == 404
