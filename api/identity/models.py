"""The `User` document: a visitor from its first write on. Naming oneself or keeping an account keeps the same id."""

from datetime import UTC, datetime
from typing import Literal

from beanie import Document
from pydantic import Field

Role = Literal["visitor", "member", "admin", "agent"]


class User(Document):
    name: str | None = None
    role: Role = "visitor"
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    class Settings:
        name = "users"
