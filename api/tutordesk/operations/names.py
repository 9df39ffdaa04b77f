"""The collections and folders that operations treat apart, by name: operations know collections and never models.

A test compares these names with the documents that own them.
"""

import hashlib
import re

from tutordesk.ground.operator_error import OperatorError

DATABASE = "tutordesk"  # unless MONGODB_URL names another one
OWNERS, ROOM_SIGNALS, REPLIES, MIGRATIONS = "owners", "room_signals", "replies", "migrations"
COUNTS = "counts"
REPLY_PARTS = "parts"
LEASES = "leases"
DATA_EPOCH, SWITCH = "data_epoch", "switch"
STAGING = "restoring."  # the prefix of a restored copy's collections
# The beats of running servers, the signals between them and the counts of their limits. They mean nothing to another
# server or on another day.
TRANSIENT = (OWNERS, ROOM_SIGNALS, LEASES, COUNTS)
# Collections whose documents are never restored: transient ones, and the mark of the last restore.
NOT_RESTORED = (*TRANSIENT, DATA_EPOCH)
# Collections that a restore leaves alone, because they describe the database and not its data.
NOT_REPLACED = (DATA_EPOCH, LEASES)
MAX_STAGED_BYTES = 180  # MongoDB limits the names of a database and a collection to 255 together
MAX_DATABASE_BYTES = 63
INVALID_IN_DATABASE = re.compile(r'[/\\. "$\0]')
OF_MONGODB = ("admin", "config", "local")
CHANGE_LOG_FOLDER, CHANGE_LOG_LEASE = "changelog", "change log"


def check_database_name(name: str) -> None:
    """Raises OperatorError for a name that MongoDB does not take, or that belongs to MongoDB itself."""
    if not name or INVALID_IN_DATABASE.search(name) or len(name.encode()) > MAX_DATABASE_BYTES:
        raise OperatorError(
            f"{name!r} is not a valid name of a database. Use at most {MAX_DATABASE_BYTES} letters, digits, - and _."
        )
    if name in OF_MONGODB:
        raise OperatorError(f"The database {name} belongs to MongoDB itself. Choose another name.")


def staged_name(collection: str) -> str:
    """Return the name of a collection's restored copy.

    It is a hash of names that leave no room for the prefix, or that MongoDB takes and its driver refuses.
    """
    name = STAGING + collection
    if len(name.encode()) <= MAX_STAGED_BYTES and ".." not in name and not name.endswith("."):
        return name
    return STAGING + hashlib.sha256(collection.encode()).hexdigest()
