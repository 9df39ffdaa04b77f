"""Accounts: an e-mail address and a password carry a user to another device.

Passwords are kept as argon2id hashes and checked in a thread, one at a time in a process (`Limits` sees to that). An
unknown address is checked against the hash of nobody's password, so that it takes as long as a known one.
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
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$pttm22O9pjFoqCX2QsZWgg$vvRyxGAvqap024HAIfUJAgmvGP3u99m4bOJMdImIgUA"
EMAIL_TAKEN = "That e-mail address cannot be used here. Take another one, or sign in if it is yours."

Email = Annotated[EmailStr, AfterValidator(str.lower)]


def _one_spelling(password: str) -> str:
    """The same password from every keyboard: some send é as one character, some as two."""
    return unicodedata.normalize("NFC", password)


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_spelling)]


class Account(BaseModel):
    """`current_password` is needed by whoever has an account already."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: Email
    password: Annotated[str, StringConstraints(min_length=10, max_length=200), AfterValidator(_one_spelling)]
    current_password: Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_spelling)] | None = None

    @field_validator("password", mode="after")
    @classmethod
    def _not_the_email(cls, password: str, info: ValidationInfo) -> str:
        if password.lower() == info.data.get("email"):
            raise ValueError("Choose a password that is not your e-mail address")
        return password


async def find_account(email: str, password: str) -> User:
    """Raises WrongCredentials: for an unknown address, another password and a disabled user alike."""
    user = await User.find_one(User.email == email)
    if not await _matches(user.password_hash if user else None, password) or not user or user.is_disabled:
        raise WrongCredentials
    return user


async def confirm_password(user: User, password: str) -> None:
    if not await _matches(user.password_hash, password):
        raise WrongCredentials("Your current password is another one.")


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(HASHER.hash, password)


async def save_account(user: User, email: str, password_hash: str) -> None:
    """Raises Conflict when the address is another's, or the account was changed since `user` was read."""
    known = {"_id": user.id, "password_hash": user.password_hash}
    try:
        change = {"$set": {"email": email, "password_hash": password_hash}}
        result = await User.get_motor_collection().update_one(known, change)
    except pymongo.errors.DuplicateKeyError:
        raise Conflict(EMAIL_TAKEN) from None
    if not result.matched_count:
        raise Conflict


async def _matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the hashed one. Without a hash it is not, after the same time."""

    def verify() -> bool:
        try:
            return HASHER.verify(password_hash or NOBODY, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.to_thread(verify)
