"""Accounts: an e-mail address and a password carry a user to another device.

Passwords are stored as argon2id hashes and checked in a thread, one at a time in a process (`Limits` has the lock). An
unknown address is checked against a dummy hash, so that the answer takes as long as for a known one.
"""

import asyncio
import unicodedata
from typing import Annotated

import pymongo.errors
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, StringConstraints, ValidationInfo, field_validator

from tutordesk.ground.errors import Conflict, WrongCredentials
from tutordesk.identity.models import User

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP, Password Storage Cheat Sheet
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$pttm22O9pjFoqCX2QsZWgg$vvRyxGAvqap024HAIfUJAgmvGP3u99m4bOJMdImIgUA"
EMAIL_TAKEN = "You cannot use this e-mail address. Choose another one, or sign in if it is yours."

Email = Annotated[EmailStr, AfterValidator(str.lower)]


def _one_spelling(password: str) -> str:
    """Return the password in one form for all keyboards: some send é as one character, some as two."""
    return unicodedata.normalize("NFC", password)


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_spelling)]


class Account(BaseModel):
    """A new account, or the changed one. A change needs `current_password`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: Email
    password: Annotated[str, StringConstraints(min_length=10, max_length=200), AfterValidator(_one_spelling)]
    current_password: Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_spelling)] | None = None

    @field_validator("password", mode="after")
    @classmethod
    def _not_the_email(cls, password: str, info: ValidationInfo) -> str:
        if password.lower() == info.data.get("email"):
            raise ValueError("must not be your e-mail address")
        return password


async def find_account(email: str, password: str) -> User:
    """Return the account's user. Raises WrongCredentials for an unknown address, wrong password and disabled user."""
    user = await User.find_one(User.email == email)
    if not await _matches(user.password_hash if user else None, password) or not user or user.is_disabled:
        raise WrongCredentials
    return user


async def confirm_password(user: User, password: str) -> None:
    """Check the password of a signed-in user. Raises WrongCredentials."""
    if not await _matches(user.password_hash, password):
        raise WrongCredentials("Your current password is wrong. Check it and try again.")


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(HASHER.hash, password)


async def save_account(user: User, email: str, password_hash: str) -> None:
    """Save the account. Raises Conflict if another user has the address, or the account changed since it was read."""
    unchanged = {"_id": user.id, "password_hash": user.password_hash}
    try:
        change = {"$set": {"email": email, "password_hash": password_hash}}
        result = await User.get_motor_collection().update_one(unchanged, change)
    except pymongo.errors.DuplicateKeyError:
        raise Conflict(EMAIL_TAKEN) from None
    if not result.matched_count:
        raise Conflict


async def _matches(password_hash: str | None, password: str) -> bool:
    """Return whether the password has this hash. Without a hash returns False, after the same time."""

    def verify() -> bool:
        try:
            return HASHER.verify(password_hash or DUMMY_HASH, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.to_thread(verify)
