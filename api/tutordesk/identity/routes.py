"""The routes of `/me`: the browser's identity and name, its account, signing in and out.

A new password begins a new sign-in with a new cookie, because it ends all earlier ones.
"""

import time
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints

from tutordesk.ground.errors import FieldError, Invalid, problem_responses
from tutordesk.identity.access import LimitsOf, ModelOf, RevocationsOf, Visitor, VisitorOfRequest
from tutordesk.identity.accounts import (
    Account,
    Credentials,
    confirm_password,
    find_account,
    hash_password,
    save_account,
)
from tutordesk.identity.models import Role, User
from tutordesk.identity.names import check_name, name_key
from tutordesk.identity.tokens import new_sign_in

router = APIRouter(tags=["identity"])


class Me(BaseModel):
    """The visitor. `id` is null until the first write; `email` is null without an account.

    `model` is the `provider:name` that answers.
    """

    id: str | None
    name: str | None
    email: str | None
    role: Role
    model: str


class MeChange(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(max_length=200)]


@router.get("/me", operation_id="read_me", responses=problem_responses(401))
async def read_me(visitor: Visitor, model: ModelOf) -> Me:
    return await _me(visitor, model)


@router.patch("/me", operation_id="update_me", responses=problem_responses(401, 403, 413, 415, 422))
async def update_me(change: MeChange, visitor: Visitor, model: ModelOf) -> Me:
    """Set or change your name. A visitor becomes a member with the same id."""
    name = check_name(change.name)
    user = await visitor.ensure_user()
    await user.update({"$set": {"name": name, "name_key": name_key(name)}})
    await User.find(User.id == user.id, User.role == "visitor").update({"$set": {"role": "member"}})
    return await _me(visitor, model)


@router.post(
    "/me/account", operation_id="create_account", responses=problem_responses(401, 403, 409, 413, 415, 422, 429)
)
async def create_account(
    account: Account, visitor: Visitor, limits: LimitsOf, revocations: RevocationsOf, model: ModelOf
) -> Me:
    """Create an account for this user, or change it. Every other sign-in of the user ends."""
    user = await visitor.user()
    if user and user.email and user.password_hash:
        if account.current_password is None:
            field = FieldError(field="current_password", message="Enter your current password")
            raise Invalid("You already have an account. To change it, enter your current password too.", [field])
        async with limits.sign_in_try(user.email, visitor.ip):
            await confirm_password(user, account.current_password)
    async with limits.account_try(visitor.ip):
        password_hash = await hash_password(account.password)
    await save_account(user or await visitor.ensure_user(), account.email, password_hash)
    now = time.time()
    await revocations.end_all_sign_ins(visitor.id, before=now)
    visitor.sign_in_as(new_sign_in(visitor.id, now))
    return await _me(visitor, model)


@router.post(
    "/me/session",
    operation_id="create_session",
    responses=problem_responses(401, 403, 413, 415, 422, 429),
)
async def create_session(credentials: Credentials, visitor: Visitor, limits: LimitsOf, model: ModelOf) -> Me:
    """Sign in: this browser becomes the account's user."""
    began_at = time.time()  # before the check, so that a password changed in the meantime ends this sign-in too
    async with limits.sign_in_try(credentials.email, visitor.ip):
        user = await find_account(credentials.email, credentials.password)
    await visitor.sign_out()
    visitor.sign_in_as(new_sign_in(user.id, began_at))
    return await _me(visitor, model)


@router.delete("/me/session", operation_id="delete_session", status_code=204, responses=problem_responses(401, 403))
async def delete_session(visitor: Visitor) -> None:
    """Sign out: this cookie and every copy of it become invalid."""
    await visitor.sign_out()


async def _me(visitor: VisitorOfRequest, model: str) -> Me:
    user = await visitor.user()
    return Me(
        id=None if visitor.is_new else str(visitor.id),
        name=user.name if user else None,
        email=user.email if user else None,
        role=user.role if user else "visitor",
        model=model,
    )
