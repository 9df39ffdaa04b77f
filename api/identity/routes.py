"""`/me`: who this browser is, which name it goes by, and which tutor answers it."""

from typing import Annotated

from beanie import PydanticObjectId
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.errors import problem_responses
from api.identity.access import Visitor, VisitorOfRequest
from api.identity.models import Role, User
from api.identity.names import check_name, name_key

router = APIRouter(tags=["identity"])


class Me(BaseModel):
    """`id` is null until the first write; `model` is `provider:name` of the tutor."""

    id: str | None
    name: str | None
    email: str | None
    role: Role
    model: str


class MeChange(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(max_length=200)]


@router.get("/me", operation_id="read_me", responses=problem_responses(401))
async def read_me(visitor: Visitor, request: Request) -> Me:
    return await _me(visitor, request)


@router.patch("/me", operation_id="update_me", responses=problem_responses(401, 403, 413, 415, 422))
async def update_me(change: MeChange, visitor: Visitor, request: Request) -> Me:
    """Give oneself a name, or another one. It makes a visitor a member, with the same id."""
    name = check_name(change.name)
    await visitor.keep()
    await _rename(visitor.id, name)
    return await _me(visitor, request)


async def _rename(user_id: PydanticObjectId, name: str) -> None:
    users = User.get_motor_collection()
    named, made = {"name": name, "name_key": name_key(name)}, User(id=user_id)
    first = made.model_dump(include={"role", "created_at"})
    await users.update_one({"_id": user_id}, {"$set": named, "$setOnInsert": first}, upsert=True)
    await users.update_one({"_id": user_id, "role": "visitor"}, {"$set": {"role": "member"}})


async def _me(visitor: VisitorOfRequest, request: Request) -> Me:
    user = await visitor.user()
    return Me(
        id=None if visitor.is_new else str(visitor.id),
        name=user.name if user else None,
        email=user.email if user else None,
        role=user.role if user else "visitor",
        model=request.app.state.tutor.model,
    )
