"""Dead processes are recognised, and their replies recovered. This process plays all of them."""

import asyncio
from pathlib import Path

import httpx
from beanie import PydanticObjectId

from testing.serving import Live
from testing.steps import ask, create_ticket
from tutordesk.ground.clock import now
from tutordesk.replies.liveness import MAX_UNCHANGED_CHECKS, Lookout, Owner, has_ended_here, owner_of, server_id
from tutordesk.replies.models import Message, Reply, ReplyStatus, TextPart
from tutordesk.replies.replies import Replies
from tutordesk.replies.run import Run


async def test_silent_owner_is_dead_after_five_looks_and_a_beating_one_never(live: Live, tmp_path: Path) -> None:
    owners = {"me", "still", "beating"}
    lookout = Lookout(tmp_path, "me")
    for name in owners:
        await Owner(id=name).insert()
    for _ in range(MAX_UNCHANGED_CHECKS):
        assert not owners & set(await lookout.find_dead())
        await Owner.get_motor_collection().update_one({"_id": "beating"}, {"$inc": {"beat": 1}})
    assert owners & set(await lookout.find_dead()) == {"still"}
    await Owner.get_motor_collection().update_one({"_id": "still"}, {"$inc": {"beat": 1}})
    assert not owners & set(await lookout.find_dead())


async def test_owner_of_this_folder_is_dead_at_once(live: Live, tmp_path: Path) -> None:
    lookout = Lookout(tmp_path, "me")
    with owner_of(tmp_path) as living:
        await Owner(id=living).insert()
        await Owner(id=f"{server_id(tmp_path)}.gone").insert()
        await Owner(id="other-server.unknown").insert()
        assert f"{server_id(tmp_path)}.gone" in (dead := await lookout.find_dead())
        assert not {living, "other-server.unknown"} & set(dead)
    assert has_ended_here(tmp_path, living)
    assert not has_ended_here(tmp_path / "other", living)


async def test_dead_owner_is_recovered_once_however_often(
    live: Live, visitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The saved text is delivered to its chat once, also when two processes recover it."""
    ticket = await create_ticket(visitor)
    start = (await ask(visitor, "First?", f"/chat/ticket/{ticket['id']}/stream"))[0].data
    reply = Reply(
        author_id=PydanticObjectId(ticket["author_id"]),
        session_id=PydanticObjectId(start["session_id"]),
        ticket_id=PydanticObjectId(ticket["id"]),
        question=Message(role="user", content="Second?"),
        model="gemini:fake",
        owner="dead",
        parts=[TextPart(at=0, text="Half an "), TextPart(at=8, text="answer"), TextPart(at=8, text="answer")],
    )
    await reply.insert()
    for _ in range(2):
        await live.app.state.replies.endings.recover("dead")
        await Reply.get_motor_collection().update_one({"_id": reply.id}, {"$set": {"is_joined": False}})
    read = (await visitor.get(f"/chat/sessions/{start['session_id']}")).json()
    assert [message["content"] for message in read["messages"]][2:] == ["Second?", "Half an answer"]
    assert read["messages"][3]["status"] == "interrupted"
    assert read["message_count"] == 4


async def test_reply_that_opens_a_chat_is_recovered_by_two_processes(live: Live, visitor: httpx.AsyncClient) -> None:
    """Both find that a killed database has lost the chat, and both create it. Neither fails, and the turn is once."""
    author_id = PydanticObjectId((await create_ticket(visitor))["author_id"])
    reply = Reply(
        author_id=author_id,
        session_id=PydanticObjectId(),
        question=Message(role="user", content="Why?"),
        model="gemini:fake",
        owner="dead",
        status=ReplyStatus.interrupted,
        content="Because",
        ended_at=now(),
        opens_session=True,
    )
    await reply.insert()
    recover = live.app.state.replies.endings.recover
    await asyncio.gather(*(recover("dead") for _ in range(2)))
    read = (await visitor.get(f"/chat/sessions/{reply.session_id}")).json()
    assert [message["content"] for message in read["messages"]] == ["Why?", "Because"]
    assert read["message_count"] == 2


async def test_process_taken_for_dead_gives_up_replies_that_others_ended(live: Live, tmp_path: Path) -> None:
    replies = Replies("paused", tmp_path, live.app.state.tutor, _deliver_nothing, _deliver_nothing)
    runs = {}
    for status in (ReplyStatus.streaming, ReplyStatus.interrupted):
        id = PydanticObjectId()
        reply = Reply(
            id=id,
            author_id=PydanticObjectId(),
            session_id=PydanticObjectId(),
            question=Message(role="user", content="Why?"),
            model="gemini:fake",
            owner="paused",
            status=status,
        )
        await Reply.get_motor_collection().insert_one(reply.as_document())
        runs[status] = replies.running[id] = Run(reply)
        replies.running[id].task = asyncio.create_task(asyncio.sleep(60))
    await replies.show_life()
    await asyncio.sleep(0)
    given_up, remaining = runs[ReplyStatus.interrupted].task, runs[ReplyStatus.streaming].task
    assert given_up
    assert given_up.cancelled()
    assert remaining
    assert not remaining.done()
    remaining.cancel()
    assert await Owner.get("paused")


async def _deliver_nothing(_: object) -> None:
    """This process only beats."""
