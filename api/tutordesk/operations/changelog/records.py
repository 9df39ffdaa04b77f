"""One record of the change log: an oplog entry as MongoDB wrote it, with two fields more at its end.

    {…the entry…, _crc: Long, _prev: Binary(32)}

`_crc` is the CRC-32 of the unchanged entry, `_prev` the SHA-256 of the whole record before it; so each record vouches
for all before it. The two fields are of one length, so the entry can be cut out to the byte. Stock tools pass them
over. A file of the log is records one after another, which is how oplog.bson looks, too.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import bson
from bson import Int64, Timestamp
from bson.raw_bson import RawBSONDocument

CRC, PREV = b"\x12_crc\0", b"\x05_prev\0\x20\0\0\0\0"
ADDED = len(CRC) + 8 + len(PREV) + 32
MIN_BYTES, MAX_BYTES = 5 + ADDED, 32 * 2**20
NO_RECORD = bytes(32)
MARK = "tutordesk"


class Damage(Exception):
    """A record that is not whole, at this offset of its file. The text says what is wrong."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset


def seal(entry: bytes, previous: bytes) -> bytes:
    """The record of an entry. `previous`: the hash of the record before it."""
    fields = CRC + struct.pack("<q", zlib.crc32(entry)) + PREV + previous
    return struct.pack("<i", len(entry) + ADDED) + entry[4:-1] + fields + b"\0"


def hash_of(record: bytes) -> bytes:
    return hashlib.sha256(record).digest()


def unseal(record: bytes) -> tuple[bytes, bytes]:
    """The entry, and the hash that the record before it must have. Raises ValueError with what is wrong."""
    crc = len(record) - ADDED - 1
    previous = crc + len(CRC) + 8
    if record[crc : crc + len(CRC)] != CRC or record[previous : previous + len(PREV)] != PREV or record[-1]:
        raise ValueError("it has no checksum")
    entry = struct.pack("<i", len(record) - ADDED) + record[4:crc] + b"\0"
    if struct.pack("<q", zlib.crc32(entry)) != record[crc + len(CRC) : previous]:
        raise ValueError("its checksum is wrong")
    return entry, record[previous + len(PREV) : -1]


def scan(data: bytes, previous: bytes | None, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
    """Where each record begins, its entry, and its hash. `previous`: the hash before the first; None: not known.

    Raises Damage at the first byte that is not of a whole record, or of one that does not follow on that before it.
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
    """Whether nothing whole comes after the damage at `offset`, as when a write was broken off."""
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


def mark(ts: Timestamp, term: int, what: str, **fields: Any) -> bytes:
    """An entry of the log's own, which does nothing when it is replayed: `beat`, `gap`."""
    return bson.encode({"ts": ts, "t": Int64(term), "v": 2, "op": "n", "ns": "", "o": {MARK: what, **fields}})


def mark_of(entry: RawBSONDocument) -> RawBSONDocument | None:
    """What a mark of ours says, when this entry is one."""
    if entry["op"] != "n" or MARK not in entry["o"]:
        return None
    own: RawBSONDocument = entry["o"]
    return own
