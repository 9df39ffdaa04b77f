"""`tutordesk dump` and `restore`: all of a database and nothing else, there and back, in the form of mongodump."""

import gzip
import json
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest

from testing.databases.states import fill, put_back, state_of
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Database, list_collections
from tutordesk.operations.dumps.dump import dump_database
from tutordesk.operations.dumps.format import file_name, read_documents
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.dumps.reader import refuse_newer
from tutordesk.operations.names import STAGING, SWITCH, staged_name
from tutordesk.operations.restores.restore import finish_earlier
from tutordesk.operations.restores.switch import NONE_YET, data_epoch


@pytest.mark.parametrize("is_packed", [False, True])
def test_dump_is_restored_to_the_byte(source: Any, target: Database, tmp_path: Path, is_packed: bool) -> None:
    """The dump holds everything, and only its owner may read the files."""
    _, client, database = source
    fill(database)
    database["owners"].insert_one({"_id": "a.b", "beat": 3})
    steps: list[int] = []
    at = dump_database(client, tmp_path / "dump", is_packed, lambda total, done: steps.append(done))
    assert open_dump(tmp_path / "dump", "").at() == at
    assert put_back(client, tmp_path / "dump", target.name) == 324
    assert state_of(target) == state_of(database)
    assert target["owners"].count_documents({}) == 0
    assert steps == sorted(steps)
    assert data_epoch(target) != NONE_YET
    assert not list_collections(target, STAGING)
    for path in (tmp_path / "dump").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


def test_files_are_those_of_mongodump(source: Any, tmp_path: Path) -> None:
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump")
    folder = tmp_path / "dump" / database.name
    assert json.loads((folder / "prelude.json").read_text())["ServerVersion"] == client.server_info()["version"]
    metadata = (folder / "capped.metadata.json").read_text()
    start = '{"options":{"capped":true,"size":{"$numberInt":"4096"}},"indexes":[{"v":{"$numberInt":"2"},"key":'
    assert metadata.startswith(start + '{"_id":{"$numberInt":"1"}},"name":"_id_"}],"uuid":"')
    assert metadata.endswith('","collectionName":"capped","type":"collection"}')
    assert (folder / "we%2Fird+name+%C3%A9.bson").exists()
    assert (folder / "empty.bson").read_bytes() == b""
    assert not (folder / "view.bson").exists()
    assert json.loads((folder / "view.metadata.json").read_text())["indexes"] == []
    assert [bson.decode(entry)["op"] for entry in read_documents(tmp_path / "dump" / "oplog.bson")] == ["n"]
    name = "x" * 239
    assert file_name(name) == "x" * 208 + "%24" + "Nq75d-cu3iRxNs-ce3Tvf9gagoU"


def test_dump_is_of_one_instant(source: Any, target: Database, tmp_path: Path) -> None:
    """Two documents that always change together, in two collections, are never caught apart."""
    _, client, database = source
    for name in ("first", "second"):
        database[name].insert_many({"_id": number, "n": 0, "fill": "x" * 1000} for number in range(2000))
    has_written, is_over = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            with client.start_session() as session, session.start_transaction():
                for name in ("first", "second"):
                    database[name].update_one({"_id": number % 2000}, {"$set": {"n": number}}, session=session)
            has_written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert has_written.wait(10)
        dump_database(client, tmp_path / "dump")
    finally:
        is_over.set()
        writer.join()
    put_back(client, tmp_path / "dump", target.name)
    rows = [list(target[name].find({}, {"n": 1}).sort("_id", 1)) for name in ("first", "second")]
    assert rows[0] == rows[1]
    assert any(row["n"] for row in rows[0])


def test_full_database_is_replaced_only_by_its_name(source: Any, target: Database, tmp_path: Path) -> None:
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump")
    target["tickets"].insert_one({"title": "of today"})
    target["more"].insert_one({"_id": 1})
    before = state_of(target)
    for drop in (None, "another"):
        with pytest.raises(OperatorError, match=f"--yes-drop {target.name}"):
            put_back(client, tmp_path / "dump", target.name, drop)
        assert state_of(target) == before
    put_back(client, tmp_path / "dump", target.name, target.name)
    assert state_of(target) == state_of(database)


def test_served_database_is_left_alone(source: Any, target: Database, tmp_path: Path) -> None:
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump")
    target["owners"].insert_one({"_id": "a.b", "beat": 1})
    timer = threading.Timer(1, lambda: target["owners"].update_one({}, {"$inc": {"beat": 1}}))
    timer.start()
    with pytest.raises(OperatorError, match="A server runs"):
        put_back(client, tmp_path / "dump", target.name, target.name)
    timer.join()


def test_broken_off_switch_is_finished(source: Any, target: Database, tmp_path: Path) -> None:
    """The process is killed after each step of the switch in turn."""
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump")
    put_back(client, tmp_path / "dump", target.name)
    wanted = state_of(target)
    names = [info.name for info in list_collections(target) if info.kind == "collection" and info.name != "data_epoch"]
    for done in range(len(names) + 1):
        for name in names[done:]:
            target[name].rename(staged_name(name))
        target.drop_collection("view")
        views = [{"name": "view", "options": wanted["view"][1]}]
        target["old"].insert_one({})
        target["data_epoch"].insert_one({"_id": SWITCH, "rename": names, "drop": ["old"], "views": views})
        epoch = data_epoch(target)
        assert finish_earlier(client, target.name)
        assert state_of(target) == wanted
        assert data_epoch(target) != epoch
    assert not finish_earlier(client, target.name)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _flip(path: Path) -> None:
    path.write_bytes(b"\xff" + path.read_bytes()[1:])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: _cut(folder / "tickets.bson"), "ends in the middle of a document"),
        (lambda folder: _flip(folder / "tickets.bson"), "damaged at byte 0"),
        (lambda folder: (folder / "tickets.bson").unlink(), r"tickets\.metadata\.json, there is no \.bson file"),
        (lambda folder: (folder / "tickets.metadata.json").write_text("{"), "metadata cannot be read"),
        (lambda folder: _rename_inside(folder, "../../etc"), "is not a valid collection name"),
        (lambda folder: _rename_inside(folder, "a$b"), "is not a valid collection name"),
        (lambda folder: _rename_inside(folder, "other"), "another collection"),
        (lambda folder: _rename_inside(folder, "system.users"), "is not a valid collection name"),
        (lambda folder: (folder / "prelude.json").write_text('{"ServerVersion":"99.0.1"}'), "newer than this one"),
        (lambda folder: (folder / "prelude.json").write_text("[]"), r"prelude\.json cannot be read"),
        (lambda folder: (folder / "link.bson").symlink_to("/etc/passwd"), "a link"),
        (lambda folder: _link_data(folder), "a link"),
        (lambda folder: shutil.rmtree(folder), "no dump"),
    ],
)
def test_hostile_and_damaged_dumps_change_nothing(
    source: Any, target: Database, tmp_path: Path, harm: Callable[[Path], Any], said: str
) -> None:
    """A dump may come from anywhere, so nothing in it is trusted."""
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump")
    harm(tmp_path / "dump" / database.name)
    with pytest.raises(OperatorError, match=said):
        put_back(client, tmp_path / "dump", target.name)
    assert target.list_collection_names() == []


def _rename_inside(folder: Path, name: str) -> None:
    file = folder / "tickets.metadata.json"
    file.write_text(file.read_text().replace('"collectionName":"tickets"', f'"collectionName":"{name}"'))


def _link_data(folder: Path) -> None:
    moved = folder.parent.parent / "elsewhere.bson"
    (folder / "tickets.bson").rename(moved)
    (folder / "tickets.bson").symlink_to(moved)


def test_packed_rubbish_is_refused(source: Any, target: Database, tmp_path: Path) -> None:
    """A kilobyte may unpack to a document that is larger than MongoDB allows."""
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump", is_packed=True)
    file = tmp_path / "dump" / database.name / "tickets.bson.gz"
    whole = file.read_bytes()
    endless = gzip.compress((2**30).to_bytes(4, "little") + b"\0" * 2**28)
    for bad in (whole[:-20], gzip.compress(b"\0" * 1000), whole[:30] + b"\0\0\0\0" + whole[34:], endless):
        file.write_bytes(bad)
        with pytest.raises(OperatorError, match=r"tickets\.bson\.gz"):
            put_back(client, tmp_path / "dump", target.name)
    assert target.list_collection_names() == []


def test_endless_metadata_is_refused(source: Any, target: Database, tmp_path: Path) -> None:
    """A packed file of a few kilobytes is read no further than the longest document that MongoDB allows."""
    _, client, database = source
    fill(database, 3)
    dump_database(client, tmp_path / "dump", is_packed=True)
    file = tmp_path / "dump" / database.name / "tickets.metadata.json.gz"
    file.write_bytes(gzip.compress(b" " * 2**28))
    with pytest.raises(OperatorError, match="metadata is too long"):
        put_back(client, tmp_path / "dump", target.name)
    assert target.list_collection_names() == []


def test_newer_versions_are_refused() -> None:
    refuse_newer("", "6.0.5")
    refuse_newer("5.0.31", "6.0.5")
    refuse_newer("6.0.27", "6.0.5")
    for newer in ("7.0.0", "8", "seven"):
        with pytest.raises(OperatorError):
            refuse_newer(newer, "6.0.5")


def test_folder_in_use_is_refused(source: Any, tmp_path: Path) -> None:
    _, client, database = source
    fill(database, 3)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    for name in ("link", "full", "full/file"):
        with pytest.raises(OperatorError, match="not an empty folder"):
            dump_database(client, tmp_path / name)
