"""Restores of one ticket or one chat, while a server runs and lists are open."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pymongo
import pytest
from bson import ObjectId

from testing.fake_gemini import TEXT, FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.steps import Event, ask, create_ticket, events_of, start_asking, until
from tutordesk.operations.catalog import newest_entry
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.changelog.reading import verify
from tutordesk.operations.embedded.mongod import mongodb_url
from tutordesk.operations.names import CHANGE_LOG_FOLDER


@pytest.fixture(scope="module")
async def running(fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    """One server for all tests here: each has tickets, chats and people of its own."""
    data_dir = tmp_path_factory.mktemp("data")
    serving = await Serving(data_dir, OPENAI_BASE_URL=fake_server.openai_url, **ENVIRONMENT).start()

    async def has_base() -> bool:
        return bool(list_bases(data_dir / CHANGE_LOG_FOLDER))

    await until(has_base, 20)
    yield serving
    await serving.end()


@pytest.fixture
def server(running: Serving, fake: FakeModels) -> Serving:
    return running


@pytest.fixture
def database(server: Serving) -> Any:
    with pymongo.MongoClient[Any](mongodb_url(server.data_dir), tz_aware=True) as client:
        yield client["tutordesk"]


async def until_settled(database: Any, *session_ids: str) -> None:
    """Wait for what the server adds by itself: tickets' summaries, and of these chats deliveries, titles and words."""
    sessions = {"$in": [ObjectId(session_id) for session_id in session_ids]}

    async def is_settled() -> bool:
        if database["tickets"].count_documents({"summary_status": "pending"}):
            return False
        chats = list(database["chat_sessions"].find({"_id": sessions}))
        replies = list(database["replies"].find({"session_id": sessions, "status": {"$ne": "streaming"}}))
        words = {row["_id"]: row["text"] for row in database["message_words"].find({"session_id": sessions})}
        are_titled = all(chat["titled_by"] == "model" and words.get(chat["_id"]) == chat["title"] for chat in chats)
        return are_titled and all(
            reply["is_joined"] and {reply["question"]["id"], reply["_id"]} <= words.keys() for reply in replies
        )

    await until(is_settled)


async def instant(server: Serving, database: Any) -> str:
    """Return the instant of now, once all until now is in the change log."""
    at = newest_entry(database.client).ts
    database["marks"].insert_one({})
    behind = newest_entry(database.client).ts

    async def is_logged() -> bool:
        last = verify(server.data_dir / CHANGE_LOG_FOLDER).last
        return bool(last and last >= behind)

    await until(is_logged)
    return f"{at.time}:{at.inc}"


async def next_event(stream: httpx.Response) -> Event:
    return await anext(events_of(stream))


async def chat_about(client: httpx.AsyncClient, ticket: dict[str, Any], question: str) -> str:
    return str((await ask(client, question, f"/chat/ticket/{ticket['id']}/stream"))[0].data["session_id"])


async def questions(client: httpx.AsyncClient, session_id: str) -> list[str]:
    answer = await client.get(f"/chat/sessions/{session_id}")
    assert answer.status_code == 200, answer.text
    return [message["content"] for message in answer.json()["messages"] if message["role"] == "user"]


async def test_purged_ticket_is_restored_with_its_chats(server: Serving, database: Any) -> None:
    async with server.client() as client, server.client() as other:
        ticket = await create_ticket(client, title="Gone for ever")
        embedded, moved = [await chat_about(client, ticket, text) for text in ("Held?", "Moved?")]
        await until_settled(database, embedded, moved)
        at = await instant(server, database)
        database["chat_sessions"].update_one({"_id": ObjectId(moved)}, {"$set": {"home": "session"}})
        database["tickets"].delete_one({"_id": ObjectId(ticket["id"])})
        database["chat_sessions"].delete_one({"_id": ObjectId(embedded)})
        database["message_words"].delete_many({"session_id": ObjectId(embedded)})
        command = ("restore", "--until", at, "--ticket", ticket["id"])
        code, said = await server.run(*command, "--dry-run")
        assert (code, "tickets: 1 would appear, 0 change, 0 vanish\n  + Gone for ever\n" in said) == (0, True), said
        assert (await client.get(f"/tickets/{ticket['id']}")).status_code == 404
        async with other.stream("GET", "/tickets/events") as stream:
            told = asyncio.create_task(next_event(stream))
            code, said = await server.run(*command)
            assert (code, "tickets: 1 came back" in said, "chat_sessions: 1 came back" in said) == (0, True, True), said
            event = await asyncio.wait_for(told, 10)
        assert (event.event, event.data["title"]) == ("created", "Gone for ever")
        again = (await client.get(f"/tickets/{ticket['id']}")).json()
        assert {**again, "summary_status": ""} == {**ticket, **again, "summary_status": ""}
        assert again["author_id"] == ticket["author_id"]
        assert await questions(client, embedded) == ["Held?"]
        row = database["tickets"].find_one({"_id": ObjectId(ticket["id"])})
        assert [transcript["id"] for transcript in row["transcripts"]] == [ObjectId(embedded)]
        assert [hit["id"] for hit in (await client.get("/chat/sessions?q=held")).json()] == [embedded]
        code, said = await server.run(*command)
        assert (code, said) == (0, "It is as it was then.\n")


async def test_edited_ticket_is_restored_and_keeps_its_new_chats(server: Serving, database: Any) -> None:
    async with server.client() as client, server.client() as other:
        ticket = await create_ticket(client, title="As it was")
        early = await chat_about(client, ticket, "Early?")
        await until_settled(database, early)
        at = await instant(server, database)
        change = {"title": "Spoilt", "description": "Nothing left.", "tags": []}
        assert (await client.patch(f"/tickets/{ticket['id']}", json=change)).status_code == 200
        late = await chat_about(client, ticket, "Late?")
        async with other.stream("GET", "/tickets/events") as stream:
            told = asyncio.create_task(next_event(stream))
            code, said = await server.run("restore", "--until", at, "--ticket", ticket["id"])
            assert (code, said) == (0, "tickets: 0 came back, 1 changed, 0 gone\n  ~ As it was\n")
            event = await asyncio.wait_for(told, 10)
        assert (event.event, event.data["title"]) == ("updated", "As it was")
        again = (await client.get(f"/tickets/{ticket['id']}")).json()
        assert (again["description"], again["tags"]) == (ticket["description"], ticket["tags"])
        assert [row["title"] for row in (await client.get("/tickets?q=As+it+was")).json()] == ["As it was"]
        assert (await client.get("/tickets?q=spoilt")).json() == []
        assert [await questions(client, one) for one in (early, late)] == [["Early?"], ["Late?"]]


async def test_chat_with_pages_is_restored_to_the_message(server: Serving, database: Any) -> None:
    """The chat is so long that a part of it is in pages. Later messages are gone."""
    async with server.client() as client:
        session_id = (await ask(client, "Question 0"))[0].data["session_id"]
        message = database["chat_sessions"].find_one({"_id": ObjectId(session_id)})["messages"]
        filler = [{**message[number % 2], "_id": None, "id": ObjectId()} for number in range(200)]
        database["chat_sessions"].update_one(
            {"_id": ObjectId(session_id)}, {"$push": {"messages": {"$each": filler}}, "$inc": {"message_count": 200}}
        )
        await ask(client, "The last one then", session_id=session_id)
        pages = list(database["chat_pages"].find())
        assert len(pages) == 1
        await until_settled(database, session_id)
        before = database["chat_sessions"].find_one({"_id": ObjectId(session_id)})
        at = await instant(server, database)
        await ask(client, "Written since", session_id=session_id)
        await until_settled(database, session_id)
        assert (await client.get("/chat/sessions?q=since")).json()
        database["chat_pages"].delete_many({})
        command = ("restore", "--until", at, "--chat", session_id)
        code, said = await server.run(*command, "--dry-run")
        assert code == 0, said
        assert "chat_sessions: 0 would appear, 1 change, 0 vanish\n" in said
        assert "chat_pages: 1 would appear, 0 change, 0 vanish\n" in said
        assert "message_words: 0 would appear, 0 change, 2 vanish\n" in said
        code, said = await server.run(*command)
        assert (code, "chat_pages: 1 came back" in said) == (0, True), said
        assert database["chat_sessions"].find_one({"_id": ObjectId(session_id)}) == before
        assert list(database["chat_pages"].find()) == pages
        assert (await client.get("/chat/sessions?q=since")).json() == []
        assert (await ask(client, "And on it goes", session_id=session_id))[-1].event == "done"


async def test_chat_about_a_ticket_is_restored_by_itself(server: Serving, database: Any, fake: FakeModels) -> None:
    """The chat then holds its messages, and its ticket no longer does. An answer that ran then does not run again."""
    async with server.client() as client:
        ticket = await create_ticket(client)
        session_id = await chat_about(client, ticket, "First?")
        other = await chat_about(client, ticket, "Other?")
        fake.text, fake.delay_ms, fake.chunk = TEXT * 10, 50, 4
        path = f"/chat/ticket/{ticket['id']}/stream"
        await until_settled(database, session_id, other)
        start = await start_asking(client, "Running?", path, session_id=session_id)
        at = await instant(server, database)
        command = ("restore", "--until", at, "--chat", session_id)
        code, said = await server.run(*command)
        assert (code, "The tutor is still answering in this chat" in said) == (2, True), said
        await client.post(f"/chat/replies/{start.data['id']}/stop")

        async def is_joined() -> bool:
            return (await client.get(f"/chat/sessions/{session_id}")).json()["running_reply"] is None

        await until(is_joined)
        code, said = await server.run(*command)
        assert code == 0, said
        chat = (await client.get(f"/chat/sessions/{session_id}")).json()
        assert [message["content"] for message in chat["messages"]] == ["First?", TEXT, "Running?"]
        assert (chat["message_count"], chat["running_reply"]) == (3, None)
        row = database["tickets"].find_one({"_id": ObjectId(ticket["id"])})
        assert [transcript["id"] for transcript in row["transcripts"]] == [ObjectId(other)]
        fake.text, fake.delay_ms, fake.chunk = TEXT, 0, 12
        await ask(client, "On?", path, session_id=session_id)
        assert await questions(client, session_id) == ["First?", "Running?", "On?"]


async def test_restore_of_what_did_not_exist_is_refused(server: Serving, database: Any) -> None:
    async with server.client() as client:
        at = await instant(server, database)
        ticket = await create_ticket(client)
        await instant(server, database)
        for selection, said in (
            (("--ticket", ticket["id"]), f"There was no ticket {ticket['id']} at that instant"),
            (("--chat", "0" * 24), "There was no chat 000000000000000000000000 at that instant"),
            (("--ticket", "42"), "'42' is no id of a ticket"),
            (("--ticket", ticket["id"], "--chat", "0" * 24), "not both at once"),
        ):
            code, answer = await server.run("restore", "--until", at, *selection)
            assert (code, said in answer) == (2, True), answer
        assert (await client.get(f"/tickets/{ticket['id']}")).json()["title"] == ticket["title"]
        names = database.list_collection_names()
        assert not [name for name in names if name.startswith("restoring.")]
