"""Switches the database to a staged copy, and changes the epoch by which clients notice a restore.

    data_epoch {_id: "data", epoch, restored_at}        changes with each restore
    data_epoch {_id: "switch", rename, drop, views}     exists while the switch runs

The plan is written first. Each rename replaces one collection atomically, so an interrupted switch is finished by
carrying out its plan again: collections without a staging name are done. Servers refuse to start until then.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pymongo import WriteConcern
from pymongo.collection import Collection

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, CollectionInfo, Database, Spec, list_collections
from tutordesk.operations.names import DATA_EPOCH, NOT_REPLACED, STAGING, SWITCH, staged_name

if TYPE_CHECKING:
    from tutordesk.ground.database import AsyncDatabase

DATA = "data"
NONE_YET = "0"


def switch(database: Database, staged: Iterable[CollectionInfo]) -> None:
    """Make the staged collections the database's only ones, beside time series, which no restore takes."""
    staged = list(staged)
    rename = [collection.name for collection in staged if collection.kind == "collection"]
    views = [
        {"name": collection.name, "options": collection.options} for collection in staged if collection.kind == "view"
    ]
    keep = {*rename, *NOT_REPLACED}
    existing = [collection for collection in list_collections(database) if collection.name not in keep]
    drop = [collection.name for collection in existing if collection.kind != "timeseries"]
    plan = {"_id": SWITCH, "rename": rename, "drop": drop, "views": views}
    _epochs(database).replace_one({"_id": SWITCH}, plan, upsert=True)
    finish_switch(database)


def finish_switch(database: Database) -> bool:
    """Carry out what is left of a switch's plan. Returns False when there is none."""
    plan = _epochs(database).find_one({"_id": SWITCH})
    if not plan:
        return False
    ready = {STAGING + collection.name for collection in list_collections(database, STAGING)}
    former_views = {collection.name for collection in list_collections(database) if collection.kind == "view"}
    for name in plan["drop"]:
        database.drop_collection(name)
    for name in plan["rename"]:
        if staged_name(name) in ready:
            if name in former_views:
                database.drop_collection(name)
            staged, final = f"{database.name}.{staged_name(name)}", f"{database.name}.{name}"
            database.client.admin.command("renameCollection", staged, to=final, dropTarget=True)
    for view in plan["views"]:
        database.drop_collection(view["name"])
        database.command({"create": view["name"], **view["options"]})
    changed = {"epoch": secrets.token_hex(8), "restored_at": datetime.now(UTC)}
    _epochs(database).replace_one({"_id": DATA}, changed, upsert=True)
    _epochs(database).delete_one({"_id": SWITCH})
    return True


def data_epoch(database: Database) -> str:
    """Return the data's epoch: another word after each restore, `0` before the first."""
    row = _epochs(database).find_one({"_id": DATA})
    return str(row["epoch"]) if row else NONE_YET


def is_switching(database: Database) -> bool:
    """Return whether a switch is running, or was interrupted."""
    return bool(_epochs(database).find_one({"_id": SWITCH}))


async def read_epoch(database: "AsyncDatabase") -> str:
    """Return the epoch for a server that starts. Raises OperatorError while the database is part of two states."""
    rows = {row["_id"]: row async for row in database[DATA_EPOCH].find()}
    if SWITCH in rows:
        raise OperatorError(
            "A restore broke off while it put its copy in place. Call `tutordesk restore` again; it finishes it."
        )
    return str(rows[DATA]["epoch"]) if DATA in rows else NONE_YET


def _epochs(database: Database) -> Collection[Spec]:
    return database.get_collection(DATA_EPOCH, EXACT, write_concern=WriteConcern(w="majority", j=True))
