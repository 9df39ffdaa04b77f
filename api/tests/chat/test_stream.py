"""The stream of a live server, byte for byte: its frames, following, resuming and stopping."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from testing.fake_gemini import TEXT
from testing.serving import Live
from testing.steps import ask, create_ticket, events_of, follow, start_asking, text_of, until
from tutordesk.tickets.models import Ticket

FRAME = re.compile(rb"(?:id: (\d+)\n)?event: (\w+)\ndata: (\{.*\})")


async def _open_upstream(live: Live, count: int) -> None:
    async def is_so() -> bool:
        return live.fake.open == count

    await until(is_so, 2)


async def test_frames_are_as_the_contract_says(live: Live, visitor: httpx.AsyncClient) -> None:
    async with visitor.stream("POST", "/chat/global/stream", json={"message": "Why?"}) as response:
        body = b"".join([part async for part in response.aiter_raw()])
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in response.headers["cache-control"]
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in response.headers
    comment, *frames, end = body.split(b"\n\n")
    assert comment.startswith(b":")
    assert end == b""
    parsed = [match.groups() for match in map(FRAME.fullmatch, frames) if match]
    assert len(parsed) == len(frames)
    assert parsed[0][1] == b"message_start"
    assert [name for _, name, _ in parsed][-2:] == [b"message_complete", b"done"]
    assert {name for _, name, _ in parsed[1:-2]} == {b"message_delta"}
    assert int(parsed[-3][0]) == len(TEXT)
    assert all(id is None for id, name, _ in parsed if name != b"message_delta")


async def test_events_carry_what_was_promised(live: Live, visitor: httpx.AsyncClient) -> None:
    ticket = await create_ticket(visitor)
    events = await ask(visitor, "Why?", f"/chat/ticket/{ticket['id']}/stream")
    start, end, done = events[0].data, events[-2].data, events[-1].data
    assert {"id", "session_id", "role", "model", "ticket_ids"} <= start.keys()
    assert start["role"] == "assistant"
    assert start["model"] == "gemini:fake"
    assert start["ticket_ids"] == [ticket["id"]]
    assert text_of(events) == end["content"] == TEXT
    assert end["status"] == "complete"
    assert end["usage"] == {"input_tokens": 21, "output_tokens": 17}
    assert end["citations"] == []
    assert done == {"session_id": start["session_id"]}


async def test_first_bytes_come_before_the_model(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.script = "timeout"
    question = {"message": "Why?"}
    async with asyncio.timeout(5), visitor.stream("POST", "/chat/global/stream", json=question) as response:  # of 30
        assert (await anext(events_of(response))).event == "message_start"


async def test_reply_goes_on_when_its_reader_leaves(live: Live, visitor: httpx.AsyncClient) -> None:
    """After a reload the text is whole, from any character on."""
    live.fake.delay_ms, live.fake.chunk = 10, 3
    start = await start_asking(visitor, "Why?")
    reply_id = start.data["id"]
    events = await follow(visitor, reply_id, 2)
    assert events[0].event == "message_delta"
    assert text_of(events) == TEXT[2:]
    assert events[-2].data["content"] == TEXT
    whole = await follow(visitor, reply_id)
    assert whole[0].event == "message_start"
    assert text_of(whole) == TEXT


async def test_cut_connections_lose_and_double_nothing(live: Live, visitor: httpx.AsyncClient) -> None:
    """Connections are cut at any byte, also inside a character and inside a frame. Only whole events are kept."""
    live.fake.text = "Größe 👩‍👩‍👧 ist “klein”, ふつう. " * 20
    live.fake.delay_ms, live.fake.chunk = 2, 2
    reply_id = (await start_asking(visitor, "Why?")).data["id"]
    shown, position, cuts = "", "0", 0
    is_done = False
    while not is_done:
        raw, limit = b"", 90 + 53 * cuts
        headers = {"Last-Event-ID": position}
        async with visitor.stream("GET", f"/chat/replies/{reply_id}/stream", headers=headers) as response:
            async for part in response.aiter_raw():
                raw += part
                if len(raw) >= limit:
                    raw = raw[:limit]
                    break
        for frame in raw.split(b"\n\n")[:-1]:
            if (match := FRAME.fullmatch(frame)) and match[2] == b"message_delta":
                import json

                shown, position = shown + json.loads(match[3])["delta"], match[1].decode()
            is_done = is_done or frame.startswith(b"event: done")
        cuts += 1
    assert shown == live.fake.text
    assert int(position) == len(live.fake.text)
    assert cuts > 5


async def test_two_tabs_see_the_same_and_either_stops_both(live: Live, visitor: httpx.AsyncClient) -> None:
    """Both tabs show the same text, and a stop in either ends both."""
    live.fake.delay_ms, live.fake.chunk = 20, 2
    first = asyncio.create_task(ask(visitor, "Why?"))
    sessions = await until(lambda: _running(visitor))
    reply_id = sessions[0]["running_reply"]["id"]
    second = asyncio.create_task(follow(visitor, reply_id))
    await asyncio.sleep(0.2)
    assert (await visitor.post(f"/chat/replies/{reply_id}/stop")).status_code == 202
    one, two = await asyncio.gather(first, second)
    assert text_of(one) == text_of(two) == one[-2].data["content"]
    assert one[-2].data["status"] == two[-2].data["status"] == "stopped"
    assert 0 < len(text_of(one)) < len(TEXT)
    assert TEXT.startswith(text_of(one))


async def _running(client: httpx.AsyncClient) -> list[dict[str, Any]] | None:
    sessions: list[dict[str, Any]] = (await client.get("/chat/sessions")).json()
    return sessions if sessions and sessions[0]["running_reply"] else None


@pytest.mark.parametrize("script", ["ok", "timeout", "stall@3"])
async def test_stop_closes_the_connection_upstream(live: Live, visitor: httpx.AsyncClient, script: str) -> None:
    """A stop before the first text, in the middle or while the model is silent closes upstream within 500 ms."""
    live.fake.script, live.fake.delay_ms = script, 50
    reading = asyncio.create_task(ask(visitor, "Why?"))
    await _open_upstream(live, 1)
    await asyncio.sleep(0.15)
    sessions = await until(lambda: _running(visitor))
    async with asyncio.timeout(0.5):
        await visitor.post(f"/chat/replies/{sessions[0]['running_reply']['id']}/stop")
        await _open_upstream(live, 0)
    assert (await reading)[-2].data["status"] == "stopped"


async def test_stop_is_idempotent_and_does_not_change_what_is_over(live: Live, visitor: httpx.AsyncClient) -> None:
    reply_id = (await ask(visitor, "Why?"))[0].data["id"]
    for _ in range(2):
        assert (await visitor.post(f"/chat/replies/{reply_id}/stop")).status_code == 202
    assert (await follow(visitor, reply_id))[-2].data["status"] == "complete"


async def _stop_after(client: httpx.AsyncClient, reply_id: str, seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert (await client.post(f"/chat/replies/{reply_id}/stop")).status_code == 202


async def test_stop_and_end_at_once_give_exactly_one_ending(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.delay_ms = 5
    for delay in range(12):
        events = []
        async with visitor.stream("POST", "/chat/global/stream", json={"message": "Why?"}) as response:
            stopping: asyncio.Task[None] | None = None
            async for event in events_of(response):
                events.append(event)
                stopping = stopping or asyncio.create_task(_stop_after(visitor, event.data["id"], delay * 0.006))
        assert stopping
        await stopping
        endings = [event.event for event in events if event.event in ("message_complete", "error")]
        assert endings == ["message_complete"]
        assert events[-1].event == "done"
        session = (await visitor.get(f"/chat/sessions/{events[-1].data['session_id']}")).json()
        assert [message["role"] for message in session["messages"]] == ["user", "assistant"]
        assert session["messages"][1]["content"] == text_of(events)
        assert session["messages"][1]["status"] == events[-2].data["status"]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("0", TEXT),
        ("5", TEXT[5:]),
        ("nonsense", TEXT),
        ("-3", TEXT),
        ("1e3", TEXT),
        ("99999", ""),
        ("٣", TEXT),
        ("", TEXT),
    ],
)
async def test_nonsensical_positions_are_clamped(
    live: Live, visitor: httpx.AsyncClient, position: str, expected: str
) -> None:
    """A nonsensical position counts as 0, one beyond the text as its end. The same from memory and from MongoDB."""
    reply_id = (await ask(visitor, "Why?"))[0].data["id"]
    url = f"/chat/replies/{reply_id}/stream"
    for _ in ("memory", "MongoDB"):
        async with visitor.stream("GET", url, params={"after": position}) as response:
            events = [event async for event in events_of(response)]
        assert text_of(events) == expected
        assert [event.event for event in events[-2:]] == ["message_complete", "done"]
        live.app.state.replies.running.clear()


async def test_stranger_gets_404(live: Live, visitor: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    """Someone else's stream, stop, history and chat answer as unknown ones do."""
    await create_ticket(stranger, title="Makes the stranger a visitor")
    start = (await ask(visitor, "Why?"))[0].data
    unknown = "0123456789abcdef01234567"
    for template in (
        "GET /chat/replies/{reply}/stream",
        "POST /chat/replies/{reply}/stop",
        "GET /chat/sessions/{session}",
    ):
        method, path = template.split()
        foreign = await stranger.request(
            method, path.format(reply=start["id"], session=start["session_id"]), headers={"Last-Event-ID": "3"}
        )
        none = await stranger.request(method, path.format(reply=unknown, session=unknown))
        assert foreign.status_code == none.status_code == 404
        assert foreign.content == none.content
    assert (await stranger.get("/chat/sessions")).json() == []
    body = {"message": "Mine now", "session_id": start["session_id"]}
    assert (await stranger.post("/chat/global/stream", json=body)).status_code == 404


async def test_admin_does_not_read_chats_of_others(
    live: Live, visitor: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    """An admin has no right to read what others ask."""
    from tutordesk.identity.models import User

    admin = await User.get((await create_ticket(stranger))["author_id"])
    assert admin
    await admin.set({"role": "admin"})
    start = (await ask(visitor, "Why?"))[0].data
    assert (await stranger.get(f"/chat/sessions/{start['session_id']}")).status_code == 404


async def test_repeated_message_follows_the_same_reply(live: Live, visitor: httpx.AsyncClient) -> None:
    """A repeated POST follows the reply that the first one started."""
    live.fake.delay_ms = 5
    first = await ask(visitor, "Why?", client_message_id="one")
    again = await ask(visitor, "Why?", client_message_id="one")
    assert again[0].data["id"] == first[0].data["id"]
    assert text_of(again) == TEXT
    assert live.fake.requests == 1
    other = await visitor.post("/chat/global/stream", json={"message": "How?", "client_message_id": "one"})
    assert other.status_code == 409
    assert len((await visitor.get("/chat/sessions")).json()) == 1


async def test_parallel_repeats_make_one_message(live: Live, visitor: httpx.AsyncClient) -> None:
    await create_ticket(visitor)  # so that all of them carry the same cookie
    live.fake.delay_ms = 5
    before = live.fake.requests
    answers = await asyncio.gather(*(ask(visitor, "Why?", client_message_id="same") for _ in range(20)))
    assert len({events[0].data["id"] for events in answers}) == 1
    assert {text_of(events) for events in answers} == {TEXT}
    sessions = (await visitor.get("/chat/sessions")).json()
    assert [session["message_count"] for session in sessions] == [2]
    assert live.fake.requests - before <= 2  # the reply, and the ticket's summary


async def test_second_message_while_answering_is_refused_and_loses_nothing(
    live: Live, visitor: httpx.AsyncClient
) -> None:
    live.fake.delay_ms = 30
    start = await start_asking(visitor, "Why?")
    body = {"message": "And?", "session_id": start.data["session_id"]}
    refused = await visitor.post("/chat/global/stream", json=body)
    assert refused.status_code == 409
    assert "still answering" in refused.json()["detail"]
    await follow(visitor, start.data["id"])
    assert text_of(await ask(visitor, **body)) == TEXT


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"message": ""}, 422),
        ({"message": " \n "}, 422),
        ({"message": {"$ne": None}}, 422),
        ({"message": "x", "role": "system"}, 422),
        ({"message": "x", "session_id": "nonsense"}, 404),
        ({"message": "x", "session_id": {"$ne": None}}, 422),
        ({"message": "x", "session_id": "0123456789abcdef01234567"}, 404),
        ({"message": "x", "client_message_id": ""}, 422),
        ({"message": "x" * 32_001}, 413),
        ({"message": "あ" * 10_667}, 413),
    ],
)
async def test_bad_message_is_refused_before_the_stream(
    live: Live, visitor: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    """Huge messages, wrong types and unknown fields are refused before a stream begins."""
    answer = await visitor.post("/chat/global/stream", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")
    assert live.fake.requests == 0


async def test_longest_message_is_taken(live: Live, visitor: httpx.AsyncClient) -> None:
    assert text_of(await ask(visitor, "x" * 32_000)) == TEXT


async def test_limits_say_when_to_try_again(live: Live, visitor: httpx.AsyncClient) -> None:
    from tutordesk.identity.limits import Limits

    state = live.app.state
    settings, limits = state.settings, state.limits
    live.fake.delay_ms = 50
    await create_ticket(visitor)
    try:
        state.limits = Limits(settings.model_copy(update={"max_running_replies": 2}))
        for _ in range(2):
            await start_asking(visitor, "Why?")
        refused = await visitor.post("/chat/global/stream", json={"message": "Why?"})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        state.limits = Limits(settings.model_copy(update={"max_messages_per_minute": 1}))
        await start_asking(visitor, "Why?")
        refused = await visitor.post("/chat/global/stream", json={"message": "Why?"})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        state.limits = Limits(settings.model_copy(update={"max_tokens_per_day": 10}))
        await ask(visitor, "Why?")
        assert (await visitor.post("/chat/global/stream", json={"message": "Why?"})).status_code == 429
    finally:
        state.settings, state.limits = settings, limits


async def test_ticket_chat_is_embedded_and_global_chat_is_not(live: Live, visitor: httpx.AsyncClient) -> None:
    """A chat about a ticket lives in the ticket, any other in a document of its own."""
    live.fake.title = ""  # the questions stay the titles
    ticket = await create_ticket(visitor)
    url = f"/chat/ticket/{ticket['id']}/stream"
    session_id = (await ask(visitor, "Why?", url))[0].data["session_id"]
    await ask(visitor, "And then?", url, session_id=session_id)
    await ask(visitor, "What else?")
    saved = await Ticket.get(ticket["id"])
    assert saved
    assert [[message.role for message in transcript.messages] for transcript in saved.transcripts] == [
        ["user", "assistant"] * 2
    ]
    assert (await visitor.get(f"/tickets/{ticket['id']}")).json()["transcript_count"] == 1
    session = await live.collection("chat_sessions").find_one({"ticket_id": None})
    assert [message["content"] for message in session["messages"]] == ["What else?", TEXT]
    read = (await visitor.get(f"/chat/sessions/{session_id}")).json()
    assert read["ticket_id"] == ticket["id"]
    assert read["message_count"] == 4
    assert [message["content"] for message in read["messages"]] == ["Why?", TEXT, "And then?", TEXT]
    rows = (await visitor.get("/chat/sessions")).json()
    assert [row["title"] for row in rows] == ["What else?", "Why?"]
    assert [row["id"] for row in (await visitor.get(f"/chat/sessions?ticket_id={ticket['id']}")).json()] == [session_id]


async def test_running_reply_is_named_and_not_among_the_messages(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.delay_ms = 30
    start = (await start_asking(visitor, "Why?")).data
    session = (await visitor.get(f"/chat/sessions/{start['session_id']}")).json()
    assert session["running_reply"] == {"id": start["id"]}
    assert [message["role"] for message in session["messages"]] == ["user"]
    await follow(visitor, start["id"])
    session = (await visitor.get(f"/chat/sessions/{start['session_id']}")).json()
    assert session["running_reply"] is None
    assert [message["role"] for message in session["messages"]] == ["user", "assistant"]


async def test_full_ticket_overflows_and_moves_transcripts_out(live: Live, visitor: httpx.AsyncClient) -> None:
    """A ticket holds at most 20 transcripts and about 1 MB. A chat keeps its id and its messages when it moves."""
    ticket = await create_ticket(visitor)
    url = f"/chat/ticket/{ticket['id']}/stream"
    ids = [(await ask(visitor, f"Question {n}", url))[0].data["session_id"] for n in range(22)]
    saved = await Ticket.get(ticket["id"])
    assert saved
    assert len(saved.transcripts) == 20
    assert saved.transcript_count == 22
    await live.collection("tickets").update_one({}, {"$set": {"transcript_bytes": 1_000_000}})
    await ask(visitor, "One more", url, session_id=ids[0])
    saved = await Ticket.get(ticket["id"])
    assert saved
    assert len(saved.transcripts) == 19
    for session_id, count in ((ids[0], 4), (ids[1], 2), (ids[21], 2)):
        read = (await visitor.get(f"/chat/sessions/{session_id}")).json()
        assert len(read["messages"]) == read["message_count"] == count


async def test_long_chat_opens_at_its_newest_page(live: Live, visitor: httpx.AsyncClient) -> None:
    from tutordesk.replies.models import Message

    session_id = (await ask(visitor, "Why?"))[0].data["session_id"]
    messages = [Message(role="user", content=f"m{n}").model_dump() for n in range(230)]
    await live.collection("chat_sessions").update_one({}, {"$set": {"messages": messages, "message_count": 230}})
    seen: list[str] = []
    url: str | None = f"/chat/sessions/{session_id}"
    while url:
        answer = await visitor.get(url)
        seen = [message["content"] for message in answer.json()["messages"]] + seen
        url = answer.links.get("next", {}).get("url")
    assert seen == [f"m{n}" for n in range(230)]


async def test_list_of_chats_pages_and_reads_no_transcript(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.title = ""  # the questions stay the titles
    for number in range(5):
        await ask(visitor, f"Question {number}")
    seen: list[str] = []
    url: str | None = "/chat/sessions?limit=2"
    while url:
        answer = await visitor.get(url)
        seen += [row["title"] for row in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert seen == [f"Question {n}" for n in (4, 3, 2, 1, 0)]
    assert (await visitor.get("/chat/sessions?cursor=x")).status_code == 422
    me = (await visitor.get("/me")).json()["id"]
    from beanie import PydanticObjectId

    from tutordesk.chat.models import PARTS_OF_ROW

    plan = (
        await live.collection("chat_sessions")
        .find({"author_id": PydanticObjectId(me), "is_deleted": False}, PARTS_OF_ROW)
        .sort([("updated_at", -1), ("_id", -1)])
        .hint("history")
        .explain()
    )
    assert plan["executionStats"]["totalDocsExamined"] == 0
