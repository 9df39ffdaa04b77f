"""The change log is killed, cut and left behind, and still restores each instant of the database to the byte."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId, Timestamp

from testing.databases.log_kills import kill_many
from testing.databases.logs import max_file_bytes, rewind, until_base, wait_until
from testing.databases.states import fresh_database, state_of
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Client, Database, newest_entry
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.changelog.files import segments, ts_of
from tutordesk.operations.changelog.reading import read_log, verify
from tutordesk.operations.changelog.records import MARK, mark_of
from tutordesk.operations.changelog.writer import ChangeLog
from tutordesk.operations.dumps.dump import dump_database
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.embedded.mongod import REPLICA_SET, SOCKET_NAME, find_mongod, running_mongod, socket_dir
from tutordesk.operations.instants import Instant
from tutordesk.operations.restores.restore import preview, restore
from tutordesk.operations.restores.rewind import rewind_from


@pytest.fixture
def source(mongod_url: str) -> Iterator[tuple[str, Client, Database]]:
    with fresh_database(mongod_url) as database:
        yield database


@contextmanager
def writing(url: str, folder: Path, server: str = "test") -> Iterator[ChangeLog]:
    change_log = ChangeLog(url, folder, server)
    change_log.start()
    try:
        yield change_log
    finally:
        change_log.stop()


@contextmanager
def killed_at_the_end(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.kill()


def test_killed_writer_loses_nothing_and_every_instant_comes_back(source: Any, tmp_path: Path) -> None:
    """The writer is killed twenty times under every kind of change; `make bench` does it a hundred times. The end and
    ten instants between come back.
    """
    url, client, database = source
    folder = tmp_path / "log"
    truth = kill_many(database, url, folder, kills=20, every=2)
    verdict = verify(folder)
    assert (verdict.gaps, verdict.damage, verdict.torn) == (0, (), None)
    assert verdict.records > 1000
    assert len(truth) >= 11
    for at, state in truth.items():
        assert rewind(client, folder, database.name, at) == state


def test_records_of_processes_stay_out_of_the_log(source: Any, tmp_path: Path) -> None:
    """Heartbeats, signals, running answers, half-made copies and other databases stay out of the log."""
    url, client, database = source
    other = client[f"{database.name}_other"]
    with writing(url, tmp_path):
        until_base(tmp_path)
        reply = {"_id": ObjectId(), "status": "streaming", "parts": []}
        database["replies"].insert_one(reply)
        for number in range(3):
            part = {"at": number, "text": "secret"}
            database["replies"].update_many({"_id": reply["_id"]}, {"$push": {"parts": part}})
        for name in ("owners", "room_signals", "restoring.tickets"):
            database[name].insert_one({"text": "secret"})
        other["tickets"].insert_one({"text": "secret"})
        with client.start_session() as session, session.start_transaction():
            database["tickets"].insert_one({"text": "kept"}, session=session)
            other["tickets"].insert_one({"text": "secret"}, session=session)
            database["owners"].update_one({}, {"$set": {"text": "secret"}}, session=session)
        change = {"$set": {"status": "complete", "content": "whole"}, "$unset": {"parts": 1}}
        database["replies"].update_one({"_id": reply["_id"]}, change)
    client.drop_database(other)
    log = b"".join(file.read_bytes() for file in segments(tmp_path))
    assert b"secret" not in log
    assert b"kept" in log
    assert b"whole" in log
    back = rewind(client, tmp_path, database.name, None)
    assert back == state_of(database)


def test_instants_outside_are_refused(source: Any, tmp_path: Path) -> None:
    url, client, database = source
    with writing(url, tmp_path):
        until_base(tmp_path)
        database["tickets"].insert_one({"title": "one"})
    base = list_bases(tmp_path)[0].ts
    for at, said in (
        (Timestamp(base.time - 1, 1), "The first base is of"),
        ("2020-01-01T00:00:00+00:00", "The first base is of"),
        (Timestamp(base.time + 1000, 1), "The change log ends at"),
        ("2100-01-01T00:00:00+00:00", "The change log ends at"),
        ("yesterday", "neither a time"),
    ):
        with pytest.raises(OperatorError, match=said):
            rewind(client, tmp_path, database.name, at)
    with pytest.raises(OperatorError, match="no base"):
        rewind(client, tmp_path / "nowhere", database.name, None)


def test_damaged_log_and_base_are_refused(source: Any, tmp_path: Path) -> None:
    url, client, database = source
    with writing(url, tmp_path):
        until_base(tmp_path)
        for number in range(5):
            database["tickets"].insert_one({"title": f"Ticket {number}"})
    harmed = [segments(tmp_path)[0], *list_bases(tmp_path)[0].path.rglob("tickets.bson*"), tmp_path]
    for file in (file for file in harmed if file.is_file()):
        whole = file.read_bytes()
        file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        with pytest.raises(OperatorError, match="damaged"):
            rewind(client, tmp_path, database.name, None)
        file.write_bytes(whole)
    assert rewind(client, tmp_path, database.name, None) == state_of(database)


def test_restore_begins_a_new_base(source: Any, tmp_path: Path) -> None:
    """The log continues after a restore, and nothing in between counts as history."""
    url, client, database = source
    folder, quiet = tmp_path / "log", lambda step, total, done: None
    database["tickets"].insert_one({"title": "one"})
    with writing(url, folder):
        until_base(folder)
        database["tickets"].insert_one({"title": "two"})
    second, before = newest_entry(client).ts, state_of(database)
    dump_database(client, tmp_path / "dump")
    database["tickets"].insert_one({"title": "three"})
    third = newest_entry(client).ts
    with writing(url, folder):
        restore(client, open_dump(tmp_path / "dump", ""), database.name, database.name, quiet)
        until_base(folder, 2)
        inside = Timestamp(newest_entry(client).ts.time, 1)
        database["tickets"].insert_one({"title": "four"})
    assert [record["title"] for record in database["tickets"].find()] == ["one", "two", "four"]
    assert rewind(client, folder, database.name, second) == before
    assert len(rewind(client, folder, database.name, third)["tickets"][3]) == 3
    assert rewind(client, folder, database.name, None) == state_of(database)
    marks = [mark for record in read_log(folder, ts_of(segments(folder)[0])) if (mark := mark_of(record.document))]
    gap = next(mark for mark in marks if mark[MARK] == "gap")
    assert gap["reason"] == "the data were restored"
    assert gap["since"] >= third
    if inside > gap["since"] and inside < gap["to"]:
        with pytest.raises(OperatorError, match="has a gap"):
            rewind(client, folder, database.name, inside)


def test_dump_is_continued_by_the_log(source: Any, tmp_path: Path) -> None:
    url, client, database = source
    with writing(url, tmp_path / "log"):
        until_base(tmp_path / "log")
        database["tickets"].insert_one({"title": "one"})
        at = dump_database(client, tmp_path / "dump")
        database["tickets"].insert_one({"title": "two"})
        two, state = Instant(ts=newest_entry(client).ts), state_of(database)
    dump = open_dump(tmp_path / "dump", "")
    with pytest.raises(OperatorError, match="which is after"):
        rewind_from(dump, tmp_path / "log", Instant(ts=Timestamp(at.time - 1, 1)))
    with fresh_database(url) as (_, _, into):
        log = rewind_from(dump, tmp_path / "log", two)
        restore(client, dump, into.name, None, lambda step, total, done: None, log)
        assert state_of(into) == state


def test_preview_names_what_would_change(source: Any, tmp_path: Path) -> None:
    _, client, database = source
    tickets = database["tickets"]
    tickets.insert_many([{"_id": 1, "title": "Stays"}, {"_id": 2, "title": "Changes"}, {"_id": 3, "title": "Gone\x1b"}])
    database["same"].insert_one({"_id": 1})
    dump_database(client, tmp_path / "dump")
    tickets.update_one({"_id": 2}, {"$set": {"title": "Changed"}})
    tickets.delete_one({"_id": 3})
    tickets.insert_many([{"_id": number, "title": f"New {number}"} for number in range(10, 30)])
    before = state_of(database)
    differences = preview(client, open_dump(tmp_path / "dump", ""), database.name, lambda step, total, done: None)
    assert state_of(database) == before
    assert not [name for name in database.list_collection_names() if name.startswith("restoring.")]
    assert [(row.collection, row.appear, row.change, row.vanish) for row in differences] == [("tickets", 1, 1, 20)]
    assert {"~ Changes", "+ Gone\\x1b", "- New 10", "- New 19"} <= set(differences[0].titles)
    assert len(differences[0].titles) == 12


async def test_gap_is_warned_of_and_marked_and_a_new_base_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The oplog of this mongod holds 8 MB, so a writer that was away misses entries."""
    data_dir, binary = tmp_path / "data", find_mongod(None)
    run = socket_dir(data_dir)
    for folder in (data_dir / "mongodb", run):
        folder.mkdir(mode=0o700, parents=True)
    command: list[str | Path] = [
        binary,
        "--dbpath",
        data_dir / "mongodb",
        "--replSet",
        REPLICA_SET,
        "--oplogSize",
        "8",
        "--quiet",
    ]
    command += ["--bind_ip", run / SOCKET_NAME, "--port", "27017", "--unixSocketPrefix", run]
    command += ["--syncdelay", "1", "--networkMessageCompressors", "disabled", "--wiredTigerCacheSizeGB", "0.25"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220  it takes a millisecond
    async with running_mongod(data_dir, binary, process) as url:
        await asyncio.to_thread(_exceed_window, url, tmp_path / "log")
        await asyncio.to_thread(_approach_window, url, tmp_path / "other", caplog)


def _exceed_window(url: str, folder: Path) -> None:
    with fresh_database(url) as (url, client, database):
        with writing(url, folder):
            until_base(folder)
            database["tickets"].insert_one({"title": "one"})
            first, before = newest_entry(client).ts, state_of(database)
        database["tickets"].insert_one({"title": "never seen"})
        missed = newest_entry(client).ts
        oplog = client["local"]["oplog.rs"]
        while oplog.find().sort("$natural", 1)[0]["ts"] <= missed:
            client["noise"]["noise"].insert_many({"fill": "x" * 100_000} for _ in range(100))
        with writing(url, folder) as change_log:
            wait_until(lambda: verify(folder).gaps)
            until_base(folder, 2)
            wait_until(lambda: not change_log.status.gap and not change_log.status.alarm)
            database["tickets"].insert_one({"title": "seen"})
        assert verify(folder).gaps == 1
        assert rewind(client, folder, database.name, first) == before
        with pytest.raises(OperatorError, match="has a gap from"):
            rewind(client, folder, database.name, missed)
        assert rewind(client, folder, database.name, None) == state_of(database)


def _approach_window(url: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A log that cannot be written for a while warns, once, when more than half of the oplog lies behind it."""
    caplog.clear()  # a log that exceeded the window may have warned before
    with fresh_database(url) as (url, _, database), writing(url, folder) as change_log:
        until_base(folder)
        wait_until(lambda: change_log.status.position)
        with max_file_bytes(segments(folder)[0].stat().st_size + 50):

            def is_warned() -> bool:
                database["tickets"].insert_one({"title": "later"})
                return bool(change_log.status.warning)

            wait_until(is_warned, 60)
            assert "cannot be written" in change_log.status.alarm
        wait_until(lambda: not change_log.status.warning and not change_log.status.alarm, 60)
    assert caplog.text.count("of what MongoDB's oplog holds") == 1


def test_one_server_writes_and_another_takes_over(source: Any, tmp_path: Path) -> None:
    """The first writer is killed, so its heartbeat stops. The other's own log has no gap."""
    url, _, database = source
    with killed_at_the_end([sys.executable, "-m", "testing.databases.log_writer", url, str(tmp_path / "a")]):
        until_base(tmp_path / "a")
        with writing(url, tmp_path / "b", "other") as other:
            time.sleep(3)
            assert not other.status.is_writing
            assert not segments(tmp_path / "b")
    with writing(url, tmp_path / "b", "other") as other:
        wait_until(lambda: other.status.is_writing, 20)
        until_base(tmp_path / "b")
        database["tickets"].insert_one({"title": "one"})
    verdict = verify(tmp_path / "b")
    assert (verdict.gaps, verdict.damage, verdict.torn) == (0, (), None)
    assert verdict.records >= 1
    assert database["leases"].count_documents({}) == 0


def test_full_disk_is_reported_and_caught_up(source: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No file may grow for a while. The server continues to write, and later nothing is missing."""
    url, client, database = source
    with writing(url, tmp_path) as change_log:
        until_base(tmp_path)
        with max_file_bytes(segments(tmp_path)[0].stat().st_size + 500):
            database["tickets"].insert_many({"n": number} for number in range(300))
            wait_until(lambda: "cannot be written" in change_log.status.alarm)
            database["tickets"].update_many({}, {"$set": {"late": True}})
            wait_until(lambda: change_log.status.lag_seconds > 1)
        wait_until(lambda: not change_log.status.alarm)
    assert "the change log cannot be written: File too large" in caplog.text
    verdict = verify(tmp_path)
    assert (verdict.gaps, verdict.damage, verdict.torn) == (0, (), None)
    assert rewind(client, tmp_path, database.name, None) == state_of(database)
