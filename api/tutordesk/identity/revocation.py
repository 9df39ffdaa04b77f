"""Revocations: sign-ins that ended before their cookie expired, by sign-out, a new password or a disabled user.

Each is a document in MongoDB. Every process holds all of them in memory, so that a check costs nothing. It applies its
own revocations immediately and reads those of other processes every two seconds. MongoDB deletes a revocation once
the cookies that it concerns have expired.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Self

from beanie import Document, PydanticObjectId
from pymongo import ASCENDING, IndexModel

from tutordesk.ground.background import Background
from tutordesk.ground.clock import now
from tutordesk.identity.tokens import LIFETIME

READ_SECONDS = 2.0
OVERLAP = timedelta(minutes=10)  # covers the difference of several servers' clocks and a slow write
TIME_TO_LIVE = LIFETIME + timedelta(days=1)


class Revocation(Document):
    """The end of one sign-in, or of several sign-ins of a user.

    With `sid`, that sign-in ended. Without it, all that began before `before` (seconds since 1970) ended, and all
    without exception while `is_disabled`. The `id` is "user:sid" or "user", so a user has one of the second kind.
    """

    id: str  # type: ignore[assignment]  # Beanie declares it optional
    user_id: PydanticObjectId
    sid: str | None
    before: float
    is_disabled: bool = False
    expires_at: datetime

    class Settings:
        name = "revocations"
        indexes = [IndexModel([("expires_at", ASCENDING)], name="expires_at", expireAfterSeconds=0)]


class Revocations:
    """The revocations that this process knows. Use as `async with Revocations()`, which keeps them up to date."""

    def __init__(self) -> None:
        self._sign_ins: set[tuple[PydanticObjectId, str]] = set()
        self._before: dict[PydanticObjectId, float] = {}
        self._disabled: set[PydanticObjectId] = set()
        self._background = Background()
        self._newest = datetime.fromtimestamp(0, UTC) + OVERLAP

    def is_revoked(self, user_id: PydanticObjectId, sid: str, issued_at: float) -> bool:
        """Return whether the sign-in `sid` of a user has ended, which began at `issued_at` (seconds since 1970)."""
        return user_id in self._disabled or issued_at < self._before.get(user_id, 0) or (user_id, sid) in self._sign_ins

    async def end_sign_in(self, user_id: PydanticObjectId, sid: str) -> None:
        await self._write(user_id, sid, {"$max": {"before": time.time()}})

    async def end_all_sign_ins(self, user_id: PydanticObjectId, before: float) -> None:
        """End all sign-ins of a user that began before `before`, in seconds since 1970."""
        await self._write(user_id, None, {"$max": {"before": before}})

    async def disable(self, user_id: PydanticObjectId) -> None:
        """Refuse all present and future sign-ins of a user, until `enable`."""
        await self._write(user_id, None, {"$max": {"before": 0.0}, "$set": {"is_disabled": True}})

    async def enable(self, user_id: PydanticObjectId) -> None:
        """Accept a disabled user's sign-ins again, except for those that ended in another way."""
        await self._write(user_id, None, {"$max": {"before": 0.0}, "$set": {"is_disabled": False}})

    async def read(self) -> None:
        """Read the revocations written since the last time. Raises pymongo.errors.PyMongoError."""
        async for revocation in Revocation.find(Revocation.expires_at > self._newest - OVERLAP):
            self._apply(revocation)
            self._newest = max(self._newest, revocation.expires_at)

    async def __aenter__(self) -> Self:
        await self.read()
        self._background.every(READ_SECONDS, self.read, "reading revocations")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._background.close()

    async def _write(self, user_id: PydanticObjectId, sid: str | None, change: dict[str, dict[str, object]]) -> None:
        fields = {"user_id": user_id, "sid": sid, "expires_at": now() + TIME_TO_LIVE}
        key = str(user_id) if sid is None else f"{user_id}:{sid}"
        update = change | {"$set": fields | change.get("$set", {})}
        await Revocation.get_motor_collection().update_one({"_id": key}, update, upsert=True)
        if revocation := await Revocation.get(key):
            self._apply(revocation)

    def _apply(self, revocation: Revocation) -> None:
        if revocation.sid is not None:
            self._sign_ins.add((revocation.user_id, revocation.sid))
            return
        self._before[revocation.user_id] = revocation.before
        if revocation.is_disabled:
            self._disabled.add(revocation.user_id)
        else:
            self._disabled.discard(revocation.user_id)
