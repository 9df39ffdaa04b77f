"""Replays oplog entries onto a staged copy, in their order.

Inserts, updates and deletes go to `applyOps` in batches, reduced to `op, ns, o, o2`, because a whole entry can crash
mongod 6.0.5 (a retryable findAndModify's `needsRetryImage`). Commands are run one by one, under the copy's names.
Indexes are noted, and built by staging.py at the end. A transaction is applied when its last entry has come.
"""

from collections.abc import Callable
from typing import Any

import bson
import pymongo.errors
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, CollectionInfo, Database, Spec
from tutordesk.operations.changelog.entries import Entry, is_kept
from tutordesk.operations.dumps.metadata import current_index
from tutordesk.operations.names import NOT_RESTORED, staged_name
from tutordesk.operations.restores.exact import is_changed_by_insert, replacing

BATCH_COUNT, BATCH_BYTES = 500, 8 * 2**20
ID_INDEX = {"v": 2, "key": {"_id": 1}, "name": "_id_"}
NOT_OPTIONS = ("create", "idIndex", "temp", "autoIndexId")
VIEWS, FORMER_INDEXES = "system.views", "system.indexes"


class Replay:
    """Applies entries of the database `source` to the `staged` collections, whose descriptions it keeps up to date.

    Raises OperatorError for an entry that cannot be replayed. Transactions that never ended are left out. `notes` tells
    what else is.
    """

    def __init__(self, database: Database, staged: dict[str, CollectionInfo], source: str) -> None:
        self.operations = 0
        self.notes: list[str] = []
        self._database, self._staged, self._source = database, staged, source
        self._batch: list[Entry] = []
        self._bytes = 0
        self._open: dict[bytes, list[Entry]] = {}
        self._commands: dict[str, Callable[[str, Spec], None]] = {
            "create": self._create,
            "drop": lambda name, _: self._drop(name),
            "dropDatabase": self._drop_all,
            "renameCollection": self._rename,
            "createIndexes": self._create_index,
            "commitIndexBuild": self._create_indexes,
            "dropIndexes": self._drop_indexes,
            "deleteIndexes": self._drop_indexes,
            "collMod": self._modify,
            "startIndexBuild": lambda name, spec: None,
            "abortIndexBuild": lambda name, spec: None,
        }

    def take(self, entry: RawBSONDocument) -> None:
        """Apply an entry, now or in a batch with those that follow."""
        if entry["op"] == "n":
            return
        change = entry["o"]
        if entry["op"] == "c" and "applyOps" in change:
            self._take_transaction(entry, change)
        else:
            self._apply(entry)

    def finish(self) -> None:
        """Apply the batch that is waiting for more."""
        batch, self._batch, self._bytes = self._batch, [], 0
        if not batch:
            return
        try:
            self._database.client.admin.command("applyOps", batch, bypassDocumentValidation=True)
        except pymongo.errors.OperationFailure as error:
            raise OperatorError(f"The change log cannot be replayed: {str(error.details)[:300]}") from None

    def _take_transaction(self, entry: RawBSONDocument, change: Entry) -> None:
        key = entry["lsid"].raw + bytes(str(entry["txnNumber"]), "ascii") if "txnNumber" in entry else b""
        operations = self._open.pop(key, []) + list(change["applyOps"])
        if change.get("partialTxn"):
            self._open[key] = operations
            return
        if change.get("prepare"):
            raise OperatorError("The change log holds a transaction over several shards, which cannot be replayed.")
        for operation in operations:
            self._apply(operation)

    def _apply(self, operation: Entry) -> None:
        if not is_kept(operation, self._source):
            return
        self.operations += 1
        _, _, name = operation["ns"].partition(".")
        if operation["op"] == "c":
            self.finish()
            self._run_command({key: operation["o"][key] for key in operation["o"]})
        elif name == VIEWS:
            self._change_view(operation)
        elif name == FORMER_INDEXES and operation["op"] == "i":
            self._create_former_index(_plain(operation["o"]))
        elif name.startswith("system."):
            self._leave_out(name, "it belongs to MongoDB itself")
        else:
            self._put(operation, name)

    def _leave_out(self, name: str, reason: str) -> None:
        note = f"Changes of {name} are left out, because {reason}."
        if note not in self.notes:
            self.notes.append(note)

    def _put(self, operation: Entry, name: str) -> None:
        if operation["op"] in ("i", "u") and is_changed_by_insert(operation["o"]) and "_id" in operation["o"]:
            self.finish()
            collection, document = self._database[staged_name(name)], operation["o"]
            write = UpdateOne({"_id": document["_id"]}, replacing(document), upsert=True)
            collection.bulk_write([write], bypass_document_validation=True)
            return
        reduced = {"op": operation["op"], "ns": f"{self._database.name}.{staged_name(name)}", "o": operation["o"]}
        if "o2" in operation:
            reduced["o2"] = operation["o2"]
        self._batch.append(reduced)
        self._bytes += len(operation["o"].raw)
        if len(self._batch) >= BATCH_COUNT or self._bytes >= BATCH_BYTES:
            self.finish()

    def _run_command(self, command: Spec) -> None:
        kind = next(iter(command))
        run = self._commands.get(kind)
        if not run:
            raise OperatorError(f"The change log holds the command {kind}, which cannot be replayed.")
        name = str(command[kind]).removeprefix(f"{self._source}.")
        if name.startswith("system.") and name != VIEWS:
            self._leave_out(name, "it belongs to MongoDB itself")
            return
        run(name, {key: _plain(value) for key, value in command.items()})

    def _create(self, name: str, command: Spec) -> None:
        if name in self._staged or name == VIEWS:
            return
        options = {key: command[key] for key in command if key not in NOT_OPTIONS}
        self._database.command({"create": staged_name(name), **options})
        indexes = [] if "clusteredIndex" in options else [command.get("idIndex", ID_INDEX)]
        self._staged[name] = CollectionInfo(name, "collection", options, indexes)

    def _drop(self, name: str) -> None:
        if self._staged.pop(name, None):
            self._database.drop_collection(staged_name(name))

    def _drop_all(self, name: str, command: Spec) -> None:
        for staged in list(self._staged):
            self._drop(staged)

    def _rename(self, name: str, command: Spec) -> None:
        to = command["to"].removeprefix(f"{self._source}.")
        if name not in self._staged or not command["to"].startswith(f"{self._source}."):
            raise OperatorError(f"The change log renames {command['renameCollection']}, which is not in the copy.")
        if to in self._staged:
            self._drop(to)
        self._database[staged_name(name)].rename(staged_name(to))
        collection = self._staged.pop(name)
        self._staged[to] = CollectionInfo(to, collection.kind, collection.options, collection.indexes)

    def _create_index(self, name: str, command: Spec) -> None:
        self._create_indexes(name, {"indexes": [{key: command[key] for key in command if key != "createIndexes"}]})

    def _create_indexes(self, name: str, command: Spec) -> None:
        collection = self._known(name)
        added = [current_index(spec)[0] for spec in command["indexes"]]
        names = [spec["name"] for spec in added]
        collection.indexes = [*(spec for spec in collection.indexes if spec["name"] not in names), *added]

    def _create_former_index(self, spec: Spec) -> None:
        """Note an index as MongoDB created them before version 4.2: by an insert."""
        self._create_indexes(str(spec["ns"]).partition(".")[2], {"indexes": [spec]})

    def _drop_indexes(self, name: str, command: Spec) -> None:
        collection = self._known(name)
        collection.indexes = [spec for spec in collection.indexes if spec["name"] != command["index"]]

    def _modify(self, name: str, command: Spec) -> None:
        change = command.pop("index", None)
        if change:
            for spec in self._known(name).indexes:
                if change.get("name") == spec["name"] or change.get("keyPattern") == spec["key"]:
                    spec |= {key: change[key] for key in change if key not in ("name", "keyPattern")}
                    if not spec.get("hidden", True):
                        del spec["hidden"]
        rest = {key: command[key] for key in command if key != "collMod"}
        if rest and name not in NOT_RESTORED:
            self._database.command("collMod", staged_name(name), **rest)

    def _change_view(self, operation: Entry) -> None:
        view = _plain(operation["o"])
        name = str((_plain(operation.get("o2")) or view)["_id"]).partition(".")[2]
        if operation["op"] == "d":
            self._staged.pop(name, None)
        elif str(view.get("viewOn")).startswith("system.buckets."):
            self._leave_out(name, "it is a time series; mongorestore restores it")
        elif "viewOn" in view:
            self._staged[name] = CollectionInfo(name, "view", {key: view[key] for key in view if key != "_id"})
        else:
            raise OperatorError(f"The change log holds a change of the view {name}, which cannot be replayed.")

    def _known(self, name: str) -> CollectionInfo:
        if name not in self._staged:
            raise OperatorError(f"The change log changes the collection {name}, which is not in the copy.")
        return self._staged[name]


def _plain(value: Any) -> Any:  # of an oplog entry: any value of BSON
    """Return the value with raw documents decoded."""
    if isinstance(value, RawBSONDocument):
        return bson.decode(value.raw, EXACT)
    return [_plain(item) for item in value] if isinstance(value, list) else value
