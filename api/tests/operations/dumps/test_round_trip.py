"""What `dump` writes, `restore` takes: every type of BSON, and every name and kind that MongoDB accepts."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testing.databases.states import put_back, state_of
from tutordesk.operations.catalog import Database
from tutordesk.operations.dumps.dump import dump_database

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    st.none() | st.booleans() | st.floats() | TEXTS | st.binary(max_size=9) | st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Int64) | st.integers(-(2**63), 2**63 - 1).map(DatetimeMS),
    st.builds(Timestamp, st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from([MinKey(), MaxKey(), ObjectId(), Decimal128("NaN"), Decimal128("1.10"), Regex("^a", "imx")]),
    st.sampled_from([Code("f"), Code("f", {"a": 1}), DBRef("a", 1), Binary(b"x" * 16, 4), Binary(b"y", 128)]),
    st.just(datetime(2026, 1, 1, tzinfo=UTC)),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
DOCUMENTS = st.lists(st.dictionaries(TEXTS.filter(lambda name: name != "_id"), VALUES, max_size=5), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=DOCUMENTS)
def test_documents_of_every_type(source: Any, target: Database, rows: list[dict[str, Any]]) -> None:
    """At the top level and nested. They are written as MongoDB stores them, empty timestamps too."""
    _, client, database = source
    database.drop_collection("things")
    database.create_collection("things")
    for number, row in enumerate(rows):
        update = [{"$replaceWith": {"$literal": {"_id": number, **row}}}]
        database["things"].update_one({"_id": number}, update, upsert=True)
    with tempfile.TemporaryDirectory() as folder:
        dump_database(client, Path(folder) / "dump", is_packed=len(rows) % 2 == 0)
        assert put_back(client, Path(folder) / "dump", target.name, target.name) == len(rows)
    assert state_of(target) == state_of(database)


NAMES = ["%", "a/b", "a..b", "ends.", " ", "a+b", "é", "日本語", "👩‍🏫", "x.bson", "x.metadata.json", "x.gz", "oplog"]


def test_collections_of_every_name(source: Any, target: Database, tmp_path: Path) -> None:
    """Also those that the driver refuses, and the longest that MongoDB takes."""
    _, client, database = source
    longest = "n" * (255 - len(database.name) - 1)
    names = [*NAMES, longest, "ü" * 110]
    for name in names:
        database.command("create", name)
        database.command("insert", name, documents=[{"_id": name}])
        database.command("createIndexes", name, indexes=[{"key": {"a": 1}, "name": "a"}])
    dump_database(client, tmp_path / "dump")
    put_back(client, tmp_path / "dump", target.name)
    put_back(client, tmp_path / "dump", target.name, target.name)  # over itself
    assert state_of(target) == state_of(database)
    assert set(names) < set(state_of(target)) | {"data_epoch"}


@pytest.mark.parametrize(
    "index",
    [
        {"key": {"a": 1, "b.c": -1}, "unique": True, "sparse": True},
        {"key": {"a": 1}, "expireAfterSeconds": 10**9},
        {"key": {"a": 1}, "partialFilterExpression": {"b": {"$gt": 5}}},
        {"key": {"a": 1}, "hidden": True},
        {"key": {"a": 1}, "collation": {"locale": "sv", "strength": 2}},
        {"key": {"$**": 1}, "wildcardProjection": {"a": 1}},
        {"key": {"a.$**": 1}},
        {"key": {"a": "text", "b": 1}, "weights": {"a": 3}, "default_language": "german", "language_override": "l"},
        {"key": {"a": "2dsphere"}},
        {"key": {"a": "2d"}, "bits": 20, "min": -10, "max": 10},
        {"key": {"a": "hashed"}},
        {"key": {"_id": "hashed"}},
    ],
)
def test_index_of_every_kind(source: Any, target: Database, tmp_path: Path, index: dict[str, Any]) -> None:
    _, client, database = source
    database.create_collection("things", validator={"$jsonSchema": {"required": ["b"]}}, validationAction="warn")
    database["things"].insert_one({"_id": 1, "b": {"c": 5}})
    database.command("createIndexes", "things", indexes=[{"name": "of things", **index}])
    database.create_collection("view", viewOn="things", pipeline=[{"$project": {"b": 1}}], collation={"locale": "fr"})
    dump_database(client, tmp_path / "dump")
    put_back(client, tmp_path / "dump", target.name)
    assert state_of(target) == state_of(database)
    assert bson.encode(target["view"].find_one() or {}) == bson.encode({"_id": 1, "b": {"c": 5}})
