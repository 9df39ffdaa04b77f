"""Selects the oplog entries that the change log keeps: those of the product's database, as MongoDB wrote them.

It leaves out other databases, a copy that a restore is building, and what belongs to running processes: beats, signals,
and the text of answers in progress, which comes whole at their end. A transaction loses only such operations.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from tutordesk.operations.catalog import RAW
from tutordesk.operations.names import DATA_EPOCH, REPLIES, REPLY_PARTS, STAGING, SWITCH, TRANSIENT

Entry = Mapping[str, Any]  # an oplog entry or an operation of one: any document of BSON


class RestoreStarted(Exception):
    """A restore begins with this entry. Its steps must not be replayed."""


def split(batch: bytes) -> Iterator[bytes]:
    """Yield the documents of a raw batch."""
    start = 0
    while start < len(batch):
        end = start + int(struct.unpack_from("<i", batch, start)[0])
        yield batch[start:end]
        start = end


def keep(raw: bytes, entry: RawBSONDocument, database: str) -> bytes | None:
    """Return the entry as the log keeps it, or None. Raises RestoreStarted."""
    if entry["op"] == "n":
        return None
    if entry["ns"] == "admin.$cmd" and "applyOps" in entry["o"]:
        return _keep_transaction(raw, entry, database)
    return raw if is_kept(entry, database) else None


def ends_restore(entry: Entry, database: str) -> bool:
    """Return whether an entry is the last step of a restore, which removes its plan."""
    return bool(entry["op"] == "d" and entry["ns"] == f"{database}.{DATA_EPOCH}" and entry["o"]["_id"] == SWITCH)


def is_kept(operation: Entry, database: str) -> bool:
    """Return whether an operation, of an entry or a transaction, is kept. Raises RestoreStarted."""
    name, _, collection = operation["ns"].partition(".")
    if name != database:
        return False
    if collection == "$cmd":
        collection = collection_of(operation["o"], database)
    if collection in TRANSIENT or collection.startswith(STAGING):
        return False
    if collection == DATA_EPOCH:
        if operation["op"] == "i" and operation["o"]["_id"] == SWITCH:
            raise RestoreStarted
        return False
    return not (collection == REPLIES and operation["op"] == "u" and _is_checkpoint(operation["o"]))


def collection_of(command: Entry, database: str) -> str:
    """Return the collection that an entry's command is about; for a rename, the renamed one."""
    name = next(iter(command.values()), "")
    return name.removeprefix(f"{database}.") if isinstance(name, str) else ""


def _is_checkpoint(change: Entry) -> bool:
    """Return whether an update only appends to the parts of a reply in progress."""
    difference = change.get("diff")
    if difference is None:
        return False
    if list(difference) in (["i"], ["u"]):  # the first part, of an array that was absent or short
        return list(next(iter(difference.values()))) == [REPLY_PARTS]
    if list(difference) != [f"s{REPLY_PARTS}"]:
        return False
    return all(key == "a" or key.startswith("u") for key in difference[f"s{REPLY_PARTS}"])


def _keep_transaction(raw: bytes, entry: RawBSONDocument, database: str) -> bytes | None:
    """Return a transaction without what is left out. All entries of a chained one are kept, so that it stays whole."""
    change = entry["o"]
    kept = [operation for operation in change["applyOps"] if is_kept(operation, database)]
    if len(kept) == len(change["applyOps"]):
        return raw
    is_chained = "partialTxn" in change or "count" in change
    if not kept and not is_chained:
        return None
    rewritten = {**entry, "o": {**change, "applyOps": kept}}
    return bson.encode(rewritten, codec_options=RAW)
