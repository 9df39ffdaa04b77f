"""The `User` document: a visitor from its first write on. Naming oneself or keeping an account keeps the same id.

An account is an e-mail address (lower case, one user's only) and the argon2id hash of a password. Names are not unique.
"""

from datetime import datetime
from typing import Literal

from beanie import Document, PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from tutordesk.ground.clock import now

Role = Literal["visitor", "member", "admin", "agent"]


class User(Document):
    """`name_key` is how the name looks (identity/names.py): names with the same can be taken for each other."""

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
        keep_nulls = False  # a user without e-mail has no such field, so that the index passes it over
        indexes = [IndexModel([("email", ASCENDING)], name="email", unique=True, sparse=True)]
