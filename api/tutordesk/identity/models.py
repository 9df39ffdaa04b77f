"""The `User` document: a visitor from the first write on. Setting a name or creating an account keeps the id.

An account is an e-mail address (lower case, unique) and the argon2id hash of a password. Names are not unique.
"""

from datetime import datetime
from typing import Literal

from beanie import Document, PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from tutordesk.ground.clock import now

Role = Literal["visitor", "member", "admin", "agent"]


class User(Document):
    """A user. Names with the same `name_key` look alike (identity/names.py)."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    name: str | None = None
    name_key: str | None = None
    role: Role = "visitor"
    email: str | None = None
    password_hash: str | None = Field(default=None, repr=False)
    is_disabled: bool = False
    created_at: datetime = Field(default_factory=now)

    class Settings:
        name = "users"
        keep_nulls = False  # the sparse unique index ignores users without the field, but not null values
        indexes = [IndexModel([("email", ASCENDING)], name="email", unique=True, sparse=True)]
