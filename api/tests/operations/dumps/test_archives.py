"""Archives of `mongodump --archive`, from a file and from a pipe: restored as the folder is, or refused as a whole."""

import gzip
import io
import random
from pathlib import Path
from typing import Any

import bson
import pytest
from fastcrc import crc64

from testing.databases.archives import END, archive_of, block
from testing.databases.states import fill, state_of
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Database, list_collections
from tutordesk.operations.dumps.archive import opened
from tutordesk.operations.dumps.dump import dump_database
from tutordesk.operations.restores.restore import restore


@pytest.fixture
def archive(source: Any, tmp_path: Path) -> bytes:
    """Of a database with everything."""
    _, client, database = source
    fill(database, 40)
    dump_database(client, tmp_path / "dump")
    return archive_of(tmp_path / "dump")


def put_back(archive: bytes, target: Database, scratch: Path) -> list[str]:
    """Restore an archive that arrives by a pipe. Returns the notes."""
    pipe: Any = io.BufferedReader(io.BytesIO(archive))
    with opened(pipe, "The archive", target.name, scratch) as dump:
        restore(target.client, dump, target.name, None, lambda step, total, done: None)
        return dump.notes


def test_checksum_is_that_of_go() -> None:
    assert crc64.xz(b"123456789") == 0x995DC9BBDF1939FA


@pytest.mark.parametrize("is_packed", [False, True])
def test_archive_is_restored_to_the_byte(
    source: Any, target: Database, tmp_path: Path, archive: bytes, is_packed: bool
) -> None:
    half = len(archive) // 2
    packed = gzip.compress(archive[:half]) + gzip.compress(archive[half:])  # as pigz and `cat` make them
    assert put_back(packed if is_packed else archive, target, tmp_path / "scratch") == []
    assert state_of(target) == state_of(source[2])
    assert list((tmp_path / "scratch").iterdir()) == []


def test_old_archive_tells_names_and_kinds_nowhere_else(source: Any, target: Database, tmp_path: Path) -> None:
    _, client, database = source
    fill(database, 3)
    database["é" * 90].insert_one({"_id": 1})
    dump_database(client, tmp_path / "dump")
    put_back(archive_of(tmp_path / "dump", is_old=True), target, tmp_path)
    assert state_of(target) == state_of(database)


def test_archive_of_a_whole_server_gives_its_one_database(target: Database, tmp_path: Path) -> None:
    """MongoDB's own databases, the buckets of a time series and scripts are not the product's."""
    series = '{"options":{"timeseries":{"timeField":"t"}},"indexes":[]}'
    infos = [
        {"db": "admin", "collection": "system.users", "metadata": "", "type": "collection"},
        {"db": "school", "collection": "s", "metadata": series, "type": "timeseries"},
        {"db": "school", "collection": "tickets", "metadata": '{"indexes":[]}', "type": "collection"},
        {"db": "school", "collection": "system.js", "metadata": "", "type": "collection"},
    ]
    row = bson.encode({"_id": 1})
    names = [("admin", "system.users"), ("school", "system.buckets.s"), ("school", "tickets"), ("school", "system.js")]
    blocks = [block(*name, row) + block(*name, crc=crc64.xz(row)) for name in names]
    notes = put_back(_archive(infos) + b"".join(blocks), target, tmp_path)
    assert {info.name for info in list_collections(target)} == {"tickets", "data_epoch"}
    assert [note.split()[0] for note in notes] == ["s", "system.js"]


def _archive(infos: list[dict[str, Any]]) -> bytes:
    header = {"version": "0.1", "server_version": "6.0.5", "tool_version": "100.9.5"}
    return b"\x6d\xe2\x99\x81" + b"".join(map(bson.encode, [header, *infos])) + END


@pytest.mark.parametrize("is_packed", [False, True])
def test_archive_that_is_cut_off_is_refused_at_every_place(
    target: Database, tmp_path: Path, archive: bytes, is_packed: bool
) -> None:
    whole = gzip.compress(archive) if is_packed else archive
    places = [5, 30, *random.Random(1).sample(range(5, len(whole)), 60), len(whole) - 4, len(whole) - 1]
    for place in places:
        with pytest.raises(OperatorError, match="The archive is damaged or cut off"):
            put_back(whole[:place], target, tmp_path / "scratch")
    assert (target.list_collection_names(), list((tmp_path / "scratch").iterdir())) == ([], [])


@pytest.mark.parametrize("is_packed", [False, True])
def test_flipped_bit_is_refused_or_changes_nothing(
    source: Any, target: Database, tmp_path: Path, archive: bytes, is_packed: bool
) -> None:
    """Of a plain one, only documents have checksums, and not the list of collections before them.

    A bit may be one that nobody reads: the CRC in the header of a block that does not end its collection.
    """
    whole = gzip.compress(archive) if is_packed else archive
    first = 12 if is_packed else archive.index(END) + 4
    chance, refused = random.Random(2), 0
    for place in chance.sample(range(first, len(whole)), 30):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        try:
            put_back(bytes(flipped), target, tmp_path / "scratch")
        except OperatorError:
            refused += 1
            assert list_collections(target) == []
        else:
            assert state_of(target) == state_of(source[2])
            target.client.drop_database(target.name)
    assert refused >= 20
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither a folder nor an archive"),
        (b"PK\x03\x04 a zip file", "neither a folder nor an archive"),
        (gzip.compress(b"a tar file", mtime=0), "neither a folder nor an archive"),
        (_archive([{"db": "../etc", "collection": "x"}]), "damaged"),
        (_archive([{"db": "a/b", "collection": "x"}]), "damaged"),
        (_archive([{"db": 5, "collection": "x"}]), "damaged"),
        (_archive([{"db": "a", "collection": "x", "metadata": "{"}]), "damaged"),
        (_archive([{"db": "a", "collection": "x"}]), "damaged"),
        (_archive([]), "holds no dump"),
        (_archive([{"db": "a", "collection": "../x"}]) + block("a", "../x", crc=0), "not a valid collection name"),
    ],
)
def test_hostile_archive_leaves_its_folder_at_no_time(
    target: Database, tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(OperatorError, match=said):
        put_back(content, target, tmp_path / "scratch")
    assert [path.name for path in tmp_path.rglob("*")] == ["scratch"]
