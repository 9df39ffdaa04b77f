"""Dumps as old mongodumps, old servers and old drivers left them, and as operators keep them.

A note names each thing that is left out or changed. A thing that cannot be restored is refused by name before the copy.
"""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Timestamp

from testing.databases.states import put_back
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Database, list_collections
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.restores.restore import restore

LATE_ID = bson.encode({"a": 1, "xid": 1}).replace(b"xid", b"_id").decode()
ID_INDEX = '{"v":1,"key":{"_id":1},"name":"_id_","ns":"school.tickets"}'


def write(folder: Path, **files: str | list[dict[str, Any]]) -> Path:
    """Write `school/tickets.bson` and the files that are named, `_` for the dot of an ending."""
    inside = folder / "school"
    inside.mkdir(parents=True)
    for name, content in ({"tickets_bson": [{"_id": 1, "a": "x"}]} | files).items():
        path = inside / name.replace("_bson", ".bson").replace("_metadata", ".metadata.json")
        path.write_bytes(content.encode() if isinstance(content, str) else b"".join(map(bson.encode, content)))
    return folder


def indexes_of(database: Database, name: str = "tickets") -> dict[str, Any]:
    (collection,) = [info for info in list_collections(database) if info.name == name]
    return {spec["name"]: {key: spec[key] for key in spec if key not in ("v", "name")} for spec in collection.indexes}


@pytest.mark.parametrize(
    ("metadata", "indexes", "note"),
    [
        ("", [], "tickets is restored without indexes, because it has no metadata of any."),
        ("{}", [], "tickets is restored without indexes, because it has no metadata of any."),
        (f'{{"indexes":[{ID_INDEX}]}}', [], ""),
        (f'\ufeff{{"options":{{}},"indexes":[{ID_INDEX}]}}', [], ""),
        ('{"options":{"create":"tickets","size":{"$undefined":true}},"indexes":[]}', [], ""),
        (
            '{"options":{"flags":1,"autoIndexId":false,"$nExtents":2,"capped":false,"size":4096},"indexes":[]}',
            [],
            "tickets is restored without its options $nExtents, autoIndexId, capped, flags, size, "
            "which MongoDB no longer has.",
        ),
        (
            '{"options":{"storageEngine":{"mmapv1":{}}},"indexes":[]}',
            [],
            "tickets is restored without its options storageEngine, which MongoDB no longer has.",
        ),
        ('{"indexes":[{"v":1,"key":{"a":1},"name":"a_1","ns":"school.tickets","unique":1}]}', ["a_1"], ""),
        ('{"indexes":[{"v":0,"key":{"a":1.0},"name":"a_1","ns":"old.name"}]}', ["a_1"], ""),
        (
            '{"indexes":[{"key":{"a":1},"name":"a_1","safe":null,"w":1,"dropDups":true,"background":true}]}',
            ["a_1"],
            "The index a_1 of tickets is built without its options background, dropDups, safe, w, "
            "which MongoDB no longer has.",
        ),
        (
            '{"indexes":[{"key":{"a":-1},"name":"a_-1","sparse":null,"bucketSize":1,"wtimeout":5}]}',
            ["a_-1"],
            "The index a_-1 of tickets is built without its options bucketSize, sparse, wtimeout, "
            "which MongoDB no longer has.",
        ),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_old_metadata_are_understood(
    target: Database, tmp_path: Path, metadata: str, indexes: list[str], note: str, is_packed: bool
) -> None:
    write(tmp_path, tickets_metadata=metadata)
    if is_packed:
        for path in (tmp_path / "school").iterdir():
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    assert put_back(target.client, tmp_path, target.name) == 1
    assert sorted(indexes_of(target)) == sorted(["_id_", *indexes])
    assert open_dump(tmp_path, "").notes == ([note] if note else [])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("we%2Fird+name", "we/ird name"),
        ("caf%C3%A9", "café"),
        ("100%25", "100%"),
        ("100%", "100%"),
        ("we ird", "we ird"),
        ("x.metadata.json", "x.metadata.json"),
        ("x.bson", "x.bson"),
        ("x.gz", "x.gz"),
        ("oplog", "oplog"),
        ("prelude.json", "prelude.json"),
    ],
)
@pytest.mark.parametrize("metadata", ["", '{"indexes":[]}', None])
def test_name_of_the_file_counts_without_another(
    target: Database, tmp_path: Path, file: str, name: str, metadata: str | None
) -> None:
    folder = write(tmp_path) / "school"
    (folder / f"{file}.bson").write_bytes(bson.encode({"_id": "é"}))
    if metadata is not None:
        (folder / f"{file}.metadata.json").write_text(metadata)
    put_back(target.client, tmp_path, target.name)
    assert {info.name for info in list_collections(target)} == {"tickets", name, "data_epoch"}
    assert target[name].find_one() == {"_id": "é"}


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ({"system.js_bson": [{"_id": "f"}]}, "system.js is left out, because it belongs to MongoDB itself."),
        ({"system.users_bson": [], "system.users_metadata": "{"}, "system.users is left out, "),
        ({"system.profile_metadata": '{"options":{"capped":true}}'}, "system.profile is left out, "),
        ({"system.views_bson": [{"_id": "school.v", "viewOn": "t"}]}, "system.views is left out, "),
        ({"system.buckets.s_bson": []}, "system.buckets.s is left out, "),
        ({"restoring.t_bson": [], "restoring.t_metadata": "{}"}, "restoring.t is left out, because it remained from"),
        (
            {"s_metadata": '{"options":{"timeseries":{"timeField":"t"}},"indexes":[]}', "system.buckets.s_bson": []},
            "s is a time series. `tutordesk restore` leaves it out; `mongorestore --nsInclude=school.s` restores it.",
        ),
    ],
)
def test_leftovers_are_left_out_by_name(target: Database, tmp_path: Path, files: Any, note: str) -> None:
    write(tmp_path, tickets_metadata='{"indexes":[]}', **files)
    assert put_back(target.client, tmp_path, target.name) == 1
    assert {info.name for info in list_collections(target)} == {"tickets", "data_epoch"}
    (said,) = open_dump(tmp_path, "").notes
    assert said.startswith(note)


def test_indexes_of_the_first_mongodumps_are_built(target: Database, tmp_path: Path) -> None:
    """They wrote no metadata, and the indexes of all collections as documents."""
    index = {"v": 0, "key": {"a": 1}, "ns": "school.tickets", "name": "a_1", "unique": True}
    other = {"v": 0, "key": {"b": 1}, "ns": "school.others", "name": "b_1"}
    put_back(target.client, write(tmp_path, **{"system.indexes_bson": [index, other]}), target.name)
    assert indexes_of(target)["a_1"] == {"key": {"a": 1}, "unique": True}
    assert "b_1" not in indexes_of(target)


def test_dumped_documents_of_a_view_become_a_collection(target: Database, tmp_path: Path) -> None:
    """As `mongodump --viewsAsCollections` writes them; a view without them is a view."""
    view = '{"options":{"viewOn":"tickets","pipeline":[]},"indexes":[]}'
    write(tmp_path, v_bson=[{"_id": 7}], v_metadata=view, w_metadata=view)
    put_back(target.client, tmp_path, target.name)
    kinds = {info.name: info.kind for info in list_collections(target)}
    assert (kinds["v"], kinds["w"]) == ("collection", "view")
    assert list(target["v"].find()) == [{"_id": 7}]


def spec(index: str) -> dict[str, str]:
    return {"z_metadata": f'{{"indexes":[{index}]}}', "z_bson": ""}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (spec('{"key":{"a":true},"name":"of booleans"}'), "The index of booleans of z cannot be built: .*type bool"),
        (spec('{"v":1,"key":{"a":true},"name":"old"}'), "The index old of z cannot be built: .*type bool"),
        (spec('{"key":{"a":0},"name":"zero"}'), "The index zero of z cannot be built: .*cannot be 0"),
        (spec('{"key":{"a":"geoHaystack"},"name":"hay"}'), "The index hay of z cannot be built"),
        (spec('{"key":{"a":1}}'), "z.metadata.json, its metadata has an index without a name or a key"),
        ({"z_metadata": '{"options":{"capped":true}}', "z_bson": ""}, "z cannot be created: .*size"),
        ({"z_metadata": '{"options":{"collation":{"locale":"xx"}}}', "z_bson": ""}, "z cannot be created: .*locale"),
        ({"z_metadata": '{"options":{"viewOn":"a","pipeline":[{"$x":1}]}}'}, "z cannot be created: .*stage"),
        ({"z_bson": [{"a": 1}]}, "z.bson: document 1 does not begin with its _id"),
        ({"z_bson": LATE_ID}, "z.bson: document 1 does not begin with its _id"),
        ({"z_metadata": "{}"}, "z.metadata.json, there is no .bson file of its documents"),
        ({"z_bson": "", "z_bson.gz": ""}, "it holds z.bson twice"),
    ],
)
def test_what_cannot_be_restored_is_named_before_anything_is_copied(
    target: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Any, said: str
) -> None:
    write(tmp_path, **files)
    copied: list[str] = []
    monkeypatch.setattr("tutordesk.operations.restores.staging._fill", lambda _, name, *rest: copied.append(name))
    with pytest.raises(OperatorError, match=said):
        put_back(target.client, tmp_path, target.name)
    assert (copied, list_collections(target)) == ([], [])


def damaged(document: bytes) -> bytes:
    """The document with the type of its second value unknown; its length is right."""
    return document.replace(b"\x02a\0", b"\x55a\0")


@pytest.mark.parametrize("harm", [damaged, lambda document: document.replace(b"\x02\0\0\0x\0", b"\x7f\0\0\0x\0")])
def test_damage_inside_a_document_is_found_before_anything_is_copied(
    target: Database, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    file = write(tmp_path) / "school" / "tickets.bson"
    file.write_bytes(bson.encode({"_id": 0}) + harm(file.read_bytes()))
    with pytest.raises(OperatorError, match=r"tickets\.bson: document 2 is damaged"):
        put_back(target.client, tmp_path, target.name)
    assert target.list_collection_names() == []


@pytest.mark.parametrize(
    ("key", "rows", "said"),
    [
        ({"a": 1}, [{"a": "same"}, {"a": "same"}], r"one of tickets .* the value {'a': 'same'}"),
        ({"a": 1, "b.c": -1}, [{"a": 1, "b": {"c": 2}}] * 2, r"one of tickets .* {'a': 1, 'b.c': 2}"),
        ({"a": 1}, [{"b": 1}, {"b": 2}], r"one of tickets .* {'a': None}"),
    ],
)
def test_value_that_a_unique_index_has_twice_is_named(
    target: Database, tmp_path: Path, key: Any, rows: Any, said: str
) -> None:
    documents = [{"_id": number, **row} for number, row in enumerate(rows)]
    index = f'{{"key":{str(key).replace(chr(39), chr(34))},"name":"one","unique":true}}'
    write(tmp_path, tickets_bson=documents, tickets_metadata=f'{{"indexes":[{index}]}}')
    with pytest.raises(OperatorError, match=said):
        put_back(target.client, tmp_path, target.name)
    assert target.list_collection_names() == []


def test_two_documents_of_one_id_are_named(target: Database, tmp_path: Path) -> None:
    write(tmp_path, tickets_bson=[{"_id": 5}, {"_id": 5}])
    with pytest.raises(OperatorError, match=r"tickets cannot be copied: .*_id: 5"):
        put_back(target.client, tmp_path, target.name)
    assert target.list_collection_names() == []


def test_name_that_leaves_no_room_for_the_database_is_refused(target: Database, tmp_path: Path) -> None:
    name = "n" * (256 - len(target.name) - 1)
    write(tmp_path, **{f"{name}_bson": []})
    with pytest.raises(OperatorError, match="is too long for a collection of the database"):
        put_back(target.client, tmp_path, target.name)
    assert target.list_collection_names() == []


def test_time_series_and_views_of_the_database_are_no_obstacle(target: Database, tmp_path: Path) -> None:
    """A time series stays, because no dump could bring it back. A view gives way to a collection of its name."""
    target.create_collection("series", timeseries={"timeField": "at"})
    target.create_collection("tickets", viewOn="others", pipeline=[])
    write(tmp_path, tickets_metadata='{"indexes":[]}')
    put_back(target.client, tmp_path, target.name, target.name)
    assert {info.name: info.kind for info in list_collections(target)} == {
        "data_epoch": "collection",
        "series": "timeseries",
        "tickets": "collection",
    }
    write(tmp_path / "more", series_bson=[])
    with pytest.raises(OperatorError, match="series is a time series in"):
        put_back(target.client, tmp_path / "more", target.name, target.name)


EMPTY = Timestamp(0, 0)


def test_empty_timestamps_are_restored_to_the_byte(target: Database, tmp_path: Path) -> None:
    """MongoDB replaces them in what is inserted, but only at the top level."""
    rows: list[dict[str, Any]] = [
        {"_id": 1, "t": EMPTY, "u": EMPTY, "": EMPTY, "$x": EMPTY, "a.b": EMPTY},
        {"_id": 2, "nested": {"t": EMPTY}, "list": [EMPTY]},
        {"_id": EMPTY, "t": EMPTY},
        {"_id": {"t": EMPTY}, "t": EMPTY},
        {"_id": 3, "binary": b"\x11t\0" + bytes(8)},
    ]
    options = '{"options":{"capped":true,"size":100000},"indexes":[]}'
    write(tmp_path, tickets_bson=rows, log_bson=rows, log_metadata=options)
    put_back(target.client, tmp_path, target.name)
    assert sorted(map(str, target["tickets"].find())) == sorted(map(str, rows))
    assert list(target["log"].find()) == rows


def test_old_oplogs_are_replayed(target: Database, tmp_path: Path) -> None:
    """`mongodump --oplog` of old servers: indexes are inserted, updates name operators; MongoDB's own is left out."""
    write(tmp_path, tickets_metadata='{"indexes":[]}')
    index = {"v": 1, "key": {"a": 1}, "name": "a_1", "ns": "school.tickets", "background": True}
    entries = [
        {"op": "i", "ns": "school.tickets", "o": {"_id": 2, "t": EMPTY}},
        {"op": "u", "ns": "school.tickets", "o2": {"_id": 1}, "o": {"_id": 1, "t": EMPTY}},
        {"op": "u", "ns": "school.tickets", "o2": {"_id": 2}, "o": {"$set": {"u": EMPTY}}},
        {"op": "i", "ns": "school.system.indexes", "o": index},
        {"op": "i", "ns": "school.system.js", "o": {"_id": "f"}},
        {"op": "i", "ns": "school.system.js", "o": {"_id": "g"}},
        {"op": "i", "ns": "other.tickets", "o": {"_id": 9}},
        {"op": "c", "ns": "school.$cmd", "o": {"create": "system.buckets.s", "timeseries": {"timeField": "t"}}},
        {"op": "i", "ns": "school.system.views", "o": {"_id": "school.s", "viewOn": "system.buckets.s"}},
        {"op": "c", "ns": "school.$cmd", "o": {"drop": "system.js"}},
        {"op": "n", "ns": "", "o": {"msg": "noop"}},
    ]
    stamped = [{"ts": Timestamp(1, number), "h": 5, "v": 2, **entry} for number, entry in enumerate(entries)]
    (tmp_path / "oplog.bson").write_bytes(b"".join(map(bson.encode, stamped)))
    dump = open_dump(tmp_path, "")
    restore(target.client, dump, target.name, None, lambda step, total, done: None)
    assert sorted(target["tickets"].find(), key=str) == [{"_id": 1, "t": EMPTY}, {"_id": 2, "t": EMPTY, "u": EMPTY}]
    assert indexes_of(target)["a_1"] == {"key": {"a": 1}}
    assert {note.split()[2] for note in dump.notes} == {"system.js", "system.buckets.s", "s"}
