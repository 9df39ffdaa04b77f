"""Leases: of several processes, the one that beats in a document does what only one may do.

    leases {_id: "change log", server, token, beat, …status}      writes the change log
    leases {_id: "migrations", …}                                 changes the schema

Another takes over when the beat has not moved through five looks, two seconds apart. No clocks of two machines are
compared. A server takes its own lease at once, because only one process can hold its data folder's log.
"""

import secrets
from collections.abc import Mapping

import pymongo.errors
from pymongo import WriteConcern

from tutordesk.operations.catalog import Database
from tutordesk.operations.names import LEASES

BEAT_SECONDS = 2.0
STILL_LOOKS = 5


class Lease:
    """The lease `name`, for the holder `server`."""

    def __init__(self, database: Database, name: str, server: str) -> None:
        self._documents = database.get_collection(LEASES, write_concern=WriteConcern(w=1))
        self._key = {"_id": name}
        self._server, self._token, self._seen, self._looks = server, secrets.token_hex(6), ("", -1), 0

    def take(self) -> bool:
        """Try to take the lease. Returns whether it is held. Call it every two seconds."""
        fields = {"server": self._server, "token": self._token, "beat": 0}
        row = self._documents.find_one(self._key)
        if not row:
            try:
                self._documents.insert_one({**self._key, **fields})
            except pymongo.errors.DuplicateKeyError:
                return False
            return True
        seen = (row["token"], row["beat"])
        self._looks = self._looks + 1 if seen == self._seen else 0
        self._seen = seen
        if row["server"] != self._server and self._looks < STILL_LOOKS:
            return False
        guard = {**self._key, "token": row["token"], "beat": row["beat"]}
        return bool(self._documents.replace_one(guard, {**self._key, **fields}).modified_count)

    def beat(self, status: Mapping[str, object]) -> bool:
        """Show that this holder is alive, with its status. Returns False when another has taken over."""
        guard = {**self._key, "token": self._token}
        return bool(self._documents.update_one(guard, {"$inc": {"beat": 1}, "$set": status}).matched_count)

    def release(self) -> None:
        """Give the lease up."""
        self._documents.delete_one({**self._key, "token": self._token})
