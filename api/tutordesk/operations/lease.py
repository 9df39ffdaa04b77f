"""Who of several does what only one may do on a database: the one that beats in one document.

    leases {_id: "change log", server, token, beat, …status}      writes the change log
    leases {_id: "migrations", …}                                 changes the schema

Another takes over when the beat stood still through five looks of its own, two seconds apart; no clock is compared with
another machine's. A server's own lease is taken at once, because only one process can hold its data folder's log.
"""

import secrets
from typing import Any

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
        """Ask for it, once every two seconds."""
        own = {"server": self._server, "token": self._token, "beat": 0}
        found = self._documents.find_one(self._key)
        if not found:
            try:
                self._documents.insert_one({**self._key, **own})
            except pymongo.errors.DuplicateKeyError:
                return False
            return True
        seen = (found["token"], found["beat"])
        self._looks = self._looks + 1 if seen == self._seen else 0
        self._seen = seen
        if found["server"] != self._server and self._looks < STILL_LOOKS:
            return False
        guard = {**self._key, "token": found["token"], "beat": found["beat"]}
        return bool(self._documents.replace_one(guard, {**self._key, **own}).modified_count)

    def beat(self, status: dict[str, Any]) -> bool:
        """Show that this holder lives, and how it does. False: another one took over."""
        guard = {**self._key, "token": self._token}
        return bool(self._documents.update_one(guard, {"$inc": {"beat": 1}, "$set": status}).matched_count)

    def release(self) -> None:
        self._documents.delete_one({**self._key, "token": self._token})
