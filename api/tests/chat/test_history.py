"""Past chats: pages of long ones, titles, renaming, the trash, search, export, versions of a turn and ratings."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from beanie import PydanticObjectId

from testing.fake_gemini import TEXT
from testing.serving import Live
from testing.steps import ask, create_ticket, follow, start_asking, text_of, until
from tutordesk.chat.history import MAX_HITS
from tutordesk.chat.homes import KEPT_MESSAGES, MAX_MESSAGES
from tutordesk.chat.models import ChatSession
from tutordesk.replies.models import Message

UNKNOWN = "0123456789abcdef01234567"


async def _ask(client: httpx.AsyncClient, message: str, **more: Any) -> str:
    """Ask, wait for the end. Returns the chat's id."""
    return str((await ask(client, message, **more))[0].data["session_id"])


async def _read(client: httpx.AsyncClient, session_id: str) -> dict[str, Any]:
    read: dict[str, Any] = (await client.get(f"/chat/sessions/{session_id}")).json()
    return read


async def _found(client: httpx.AsyncClient, q: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await client.get("/chat/sessions", params={"q": q})).json()
    return rows


async def _find(client: httpx.AsyncClient, q: str) -> list[dict[str, Any]]:
    """Words are found within a second of the end of an answer."""

    async def rows() -> list[dict[str, Any]]:
        return await _found(client, q)

    hits: list[dict[str, Any]] = await until(rows, 3)
    return hits


async def test_title_comes_from_the_model_and_never_over_a_person(live: Live, visitor: httpx.AsyncClient) -> None:
    """The title is the question's beginning, then the model's. The chat keeps its place in the list."""
    first = await _ask(visitor, "Why does **my upload** fail with 413?")
    second = await _ask(visitor, "What else?")
    before = [row["id"] for row in (await visitor.get("/chat/sessions")).json()]

    async def is_titled() -> bool:
        rows = (await visitor.get("/chat/sessions")).json()
        return {row["title"] for row in rows} == {"Uploads and their limits"}

    await until(is_titled)
    assert [row["id"] for row in (await visitor.get("/chat/sessions")).json()] == before == [second, first]
    assert live.fake.titles == 2
    live.fake.title = "Too late"
    start = await start_asking(visitor, "Third?")
    third = start.data["session_id"]
    assert (await visitor.patch(f"/chat/sessions/{third}", json={"title": "Mine"})).json()["title"] == "Mine"
    await follow(visitor, start.data["id"])

    async def was_asked() -> bool:
        return live.fake.titles == 3

    await until(was_asked)
    await live.app.state.titles.close()
    assert (await _read(visitor, third))["title"] == "Mine"


async def test_title_of_a_failed_or_continued_chat_stays(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.script = "finish:SAFETY@1"
    session_id = await _ask(visitor, "Why?")
    live.fake.script = "ok"
    await _ask(visitor, "And now?", session_id=session_id)
    await asyncio.gather(*(run.task for run in live.app.state.replies.running.values() if run.task))
    await _find(visitor, "now")  # what is found has been through the same pass as titles
    assert live.fake.titles == 0
    assert (await _read(visitor, session_id))["title"] == "Why?"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": "  New \n name "}, 200),
        ({"title": ""}, 422),
        ({"title": "   "}, 422),
        ({"title": "x" * 121}, 422),
        ({"title": None}, 422),
        ({"title": {"$ne": 1}}, 422),
        ({"title": "x", "author_id": UNKNOWN}, 422),
        ({}, 422),
    ],
)
async def test_chat_is_renamed(live: Live, visitor: httpx.AsyncClient, body: dict[str, Any], status: int) -> None:
    session_id = await _ask(visitor, "Why?")
    answer = await visitor.patch(f"/chat/sessions/{session_id}", json=body)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["title"] == "New name"
        assert [row["hit"]["message_id"] for row in await _found(visitor, "new nam")] == [None]
    else:
        assert answer.json()["detail"].endswith(".")


async def test_delete_goes_to_a_trash_and_comes_back(live: Live, visitor: httpx.AsyncClient) -> None:
    """A deleted chat is gone from list, search, reading and asking. Undo brings all of it back."""
    ticket = await create_ticket(visitor)
    session_id = await _ask(visitor, "Why zebra?", to=f"/chat/ticket/{ticket['id']}/stream")
    assert [row["id"] for row in await _find(visitor, "zebra")] == [session_id]
    url = f"/chat/sessions/{session_id}"
    assert (await visitor.delete(url)).status_code == 204
    assert (await visitor.get("/chat/sessions")).json() == await _found(visitor, "zebra") == []
    assert (await visitor.get(url)).status_code == (await visitor.delete(url)).status_code == 404
    body = {"message": "More?", "session_id": session_id}
    assert (await visitor.post(f"/chat/ticket/{ticket['id']}/stream", json=body)).status_code == 404
    assert (await visitor.get(f"/tickets/{ticket['id']}")).json()["transcript_count"] == 0
    for _ in range(2):
        assert (await visitor.post(f"{url}/restore")).json()["id"] == session_id
    assert [message["content"] for message in (await _read(visitor, session_id))["messages"]] == ["Why zebra?", TEXT]
    assert [row["id"] for row in await _found(visitor, "zebra")] == [session_id]
    assert (await visitor.get(f"/tickets/{ticket['id']}")).json()["transcript_count"] == 1


async def test_deletion_stops_a_running_answer_and_keeps_its_text(live: Live, visitor: httpx.AsyncClient) -> None:
    live.fake.delay_ms, live.fake.chunk = 20, 2
    start = await start_asking(visitor, "Why?")
    assert (await visitor.delete(f"/chat/sessions/{start.data['session_id']}")).status_code == 204
    assert (await follow(visitor, start.data["id"]))[-2].data["status"] == "stopped"
    assert (await visitor.post(f"/chat/sessions/{start.data['session_id']}/restore")).status_code == 200
    assert len((await _read(visitor, start.data["session_id"]))["messages"]) == 2


async def test_search_finds_messages_and_opens_at_them(live: Live, visitor: httpx.AsyncClient) -> None:
    """Every word counts, by its beginning, in any language. The hit is a message whose excerpt shows the word."""
    ticket = await create_ticket(visitor)
    one = await _ask(visitor, "Wie groß darf ein Zebrastreifen sein?")
    live.fake.text = "filler " * 300 + "then the **Okapi** runs " + "on " * 300
    two = await _ask(visitor, "東京タワーの高さは？", to=f"/chat/ticket/{ticket['id']}/stream")
    live.fake.text = TEXT
    hit = (await _find(visitor, "okap"))[0]
    assert hit["id"] == two
    assert "the Okapi runs" in hit["hit"]["excerpt"]
    assert len(hit["hit"]["excerpt"]) <= 170
    answer = (await _read(visitor, two))["messages"][1]
    assert hit["hit"]["message_id"] == answer["id"]
    around = (await visitor.get(f"/chat/sessions/{two}", params={"around": answer["id"]})).json()
    assert answer in around["messages"]
    for q, expected in (
        ("GROSS zebra", [one]),
        ("東京タワー", [two]),
        ("zebra okapi", []),
        ("(qx+)+$", []),
        ("?!", []),
        ("$where", []),
    ):
        assert [row["id"] for row in await _found(visitor, q)] == expected, q
    only = (await visitor.get("/chat/sessions", params={"q": "zebra", "ticket_id": ticket["id"]})).json()
    assert only == []


async def test_search_puts_titles_first_and_finds_what_one_long_chat_would_hide(
    live: Live, visitor: httpx.AsyncClient
) -> None:
    live.fake.title = ""  # the questions stay the titles
    first = await _ask(visitor, "Named later?")
    quiet = await _ask(visitor, "x", to="/chat/global/stream")
    live.fake.text = "zebra"
    await _ask(visitor, "Once?", session_id=quiet)
    loud = await _ask(visitor, "Often?")
    await _find(visitor, "often")
    words = await live.collection("message_words").find_one({"session_id": PydanticObjectId(loud), "text": "zebra"})
    many = [{**words, "_id": PydanticObjectId()} for _ in range(MAX_HITS[0])]
    await live.collection("message_words").insert_many(many)
    await visitor.patch(f"/chat/sessions/{first}", json={"title": "Zebra"})
    rows = await _found(visitor, "zebra")
    assert [row["id"] for row in rows] == [first, loud, quiet]
    assert rows[0]["hit"]["message_id"] is None


async def test_search_finds_nothing_of_other_people(
    live: Live, visitor: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    """A search reads only the chats of the person who searches."""
    await create_ticket(stranger)
    session_id = await _ask(visitor, "Why zebra?")
    await _find(visitor, "zebra")
    assert await _found(stranger, "zebra") == []
    assert (await visitor.get("/chat/sessions", params={"q": "x" * 201})).status_code == 422
    message_id = (await _read(visitor, session_id))["messages"][1]["id"]
    for method, path, body in (
        ("GET", "/chat/sessions/{}/export", None),
        ("GET", "/chat/sessions/{}?around=" + message_id, None),
        ("PATCH", "/chat/sessions/{}", {"title": "Mine now"}),
        ("DELETE", "/chat/sessions/{}", None),
        ("POST", "/chat/sessions/{}/restore", None),
        ("PATCH", "/chat/sessions/{}/messages/" + message_id, {"feedback": None}),
    ):
        foreign = await stranger.request(method, path.format(session_id), json=body)
        none = await stranger.request(method, path.format(UNKNOWN), json=body)
        assert foreign.status_code == none.status_code == 404, (method, path)
        assert foreign.content == none.content


async def test_export_keeps_everything(live: Live, visitor: httpx.AsyncClient) -> None:
    """Markdown keeps maths, code and a stop mark, JSON keeps everything, and the file has a safe name."""
    live.fake.text = "Use `x`:\n\n```py\nprint(1)\n```\n\nand \\(a^2\\)."
    session_id = await _ask(visitor, 'Größe "/.." of <b>?')
    live.fake.script = "cut@2"
    await _ask(visitor, "Again?", session_id=session_id)
    await visitor.patch(f"/chat/sessions/{session_id}", json={"title": 'Größe: "a/b"'})
    answer = await visitor.get(f"/chat/sessions/{session_id}/export")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"Gre a b.md\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20a%20b.md"
    )
    assert answer.text.startswith('# Größe: "a/b"\n')
    assert live.fake.text in answer.text
    assert "\n*Failed: " in answer.text
    whole = (await visitor.get(f"/chat/sessions/{session_id}/export", params={"format": "json"})).json()
    assert whole["messages"] == (await _read(visitor, session_id))["messages"]
    by_link = await visitor.get(f"/chat/sessions/{session_id}/export", headers={"Accept": "text/html,*/*;q=0.8"})
    assert by_link.content == answer.content
    assert (await visitor.get(f"/chat/sessions/{session_id}/export", params={"format": "pdf"})).status_code == 422
    assert (await visitor.get(f"/chat/sessions/{UNKNOWN}/export")).status_code == 404


@pytest.mark.parametrize("home", ["global", "ticket"])
async def test_regenerated_and_edited_turns_keep_what_was_there(
    live: Live, visitor: httpx.AsyncClient, home: str
) -> None:
    """The same question gets one more answer. An edited one takes its place and keeps the old one with its answers."""
    url = "/chat/global/stream"
    if home == "ticket":
        url = f"/chat/ticket/{(await create_ticket(visitor))['id']}/stream"
    session_id = await _ask(visitor, "First?", to=url)
    live.fake.text = "one"
    await _ask(visitor, "Last?", to=url, session_id=session_id)
    question = (await _read(visitor, session_id))["messages"][2]["id"]
    live.fake.text = "two"
    again = await ask(visitor, "Last?", url, session_id=session_id, replaces=question)
    assert again[0].data["replaces"] == again[0].data["question_id"] == question
    assert again[0].data["question"] == "Last?"
    sent = json.dumps(live.fake.bodies[-1])
    assert "First?" in sent
    assert sent.count("Last?") == 1
    read = await _read(visitor, session_id)
    assert [message["content"] for message in read["messages"]] == ["First?", TEXT, "Last?", "two"]
    assert [message["content"] for message in read["messages"][3]["alternatives"]] == ["one"]
    live.fake.text = "three"
    edited = await ask(visitor, "Very last?", url, session_id=session_id, replaces=question)
    assert edited[0].data["replaces"] == question != edited[0].data["question_id"]
    read = await _read(visitor, session_id)
    assert [message["content"] for message in read["messages"]] == ["First?", TEXT, "Very last?", "three"]
    assert read["message_count"] == 4
    assert read["messages"][3]["alternatives"] == []
    old = read["messages"][2]["alternatives"][0]
    assert [old["content"], *(one["content"] for one in old["answers"])] == ["Last?", "one", "two"]
    refused = await visitor.post(url, json={"message": "x", "session_id": session_id, "replaces": question})
    assert refused.status_code == 409
    for bad in ("nonsense", UNKNOWN):
        body = {"message": "x", "session_id": session_id, "replaces": bad}
        assert (await visitor.post(url, json=body)).status_code in (404, 409)
    assert (await visitor.post(url, json={"message": "x", "replaces": question})).status_code == 409


async def test_repeat_of_an_edited_turn_follows_it(live: Live, visitor: httpx.AsyncClient) -> None:
    session_id = await _ask(visitor, "Last?")
    question = (await _read(visitor, session_id))["messages"][0]["id"]
    body = {"session_id": session_id, "replaces": question, "client_message_id": "again"}
    first = await ask(visitor, "Edited?", **body)
    second = await ask(visitor, "Edited?", **body)
    assert first[0].data["id"] == second[0].data["id"]
    assert (await _read(visitor, session_id))["message_count"] == 2


async def test_turn_with_too_many_versions_is_refused(live: Live, visitor: httpx.AsyncClient) -> None:
    """No document may come near 16 MB."""
    session_id = await _ask(visitor, "Last?")
    question = (await _read(visitor, session_id))["messages"][0]["id"]
    await live.collection("chat_sessions").update_one({}, {"$set": {"messages.1.content": "x" * 1_000_000}})
    body = {"message": "Last?", "session_id": session_id, "replaces": question}
    refused = await visitor.post("/chat/global/stream", json=body)
    assert refused.status_code == 413
    assert "versions" in refused.json()["detail"]


@pytest.mark.parametrize("home", ["global", "ticket", "page"])
async def test_thumbs_with_a_reason_are_kept(live: Live, visitor: httpx.AsyncClient, home: str) -> None:
    """A rating and its reason are stored with the answer."""
    url = "/chat/global/stream"
    if home == "ticket":
        url = f"/chat/ticket/{(await create_ticket(visitor))['id']}/stream"
    session_id = await _ask(visitor, "Why?", to=url)
    question, answer = (await _read(visitor, session_id))["messages"]
    if home == "page":
        await _lengthen(live, visitor, session_id)
    path = f"/chat/sessions/{session_id}/messages/{answer['id']}"
    for feedback in ({"thumb": "down", "reason": "Too long"}, {"thumb": "up", "reason": ""}, None):
        assert (await visitor.patch(path, json={"feedback": feedback})).status_code == 204
        around = (await visitor.get(f"/chat/sessions/{session_id}", params={"around": answer["id"]})).json()
        assert [message["feedback"] for message in around["messages"] if message["id"] == answer["id"]] == [feedback]
    for bad in ({"thumb": "sideways"}, {"thumb": "up", "reason": "x" * 1001}, "up", {"thumb": "up", "by": "me"}):
        assert (await visitor.patch(path, json={"feedback": bad})).status_code == 422
    assert (await visitor.patch(path, json={})).status_code == 422
    other = f"/chat/sessions/{session_id}/messages/{question['id']}"
    assert (await visitor.patch(other, json={"feedback": {"thumb": "up"}})).status_code == 404


async def _lengthen(live: Live, client: httpx.AsyncClient, session_id: str) -> None:
    """Give a chat messages until its oldest ones have to move into a page, which the next question does."""
    more = [Message(role="user", content=f"m{n}").model_dump() for n in range(MAX_MESSAGES)]
    change = {"$push": {"messages": {"$each": more}}, "$inc": {"message_count": len(more)}}
    await live.collection("chat_sessions").update_one({"_id": PydanticObjectId(session_id)}, change)
    await _ask(client, "One more?", session_id=session_id)


async def test_long_chat_moves_into_pages_and_reads_the_same(live: Live, visitor: httpx.AsyncClient) -> None:
    """No document grows without bound. Every message keeps its id and its place, from both ends."""
    session_id = await _ask(visitor, "Why?")
    for _ in range(3):
        await _lengthen(live, visitor, session_id)
    saved = await ChatSession.get(session_id)
    assert saved
    assert len(saved.messages) <= KEPT_MESSAGES + MAX_MESSAGES
    assert saved.first + len(saved.messages) == saved.message_count == 3 * (MAX_MESSAGES + 2) + 2
    assert await live.collection("chat_pages").count_documents({}) == 3
    expected = ["Why?", TEXT]
    for _ in range(3):
        expected += [*(f"m{n}" for n in range(MAX_MESSAGES)), "One more?", TEXT]
    seen: list[dict[str, Any]] = []
    url: str | None = f"/chat/sessions/{session_id}"
    while url:
        answer = await visitor.get(url)
        seen = answer.json()["messages"] + seen
        url = answer.links.get("next", {}).get("url")
    assert [message["content"] for message in seen] == expected
    assert len({message["id"] for message in seen}) == len(seen)
    answer = await visitor.get(f"/chat/sessions/{session_id}", params={"around": seen[150]["id"]})
    forward = answer.json()["messages"]
    assert seen[150] in forward
    while url := answer.links.get("prev", {}).get("url"):
        answer = await visitor.get(url)
        forward += answer.json()["messages"]
    assert forward == seen[130:]
    exported = (await visitor.get(f"/chat/sessions/{session_id}/export", params={"format": "json"})).json()
    assert exported["messages"] == seen


async def test_moving_out_loses_no_concurrent_append(live: Live, visitor: httpx.AsyncClient) -> None:
    """Chats of one full ticket continue at the same time. Each moves out whole, with its id and every message."""
    ticket = await create_ticket(visitor)
    url = f"/chat/ticket/{ticket['id']}/stream"
    ids = await asyncio.gather(*(_ask(visitor, f"First {n}?", to=url) for n in range(6)))
    await live.collection("tickets").update_one({}, {"$set": {"transcript_bytes": 1_000_000}})
    await asyncio.gather(*(_ask(visitor, f"Second {n}?", to=url, session_id=id) for n, id in enumerate(ids)))
    for n, session_id in enumerate(ids):
        read = await _read(visitor, session_id)
        assert [message["content"] for message in read["messages"]] == [f"First {n}?", TEXT, f"Second {n}?", TEXT]
        assert read["message_count"] == 4
    saved = await live.collection("tickets").find_one({})
    assert [len(one["messages"]) for one in saved["transcripts"]] == [4] * len(saved["transcripts"])


async def test_question_waits_until_an_ended_answer_is_delivered(live: Live, visitor: httpx.AsyncClient) -> None:
    """A process that dies between a reply's ending and its delivery does not change the order of the turns."""
    session_id = await _ask(visitor, "First?")
    answer = (await _read(visitor, session_id))["messages"][1]
    chat = {"_id": PydanticObjectId(session_id)}
    unjoined = {
        "$pull": {"messages": {"id": PydanticObjectId(answer["id"])}},
        "$inc": {"message_count": -1},
        "$set": {"running_reply": PydanticObjectId(answer["id"])},
    }
    await live.collection("chat_sessions").update_one(chat, unjoined)
    await _ask(visitor, "Second?", session_id=session_id)
    read = await _read(visitor, session_id)
    assert [message["content"] for message in read["messages"]] == ["First?", TEXT, "Second?", TEXT]
    assert read["message_count"] == 4
    assert TEXT.replace("`", "") in json.dumps(live.fake.bodies[-1]).replace("`", "")


async def test_stale_tab_adds_its_turn_after_the_others(live: Live, visitor: httpx.AsyncClient) -> None:
    """The client never sends history, so a tab that knows less overwrites nothing."""
    session_id = await _ask(visitor, "First?")
    await _ask(visitor, "From the other tab?", session_id=session_id)
    assert text_of(await ask(visitor, "From the stale tab?", session_id=session_id)) == TEXT
    read = await _read(visitor, session_id)
    questions = [message["content"] for message in read["messages"] if message["role"] == "user"]
    assert questions == ["First?", "From the other tab?", "From the stale tab?"]
