"""Records of the change log: oplog entries as MongoDB wrote them, each with two more fields at its end.

    {…the entry…, _crc: Long, _prev: Binary(32)}

`_crc` is the CRC-32 of the unchanged entry, `_prev` the SHA-256 of the whole record before it, so each record vouches
for all before it. The two fields have a fixed length, so the entry can be cut out to the byte. Stock tools ignore them.
A file of the log is one record after another, like oplog.bson.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator

import bson
from bson import Int64, Timestamp
from bson.raw_bson import RawBSONDocument

CRC, PREV = b"\x12_crc\0", b"\x05_prev\0\x20\0\0\0\0"
ADDED = len(CRC) + 8 + len(PREV) + 32
MIN_BYTES, MAX_BYTES = 5 + ADDED, 32 * 2**20
NO_RECORD = bytes(32)
MARK = "tutordesk"


class Damage(Exception):
    """A damaged record, at this `offset` of its file in bytes. The text says what is wrong."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset


def seal(entry: bytes, previous: bytes) -> bytes:
    """Return the record of an entry. `previous`: the hash of the record before it."""
    fields = CRC + struct.pack("<q", zlib.crc32(entry)) + PREV + previous
    return struct.pack("<i", len(entry) + ADDED) + entry[4:-1] + fields + b"\0"


def hash_of(record: bytes) -> bytes:
    return hashlib.sha256(record).digest()


def unseal(record: bytes) -> tuple[bytes, bytes]:
    """Return the entry, and the hash that the record before it must have. Raises ValueError for a damaged record."""
    crc = len(record) - ADDED - 1
    previous = crc + len(CRC) + 8
    if record[crc : crc + len(CRC)] != CRC or record[previous : previous + len(PREV)] != PREV or record[-1]:
        raise ValueError("it has no checksum")
    entry = struct.pack("<i", len(record) - ADDED) + record[4:crc] + b"\0"
    if struct.pack("<q", zlib.crc32(entry)) != record[crc + len(CRC) : previous]:
        raise ValueError("its checksum is wrong")
    return entry, record[previous + len(PREV) : -1]


def scan(data: bytes, previous: bytes | None, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each record's offset, its entry, and its hash. `previous`: the hash of the record before (None: unknown).

    Raises Damage at the first record that is not whole or does not follow the one before it.
    """
    view = memoryview(data)
    while start < len(data):
        length = struct.unpack_from("<i", data, start)[0] if start + 4 <= len(data) else 0
        if not MIN_BYTES <= length <= MAX_BYTES or start + length > len(data):
            raise Damage(start, "a record is cut off")
        record = bytes(view[start : start + length])
        try:
            entry, before = unseal(record)
        except ValueError as error:
            raise Damage(start, f"a record is damaged: {error}") from None
        if previous is not None and before != previous:
            raise Damage(start, "a record does not follow on the one before it")
        previous = hash_of(record)
        yield start, entry, previous
        start += length


def is_torn(data: bytes, offset: int) -> bool:
    """Return whether no whole record follows the damage at `offset`, as after an interrupted write."""
    starts = set()
    if offset + 4 <= len(data):
        starts.add(offset + struct.unpack_from("<i", data, offset)[0])
    place = data.find(CRC, offset)
    while place >= 0:
        starts.add(place + ADDED + 1)
        place = data.find(CRC, place + 1)
    return not any(offset < start < len(data) and _is_whole(data, start) for start in starts)


def _is_whole(data: bytes, start: int) -> bool:
    try:
        next(scan(data, None, start))
    except Damage:
        return False
    return True


def mark(ts: Timestamp, term: int, kind: str, **fields: Timestamp | str) -> bytes:
    """Return an entry that the log itself writes, a `beat` or a `gap`. Replaying it does nothing."""
    return bson.encode({"ts": ts, "t": Int64(term), "v": 2, "op": "n", "ns": "", "o": {MARK: kind, **fields}})


def mark_of(entry: RawBSONDocument) -> RawBSONDocument | None:
    """Return the fields of a mark, or None for an entry of MongoDB's."""
    if entry["op"] != "n" or MARK not in entry["o"]:
        return None
    fields: RawBSONDocument = entry["o"]
    return fields
