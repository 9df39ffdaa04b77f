"""The tutor in a room: asked by a mention or by HTTP, one answer at a time, seen by all, stopped by few."""

import asyncio
import json

import httpx
import pytest

from testing.fake_gemini import FakeModels, Says
from testing.rooms.answers import LONG_ANSWER, answer_stream, read_answer
from testing.rooms.people import Person, person
from testing.serving import Live
from testing.steps import create_ticket, events_of, text_of, until


async def test_everybody_sees_the_tutor_begin_write_and_end(
    fake: FakeModels, ana: Person, ben: Person, room_id: str
) -> None:
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 20, 10
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        question = await one.say("@tutor why does my upload fail?")
        begun = await other.wait("reply_started")
        assert (begun["asked_by"], begun["message_id"]) == (ana.id, question["message"]["id"])
        seen = await asyncio.gather(*(read_answer(who.client, begun["reply_id"]) for who in (ana, ben)))
        ended = await other.wait("reply_ended")
    for events in seen:
        assert [events[0].event, events[-2].event, events[-1].event] == ["message_start", "message_complete", "done"]
        assert text_of(events) == LONG_ANSWER
    message = ended["message"]
    assert (message["content"], message["is_agent"], message["user_id"], message["status"]) == (
        LONG_ANSWER,
        True,
        None,
        "complete",
    )
    assert (message["name"], message["reply_id"]) == ("Tutor", begun["reply_id"])
    assert [row["content"] for row in await ana.messages(room_id)] == [question["message"]["content"], LONG_ANSWER]


async def test_late_joiner_sees_the_text_so_far_and_the_rest(
    fake: FakeModels, ana: Person, ben: Person, room_id: str
) -> None:
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 10, 20
    async with ana.socket(room_id) as one:
        await one.say("@tutor explain")
        reply_id = (await one.wait("reply_started"))["reply_id"]
        async with answer_stream(ana.client, reply_id) as events:
            async for event in events:
                if event.id and int(event.id) > 100:
                    break
        late = await person(ana.url, "Late")
        await late.join(room_id)
        running = (await late.room(room_id))["running_reply"]
        assert (running["id"], running["asked_by"]) == (reply_id, ana.id)
        assert text_of(await read_answer(late.client, reply_id)) == LONG_ANSWER
        assert text_of(await read_answer(late.client, reply_id, after=100)) == LONG_ANSWER[100:]
    await late.client.aclose()


async def test_stranger_gets_404(live: Live, ana: Person, room_id: str, stranger: httpx.AsyncClient) -> None:
    """People outside a room can neither read nor stop its answers."""
    async with ana.socket(room_id) as one:
        await one.say("@tutor why?")
        reply_id = (await one.wait("reply_started"))["reply_id"]
        for path in (f"/agent/stream/{reply_id}", f"/chat/replies/{reply_id}/stream", f"/agent/stream/{'0' * 24}"):
            assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"/chat/replies/{reply_id}/stop", json={})).status_code == 404
        await one.wait("reply_ended")


@pytest.mark.parametrize(("who", "status"), [("asker", 202), ("owner", 202), ("admin", 202), ("other", 404)])
async def test_asker_and_admins_stop_the_answer(
    live: Live, fake: FakeModels, ana: Person, ben: Person, room_id: str, who: str, status: int
) -> None:
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 5, 20
    other = await person(live.url, "Cleo")
    await other.join(room_id)
    if who == "admin":
        await live.collection("users").update_one({"name": "Cleo"}, {"$set": {"role": "admin"}})
    async with ben.socket(room_id) as socket:
        await socket.say("@tutor go on and on")
        reply_id = (await socket.wait("reply_started"))["reply_id"]
        await until(lambda: _has_begun(fake))
        client = {"asker": ben, "owner": ana}.get(who, other).client
        assert (await client.post(f"/chat/replies/{reply_id}/stop", json={})).status_code == status
        ended = await socket.wait("reply_ended", 10)
    assert ended["message"]["status"] == ("stopped" if status == 202 else "complete")
    assert LONG_ANSWER.startswith(ended["message"]["content"])
    await other.client.aclose()


async def _has_begun(fake: FakeModels) -> bool:
    return bool(fake.open)


async def test_questions_wait_for_their_turn(fake: FakeModels, ana: Person, ben: Person, room_id: str) -> None:
    """One reply runs at a time. The queue is the messages that ask and have no answer yet, in their order."""
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 40, 20
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        question_ids = [
            (await socket.say(f"@tutor {n}"))["message"]["id"] for n, socket in enumerate([one, other, one, other])
        ]
        await one.send("delete", message_id=question_ids[2])
        order = [event["message_id"] for event in one.events if event["type"] == "reply_started"]
        running, ended = len(order), 0
        while ended < 3:
            event = await one.next(10)
            running += (event["type"] == "reply_started") - (event["type"] == "reply_ended")
            ended += event["type"] == "reply_ended"
            assert running <= 1
            if event["type"] == "reply_started":
                order.append(event["message_id"])
    assert order == [question_ids[0], question_ids[1], question_ids[3]]


async def test_a_thousand_mentions_run_one_at_a_time(live: Live, fake: FakeModels, ana: Person, room_id: str) -> None:
    """A room never has more than one running answer, and the tutor's own words ask nothing."""
    fake.text = "Ask @tutor again, @tutor!"
    async with ana.socket(room_id) as one:
        for number in range(30):
            await one.send("send", client_message_id=f"k{number}", content="@tutor " * 33)
        for _ in range(30):
            await one.wait("reply_ended", 10)
    assert fake.max_open <= 1
    messages = await ana.messages(room_id)
    assert len([message for message in messages if message["is_agent"]]) == 30
    assert not [message for message in messages if message["is_agent"] and message["asks_tutor"]]
    assert await live.collection("replies").count_documents({}) == 30


async def test_tutor_knows_the_room_and_its_ticket(
    live: Live, fake: FakeModels, ana: Person, ben: Person, visitor: httpx.AsyncClient
) -> None:
    """The model gets the room's recent messages with authors, and the ticket as data, but nothing of other rooms."""
    ticket = await create_ticket(visitor)
    other_room = await ana.make_room("Other")
    async with ana.socket(other_room) as elsewhere:
        await elsewhere.say("The canary sings elsewhere")
    room_id = await ana.make_room("About it", ticket_id=ticket["id"])
    await ben.join(room_id)
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        gone = await one.say("This is deleted before")
        await one.send("delete", message_id=gone["message"]["id"])
        await one.wait("message_deleted")
        await one.say("I use nginx")
        await other.say("And I use Caddy")
        await one.say("@tutor whose limit is it?")
        await one.wait("reply_ended")
        await other.say("@tutor and then?")
        await one.wait("reply_ended")
    body = str(fake.bodies[-1])
    for said in ("Ana: I use nginx", "Ben: And I use Caddy", "Ana: @tutor whose limit is it?", "Ben: and then?"):
        assert said in body
    assert "The proxy refuses the body first." in body
    assert "canary" not in body
    assert "This is deleted before" not in body


async def test_failing_model_ends_the_answer_with_a_sentence(fake: FakeModels, ana: Person, room_id: str) -> None:
    fake.script = "finish:SAFETY@2"
    async with ana.socket(room_id) as one:
        await one.say("@tutor why?")
        message = (await one.wait("reply_ended"))["message"]
        fake.reset()
        await one.say("@tutor again?")
        assert (await one.wait("reply_ended"))["message"]["status"] == "complete"
    assert message["status"] == "failed"
    assert message["error"].endswith(".")


async def test_question_by_http_is_a_message_and_a_stream(
    fake: FakeModels, ana: Person, ben: Person, room_id: str
) -> None:
    fake.text, fake.chunk, fake.delay_ms = LONG_ANSWER, 40, 10
    async with ben.socket(room_id) as other:
        await other.say("@tutor first mine")
        async with ana.client.stream(
            "POST", "/agent/stream", json={"room_id": room_id, "prompt": "And why?"}
        ) as response:
            assert response.status_code == 200
            events = [event async for event in events_of(response)]
        await other.wait("reply_ended")
    assert text_of(events) == LONG_ANSWER
    assert events[-1].event == "done"
    contents = [(message["name"], message["asks_tutor"]) for message in await ana.messages(room_id)]
    assert contents == [("Ben", True), ("Ana", True), ("Tutor", False), ("Tutor", False)]


@pytest.mark.parametrize("body", [{}, {"room_id": "x"}, {"prompt": "x"}, {"room_id": {"$ne": 1}, "prompt": "x"}])
async def test_malformed_question_is_422(ana: Person, body: dict[str, object]) -> None:
    assert (await ana.client.post("/agent/stream", json=body)).status_code == 422


@pytest.mark.parametrize("thought", ["Hm. ", "先想一想。", "فكر 🙂"])
async def test_thinking_is_kept_apart_and_deleted_with_its_answer(
    fake: FakeModels, ana: Person, ben: Person, room_id: str, thought: str
) -> None:
    parts = [{"text": thought, "thought": True}, {"text": "A proxy."}]
    chunks = [{"candidates": [{"content": {"parts": [part]}}]} for part in parts]
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"  # type: ignore[assignment]
    fake.says = [Says(*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks))]
    async with ana.socket(room_id) as one:
        await one.say("@tutor why?")
        ended = (await one.wait("reply_ended"))["message"]
        assert (ended["content"], ended["thinking"]) == ("A proxy.", thought)
        assert (await ben.messages(room_id))[-1] == ended
        await one.send("delete", message_id=ended["id"])
        await one.wait("message_deleted")
    assert (await ben.messages(room_id))[-1]["thinking"] is None
