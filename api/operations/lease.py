"""Which of several servers on one database writes the change log: the one that beats in one document.

    change_log {_id: "writer", server, token, beat, …status}

Another takes over when the beat stood still through five looks of its own, two seconds apart; no clock is compared with
another machine's. A server's own lease is taken at once, because only one process can hold its data folder's log.
"""

import secrets
from typing import Any

import pymongo.errors
from pymongo import WriteConcern

from api.operations.catalog import Database

BEAT_SECONDS = 2.0
STILL_LOOKS = 5
WRITER = {"_id": "writer"}


class Lease:
    def __init__(self, database: Database, server: str) -> None:
        self._documents = database.get_collection("change_log", write_concern=WriteConcern(w=1))
        self._server, self._token, self._seen, self._looks = server, secrets.token_hex(6), ("", -1), 0

    def take(self) -> bool:
        """Ask for it, once every two seconds."""
        own = {"server": self._server, "token": self._token, "beat": 0}
        found = self._documents.find_one(WRITER)
        if not found:
            try:
                self._documents.insert_one({**WRITER, **own})
            except pymongo.errors.DuplicateKeyError:
                return False
            return True
        seen = (found["token"], found["beat"])
        self._looks = self._looks + 1 if seen == self._seen else 0
        self._seen = seen
        if found["server"] != self._server and self._looks < STILL_LOOKS:
            return False
        guard = {**WRITER, "token": found["token"], "beat": found["beat"]}
        return bool(self._documents.replace_one(guard, {**WRITER, **own}).modified_count)

    def beat(self, status: dict[str, Any]) -> bool:
        """Show that this writer lives, and how it does. False: another one took over."""
        guard = {**WRITER, "token": self._token}
        return bool(self._documents.update_one(guard, {"$inc": {"beat": 1}, "$set": status}).matched_count)

    def release(self) -> None:
        self._documents.delete_one({**WRITER, "token": self._token})
