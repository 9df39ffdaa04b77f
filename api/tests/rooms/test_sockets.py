"""Events of a room reach all its members, once and in order, and again after a reconnect."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from beanie import PydanticObjectId

from testing.rooms.people import Person, Timeline, person
from testing.serving import Live
from tutordesk.rooms.members import access_member
from tutordesk.rooms.messages import post_message


async def test_message_reaches_everybody_and_its_sender(ana: Person, ben: Person, room_id: str) -> None:
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        await one.wait("resumed")
        await other.wait("resumed")
        posted = await one.say("Hello, **Ben**")
        heard = await other.wait("message_posted")
    assert posted == heard
    assert posted["seq"] == 3
    message = posted["message"]
    assert message["room_id"] == room_id
    assert (message["user_id"], message["name"], message["is_agent"]) == (ana.id, "Ana", False)
    assert await ben.messages(room_id) == [message]


async def test_events_lead_to_the_same_room_as_a_fresh_look(ana: Person, ben: Person, room_id: str) -> None:
    """An old snapshot with the events since is a fresh snapshot, for every event that is stored."""
    async with ana.socket(room_id, after=0) as watching, ben.socket(room_id) as other:
        timeline, wanted = Timeline(), Counter[str]()

        async def check(type: str) -> None:
            wanted[type] += 1
            while Counter(event["type"] for event in watching.events)[type] < wanted[type]:
                await watching.next()
            room: dict[str, Any] = {"seq": 0}
            while room["seq"] != (room := await ana.room(room_id))["seq"]:
                messages = await ana.messages(room_id)
            while not (seen := watching.persisted()) or seen[-1]["seq"] < room["seq"]:
                await watching.next()
            for one in seen:
                timeline.apply(one)
            assert timeline.messages == messages
            assert timeline.members == {member["user_id"]: member for member in room["members"]}
            assert timeline.seq == room["seq"]
            running = room["running_reply"]
            assert timeline.running == (running and (running["id"], running["asked_by"], running["message_id"]))

        await watching.wait("resumed")
        await check("presence")
        first = (await other.say("One"))["message"]["id"]
        await check("message_posted")
        await other.send("edit", message_id=first, content="One, changed")
        await check("message_edited")
        await other.send("delete", message_id=first)
        await check("message_deleted")
        await ana.client.patch(f"/rooms/{room_id}/members/{ben.id}", json={"is_silenced": True})
        await check("member_changed")
        await ana.client.patch(f"/rooms/{room_id}/members/{ben.id}", json={"is_silenced": False})
        await check("member_changed")
        await other.say("@tutor why?")
        await check("message_posted")
        await check("reply_started")
        await check("reply_ended")
        await ana.client.patch(f"/rooms/{room_id}", json={"name": "Nets"})
        await check("room_changed")
        cleo = await person(ana.url, "Cleo")
        await cleo.join(room_id)
        await check("member_joined")
        await cleo.client.post(f"/rooms/{room_id}/leave", json={})
        await check("member_left")
        await cleo.client.aclose()
    assert [event["seq"] for event in watching.persisted()] == list(range(1, timeline.seq + 1))


async def test_sending_again_posts_nothing_again(ana: Person, ben: Person, room_id: str) -> None:
    """Fifty repeats at once on several sockets are one message, and each sender is shown it."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(ana.socket(room_id)) for _ in range(10)]
        sends = (socket.send("send", client_message_id="key-1", content="Once") for socket in sockets for _ in range(5))
        await asyncio.gather(*sends)
        for socket in sockets:
            posted = [await socket.wait("message_posted") for _ in range(5)]
            assert len({event["message"]["id"] for event in posted}) == 1
        await sockets[0].send("send", client_message_id="key-1", content="Something else")
        refused = await sockets[0].wait("error")
    assert (refused["code"], refused["client_message_id"]) == ("conflict", "key-1")
    assert [message["content"] for message in await ben.messages(room_id)] == ["Once"]
    async with ben.socket(room_id) as other:
        theirs = await other.say("Once", "key-1")
    assert theirs["message"]["user_id"] == ben.id


async def test_absent_member_catches_up_on_everything(ana: Person, ben: Person, room_id: str) -> None:
    """Missed events are replayed, edits and deletions too, and live ones follow without a gap or a double."""
    async with ana.socket(room_id) as one:
        sent = [await one.say(f"Message {number}") for number in range(450)]
        await one.send("edit", message_id=sent[0]["message"]["id"], content="Edited meanwhile")
        await one.send("delete", message_id=sent[1]["message"]["id"])
        await one.wait("message_deleted")
        async with ben.socket(room_id, after=sent[0]["seq"]) as other:
            assert (await other.wait("resumed"))["seq"] == sent[-1]["seq"] + 2
            await one.say("Live again")
            await other.wait("message_posted")
    seqs = [event["seq"] for event in other.persisted()]
    assert seqs == list(range(sent[0]["seq"] + 1, sent[-1]["seq"] + 4))
    edited = next(event for event in other.events if event["type"] == "message_edited")
    assert edited["message"]["content"] == "Edited meanwhile"
    deleted = next(event for event in other.events if event.get("seq") == sent[1]["seq"])
    assert deleted["message"]["content"] == ""
    assert deleted["message"]["deleted_at"]


@pytest.mark.parametrize(("after", "first"), [("0", 1), ("x", 1), ("-1", 1), ("9" * 30, 1), ("99999", None)])
async def test_nonsensical_place_is_the_beginning_or_the_end(
    ana: Person, ben: Person, room_id: str, after: str, first: int | None
) -> None:
    async with ben.socket(room_id, after=after) as socket:
        assert (await socket.wait("resumed"))["seq"] == 2
    assert [event["seq"] for event in socket.persisted()] == ([] if first is None else [1, 2])


async def test_people_see_presence_and_typing(ana: Person, ben: Person, room_id: str) -> None:
    async with ana.socket(room_id) as one:
        async with ben.socket(room_id) as other:
            await one.wait(lambda event: event["type"] == "presence" and set(event["user_ids"]) == {ana.id, ben.id})
            await other.send("typing")
            assert (await one.wait("typing"))["user_id"] == ben.id
        await one.wait(lambda event: event["type"] == "presence" and event["user_ids"] == [ana.id])


async def test_new_name_is_shown_after_a_reconnect(ana: Person, ben: Person, room_id: str) -> None:
    await ben.client.patch("/me", json={"name": "Benedikt"})
    async with ana.socket(room_id) as one:
        await one.wait("resumed")
        async with ben.socket(room_id):
            changed = await one.wait("member_changed")
    assert changed["member"]["name"] == "Benedikt"


async def test_code_shares_no_mention_and_asks_no_tutor(ana: Person, ben: Person, room_id: str) -> None:
    async with ana.socket(room_id) as one:
        plain = await one.say("`@tutor` and\n```\n@Ben @tutor\n```\nand me@tutor.example and @Benjamin")
        meant = await one.say("@ben, look! @Tutor too")
    assert (plain["message"]["asks_tutor"], plain["message"]["mentions"]) == (False, [])
    assert (meant["message"]["asks_tutor"], meant["message"]["mentions"]) == (True, [ben.id])


async def test_member_who_knows_more_than_this_process_gets_nothing_twice(
    live: Live, ana: Person, ben: Person, room_id: str
) -> None:
    """Ben comes from another process, whose message has not reached this one yet."""
    member = await access_member(PydanticObjectId(room_id), PydanticObjectId(ana.id))
    async with ana.socket(room_id) as one:
        await one.say("Here")
        elsewhere = (await post_message(live.app.state.timeline, member, "Elsewhere", None, False)).message.seq
        async with ben.socket(room_id, after=elsewhere) as other:
            assert (await other.wait("resumed"))["seq"] == elsewhere
            await other.say("On")
        await one.wait(lambda event: event.get("seq") == elsewhere + 1)
    assert [event["seq"] for event in other.persisted()] == [elsewhere + 1]
    assert [event["seq"] for event in one.persisted()] == [elsewhere - 1, elsewhere, elsewhere + 1]
