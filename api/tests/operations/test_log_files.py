"""The change log's files: a torn end is cut off, other damage is found, and a full disk loses nothing."""

import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bson
import pytest
from bson import Int64, ObjectId, Timestamp

from testing.databases.logs import max_file_bytes
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Position
from tutordesk.operations.changelog import files as log_files
from tutordesk.operations.changelog.bases import DAY, KEEP_DAYS
from tutordesk.operations.changelog.files import Writer, segments
from tutordesk.operations.changelog.reading import Verdict, read_log, verify
from tutordesk.operations.changelog.records import Damage, is_torn, scan, seal, unseal

START = Position(Timestamp(100, 1), 1)


def entry(number: int, text: str = "text") -> bytes:
    change = {"_id": ObjectId(), "title": f"{text} {number}", "tags": ["a", {"b": 1.5}]}
    return bson.encode({"ts": at(number).ts, "t": Int64(1), "v": 2, "op": "i", "ns": "tutordesk.tickets", "o": change})


def at(number: int) -> Position:
    return Position(Timestamp(200 + number, 1), 1)


def write(folder: Path, *numbers: int) -> None:
    with writing(folder) as writer:
        if not writer.position:
            writer.begin(START)
        for number in numbers:
            writer.append([entry(number)], at(number))


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    writer = Writer(folder)
    try:
        yield writer
    finally:
        writer.close()


def read(folder: Path) -> list[int]:
    return [record.ts.time - 200 for record in read_log(folder, START.ts)]


def ends(data: bytes) -> list[int]:
    starts = [start for start, _, _ in scan(data, None)]
    return [*starts[1:], len(data)]


def test_record_is_the_entry_with_two_fields_more() -> None:
    record = seal(entry(1), b"p" * 32)
    assert unseal(record) == (entry_of(record), b"p" * 32)
    assert list(bson.decode(record))[-2:] == ["_crc", "_prev"]
    assert bson.decode(record)["_prev"] == b"p" * 32


def entry_of(record: bytes) -> bytes:
    fields = bson.decode(record)
    del fields["_crc"], fields["_prev"]
    return bson.encode(fields)


def test_torn_tail_is_cut_at_every_byte(tmp_path: Path) -> None:
    write(tmp_path / "whole", *range(6))
    whole = segments(tmp_path / "whole")[0].read_bytes()
    places = ends(whole)
    file = tmp_path / "log" / "log" / segments(tmp_path / "whole")[0].name
    file.parent.mkdir(parents=True)
    for cut in range(places[2], len(whole)):
        file.write_bytes(whole[:cut])
        left = sum(end <= cut for end in places)
        assert read(tmp_path / "log") == list(range(left))
        torn = verify(tmp_path / "log").torn
        assert torn == (None if cut in places else (file.name, places[left - 1], cut - places[left - 1]))
        with writing(tmp_path / "log") as writer:
            assert writer.position == at(left - 1)
            assert not writer.damage
        assert file.read_bytes() == whole[: places[left - 1]]


@pytest.mark.parametrize(
    "tail", [b"\x01", b"abc", b"\0" * 4096, b"\xff" * 5, bson.encode({"a": 1}), b"\x80\0\0\0" * 40]
)
def test_rubbish_behind_the_last_record_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    write(tmp_path, 0, 1, 2)
    file = segments(tmp_path)[0]
    whole = file.read_bytes()
    file.write_bytes(whole + tail)
    assert verify(tmp_path).torn == (file.name, len(whole), len(tail))
    write(tmp_path, 3)
    assert read(tmp_path) == [0, 1, 2, 3]
    assert verify(tmp_path) == Verdict(4, 1, at(0).ts, at(3).ts)


def test_cut_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, 0)
    size = segments(tmp_path)[0].stat().st_size
    with segments(tmp_path)[0].open("ab") as file:
        file.write(b"1234567")
    write(tmp_path)
    assert f"was cut at byte {size}, 7 bytes" in caplog.text


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    write(tmp_path, 0, 1, 2)
    data = bytearray(segments(tmp_path)[0].read_bytes())
    for place in range(len(data) * 8):
        data[place // 8] ^= 1 << place % 8
        with pytest.raises(Damage):
            list(scan(bytes(data), bytes(32)))
        data[place // 8] ^= 1 << place % 8


def test_damage_inside_is_not_cut_off(tmp_path: Path) -> None:
    """A new file begins after the damage, and the damaged one keeps all its bytes."""
    write(tmp_path, 0, 1, 2)
    file = segments(tmp_path)[0]
    whole = file.read_bytes()
    for place in range(0, ends(whole)[1], 3):
        data = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
        with pytest.raises(Damage) as raised:
            list(scan(data, None))
        assert not is_torn(data, raised.value.offset), place
    file.write_bytes(data)
    with writing(tmp_path) as writer:
        assert f"{file.name} is damaged at byte {ends(whole)[0]}" in writer.damage
        assert writer.position
        writer.mark_gap(writer.position, at(5), writer.damage)
        writer.append([entry(6)], at(6))
    assert file.read_bytes() == data
    with pytest.raises(OperatorError, match=f"damaged: {file.name}, byte {ends(whole)[0]}"):
        read(tmp_path)
    assert [record.ts for record in read_log(tmp_path, at(5).ts)] == [at(6).ts]
    verdict = verify(tmp_path)
    assert (verdict.gaps, len(verdict.damage), verdict.torn) == (1, 1, None)


def _swap(files: list[Path]) -> None:
    first, second = files[1].read_bytes(), files[2].read_bytes()
    files[1].write_bytes(second)
    files[2].write_bytes(first)


@pytest.mark.parametrize(
    "harm",
    [
        lambda files: files[1].unlink(),
        _swap,
        lambda files: files[1].write_bytes(files[1].read_bytes()[: -len(files[1].read_bytes()) // 2]),
        lambda files: files[1].write_bytes(b""),
        lambda files: shutil.copy(files[1], files[2]),
    ],
)
def test_missing_and_moved_records_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[list[Path]], object]
) -> None:
    monkeypatch.setattr(log_files, "SEGMENT_BYTES", 800)
    write(tmp_path, *range(20))
    assert len(segments(tmp_path)) > 3
    assert read(tmp_path) == list(range(20))
    assert verify(tmp_path).records == 20
    harm(segments(tmp_path))
    assert verify(tmp_path).damage
    with pytest.raises(OperatorError):
        read(tmp_path)


def test_files_are_private_and_rotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the owner may read the files, and each stays small."""
    monkeypatch.setattr(log_files, "SEGMENT_BYTES", 800)
    for number in range(20):
        write(tmp_path / "log", number)
    files = segments(tmp_path / "log")
    assert files[0].name == "0000000100-0000000001.oplog"
    assert max(file.stat().st_size for file in files) < 1200
    for path in (tmp_path / "log").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700
    after = at(15).ts
    assert [record.ts for record in read_log(tmp_path / "log", after)] == [at(number).ts for number in range(16, 20)]


def test_retention_of_what_was_deleted_is_documented() -> None:
    """A base serves the week after it, and the next one comes a day later. The older log is deleted with it."""
    text = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    told = " ".join(text.split())
    assert "what people deleted in Tutordesk leaves the log after nine days at most" in told
    assert (KEEP_DAYS, DAY) == (7, 24 * 3600)


def test_second_writer_is_refused(tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(OperatorError):
        Writer(tmp_path)


@pytest.mark.parametrize("room", [0, 1, 100, 904])
def test_full_disk_leaves_the_log_as_it_was(tmp_path: Path, room: int) -> None:
    with writing(tmp_path) as writer:
        writer.begin(START)
        writer.append([entry(0)], at(0))
        file = segments(tmp_path)[0]
        whole = file.read_bytes()
        for _ in range(3):
            with max_file_bytes(len(whole) + room), pytest.raises(OSError, match="File too large"):
                writer.append([entry(1, "long" * 500), entry(2)], at(2))
            assert file.read_bytes() == whole
            assert writer.position == at(0)
        writer.append([entry(1), entry(2)], at(2))
    assert read(tmp_path) == [0, 1, 2]
    assert not verify(tmp_path).damage
