"""Puts a restored copy in the place of the database's own collections, and tells that the data are others now.

    data_epoch {_id: "data", epoch, restored_at}        changes with each restore
    data_epoch {_id: "switch", rename, drop, views}     is there while the copy is put in place

The plan is written first. Each rename replaces one collection at once, so a switch that broke off is finished by doing
its plan again: what has no staging name any more was done. A server refuses to start meanwhile.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import WriteConcern

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, CollectionInfo, Database, list_collections
from tutordesk.operations.names import DATA_EPOCH, NOT_REPLACED, STAGING, SWITCH

if TYPE_CHECKING:
    from tutordesk.ground.database import AsyncDatabase

DATA = "data"
NONE_YET = "0"


def switch(database: Database, staged: Iterable[CollectionInfo]) -> None:
    """Let the staged collections be the database's only ones."""
    staged = list(staged)
    rename = [one.name for one in staged if one.kind == "collection"]
    views = [{"name": one.name, "options": one.options} for one in staged if one.kind == "view"]
    keep = {*rename, *NOT_REPLACED}
    drop = [one.name for one in list_collections(database) if one.name not in keep]
    plan = {"_id": SWITCH, "rename": rename, "drop": drop, "views": views}
    _epochs(database).replace_one({"_id": SWITCH}, plan, upsert=True)
    finish_switch(database)


def finish_switch(database: Database) -> bool:
    """Do what is left of a switch's plan. False: there is none."""
    plan = _epochs(database).find_one({"_id": SWITCH})
    if not plan:
        return False
    ready = {one.name for one in list_collections(database, STAGING)}
    for name in plan["drop"]:
        database.drop_collection(name)
    for name in plan["rename"]:
        if name in ready:
            database[STAGING + name].rename(name, dropTarget=True)
    for view in plan["views"]:
        database.drop_collection(view["name"])
        database.create_collection(view["name"], check_exists=False, **view["options"])
    changed = {"epoch": secrets.token_hex(8), "restored_at": datetime.now(UTC)}
    _epochs(database).replace_one({"_id": DATA}, changed, upsert=True)
    _epochs(database).delete_one({"_id": SWITCH})
    return True


def data_epoch(database: Database) -> str:
    """Which data these are: another word after each restore, `0` before the first."""
    found = _epochs(database).find_one({"_id": DATA})
    return str(found["epoch"]) if found else NONE_YET


def is_switching(database: Database) -> bool:
    """Whether a copy is being put in place, or a restore broke off there."""
    return bool(_epochs(database).find_one({"_id": SWITCH}))


async def read_epoch(database: "AsyncDatabase") -> str:
    """As `data_epoch`, for a server that starts. Raises OperatorError when it would find parts of two databases."""
    found = {row["_id"]: row async for row in database[DATA_EPOCH].find()}
    if SWITCH in found:
        raise OperatorError(
            "A restore broke off while it put its copy in place. Call `tutordesk restore` again; it finishes it."
        )
    return str(found[DATA]["epoch"]) if DATA in found else NONE_YET


def _epochs(database: Database) -> Any:
    return database.get_collection(DATA_EPOCH, EXACT, write_concern=WriteConcern(w="majority", j=True))
