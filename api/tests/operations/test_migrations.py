"""Migrations run in order, once, in one process at a time. They resume after a crash, and a newer schema is refused."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pymongo.errors
import pytest
from bson import ObjectId

from testing.databases.states import fresh_database
from testing.serving import JSON, make_settings, serving
from tutordesk.ground.operator_error import OperatorError
from tutordesk.main import DOCUMENTS, create_app
from tutordesk.operations.catalog import Database
from tutordesk.operations.dumps.dump import dump_database
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.lease import Lease
from tutordesk.operations.migrations.run import (
    KNOWN,
    Migration,
    list_steps,
    migrate,
    migrate_database,
)
from tutordesk.operations.names import LEASES, MIGRATIONS
from tutordesk.operations.restores.restore import restore

NOBODY = "nobody that lives"


@pytest.fixture
def fresh(mongod_url: str) -> Iterator[tuple[str, Any, Database]]:
    with fresh_database(mongod_url) as database:
        yield database


def known(*steps: Any) -> tuple[Migration, ...]:
    return tuple(Migration(number, f"step {number}", step) for number, step in enumerate(steps, 1))


def test_numbers_have_no_gap() -> None:
    assert [migration.number for migration in KNOWN] == list(range(1, len(KNOWN) + 1))


def test_schema_is_what_the_documents_declare(fresh: Any) -> None:
    url, _, database = fresh
    assert [step.number for step in migrate(url)] == [migration.number for migration in KNOWN]
    for document in DOCUMENTS:
        declared = {index.document["name"]: index.document for index in getattr(document.Settings, "indexes", [])}
        existing = {index["name"]: index for index in database[document.Settings.name].list_indexes()}
        assert set(existing) == {*declared, "_id_"}, document
        for name, index in declared.items():
            assert list(existing[name].pop("key").items()) == list(index["key"].items()), (document, name)
            rest = {option: value for option, value in index.items() if option != "key"}
            assert {option: value for option, value in existing[name].items() if option != "v"} == rest


def test_each_is_applied_once_in_order_and_recorded(fresh: Any) -> None:
    _, _, database = fresh
    done: list[int] = []
    steps = known(lambda _: done.append(1), lambda _: done.append(2))
    migrate_database(database, steps[:1])
    before = datetime.now(UTC)
    assert [step.number for step in migrate_database(database, steps)] == [2]
    assert migrate_database(database, steps) == []
    assert done == [1, 2]
    rows = list(database[MIGRATIONS].find().sort("_id"))
    assert [(row["_id"], row["name"]) for row in rows] == [(1, "step 1"), (2, "step 2")]
    assert rows[1]["applied_at"].replace(tzinfo=UTC).timestamp() == pytest.approx(before.timestamp(), abs=5)
    assert database[LEASES].count_documents({}) == 0


def test_interrupted_migration_resumes(fresh: Any) -> None:
    _, _, database = fresh
    calls: list[str] = []

    def breaks(database: Database) -> None:
        calls.append("second")
        if len(calls) == 2:
            raise KeyboardInterrupt
        database["things"].insert_one({"_id": 1})

    steps = known(lambda _: calls.append("first"), breaks)
    with pytest.raises(KeyboardInterrupt):
        migrate_database(database, steps)
    assert [step.applied_at is not None for step in list_steps(database)][:2] == [True, False]
    assert [step.number for step in migrate_database(database, steps)] == [2]
    assert calls == ["first", "second", "second"]
    assert database["things"].count_documents({}) == 1


def test_migration_that_fails_says_why(fresh: Any) -> None:
    url, _, database = fresh
    database["users"].insert_many([{"email": "a@example.org"}, {"email": "a@example.org"}])
    with pytest.raises(OperatorError, match=r"^Migration 1 \(collections and indexes\) failed: .*duplicate key"):
        migrate(url)
    database["users"].delete_many({})
    assert len(migrate(url)) == len(KNOWN)


def test_several_processes_apply_each_once(fresh: Any) -> None:
    _, _, database = fresh
    done: list[int] = []

    def slow(_: Database) -> None:
        time.sleep(0.3)  # the others have to come while it works
        done.append(1)

    threads = [threading.Thread(target=migrate_database, args=(database, known(slow))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == [1]


def test_beat_of_a_migration_survives_its_failures(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long migration whose beat failed once, for whatever reason, must not be taken for dead."""
    _, _, database = fresh
    failures: list[Exception] = [pymongo.errors.OperationFailure("no", 50), KeyError("a bug")]
    beat = Lease.beat

    def fail_first(lease: Lease, status: Any) -> bool:
        if failures:
            raise failures.pop()
        return beat(lease, status)

    def wait_for_beats(database: Database) -> None:
        deadline = time.monotonic() + 10
        while database[LEASES].find_one({"_id": "migrations"}, {"beat": 1})["beat"] < 2:  # type: ignore[index]
            assert time.monotonic() < deadline, "the beat ended"
            time.sleep(0.01)

    monkeypatch.setattr(Lease, "beat", fail_first)
    monkeypatch.setattr("tutordesk.operations.migrations.run.BEAT_SECONDS", 0.01)
    migrate_database(database, known(wait_for_beats))


def test_dead_process_does_not_hold_the_lock_for_ever(fresh: Any) -> None:
    _, _, database = fresh
    database[LEASES].insert_one({"_id": "migrations", "server": NOBODY, "token": NOBODY, "beat": 7})
    started = time.monotonic()
    assert len(migrate_database(database, known(lambda _: None))) == 1
    assert 6 < time.monotonic() - started < 20


def test_newer_schema_is_refused(fresh: Any) -> None:
    url, _, database = fresh
    migrate(url)
    database[MIGRATIONS].insert_one({"_id": 99, "name": "to come", "applied_at": datetime.now(UTC), "seconds": 1.0})
    with pytest.raises(OperatorError, match=r"newer Tutordesk: their schema is 99, this one knows \d"):
        migrate(url)


def test_dump_of_a_newer_schema_is_refused_and_changes_nothing(fresh: Any, mongod_url: str, tmp_path: Path) -> None:
    url, client, database = fresh
    migrate(url)
    database[MIGRATIONS].insert_one({"_id": 99, "name": "to come", "applied_at": datetime.now(UTC), "seconds": 1.0})
    dump_database(client, tmp_path / "dump", False, lambda total, done: None)
    with fresh_database(mongod_url) as (_, other, target):
        target["tickets"].insert_one({"title": "Kept"})
        with pytest.raises(OperatorError, match="their schema is 99"):
            restore(other, open_dump(tmp_path / "dump", ""), target.name, target.name, lambda step, total, done: None)
        assert [row["title"] for row in target["tickets"].find()] == ["Kept"]
        assert target.list_collection_names() == ["tickets"]


def test_validators_refuse_documents_without_their_fields(fresh: Any) -> None:
    url, _, database = fresh
    migrate(url)
    for name in ("users", "tickets", "chat_sessions", "rooms", "room_members", "room_messages", "room_records"):
        with pytest.raises(pymongo.errors.WriteError, match="failed validation"):
            database[name].insert_one({"name": "Nobody checked me"})


async def test_chat_of_the_first_version_is_in_the_list(mongod_url: str, tmp_path: Path) -> None:
    with fresh_database(mongod_url) as (url, _, database):
        settings = make_settings(tmp_path, MONGODB_URL=url)
        async with serving(create_app(settings)) as address, browser(address) as visitor:
            ticket = {"title": "Who am I", "description": "The first write makes the visitor."}
            author = (await visitor.post("/tickets", json=ticket)).json()["author_id"]
        at = datetime(2026, 11, 21, tzinfo=UTC)
        old: dict[str, Any] = {"author_id": ObjectId(author), "title": "Of the first version", "home": "session"}
        old |= {
            "ticket_id": None,
            "message_count": 0,
            "bytes": 0,
            "running_reply": None,
            "messages": [],
            "created_at": at,
        }
        database["chat_sessions"].insert_one(old | {"updated_at": at})
        database["chat_sessions"].create_index([("author_id", 1)], name="list")
        database[MIGRATIONS].delete_many({})
        async with serving(create_app(settings)) as address, browser(address, visitor.cookies) as again:
            rows = (await again.get("/chat/sessions")).json()
        assert [row["title"] for row in rows] == ["Of the first version"]
        assert "list" not in database["chat_sessions"].index_information()


def browser(address: str, cookies: httpx.Cookies | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, headers=JSON, cookies=cookies)


def test_tickets_and_messages_of_before_are_found_in_every_script(fresh: Any) -> None:
    """Documents as an older version wrote them: its terms knew no vowel signs, no strokes and no last grapheme."""
    url, _, database = fresh
    migrate_database(database, KNOWN[:3])
    old = {"title": "上传图片失败", "description": "-", "category": "general", "tags": ["cafe\u0301", "café", "\u200b"]}
    old_terms = ["=上传", "=传图", "=图片", "=片失", "=失败", "上传", "传图", "图片", "片失", "失败"]
    # A real database refuses what does not fit its validator, which imported documents may be older than.
    tickets, words = database["tickets"], database["message_words"]
    tickets.insert_many(
        [
            {"_id": ObjectId(), **old, "terms": old_terms},
            {"_id": ObjectId(), "title": "Łódź", "terms": ["=łodz", "łodz"]},
            *({"_id": ObjectId(), "title": f"Ticket {number}", "terms": []} for number in range(450)),
        ],
        bypass_document_validation=True,
    )
    session_id = ObjectId()
    message = {"author_id": ObjectId(), "session_id": session_id, "terms": ["long", "ago"], "text": "図書館の本"}
    words.insert_one({"_id": ObjectId(), **message})
    words.insert_one({**message, "_id": session_id, "terms": ["=x"], "text": "Đại học"})
    for _ in range(2):
        migrate(url)
        assert tickets.find_one({"terms": "=败"})["tags"] == ["café"]
        assert tickets.count_documents({"terms": "=lodz"}) == 1
        assert tickets.count_documents({"terms": "ticket"}) == 450
        assert words.find_one({"terms": "本"})["terms"][:2] == ["long", "ago"]
        assert words.count_documents({"terms": "=dai"}) == 1
        database[MIGRATIONS].delete_one({"_id": 4})
