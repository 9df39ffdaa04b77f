"""`GET /me`: who this browser is, and which tutor answers it."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.errors import problem_responses
from api.identity.access import Visitor
from api.identity.models import Role

router = APIRouter(tags=["identity"])


class Me(BaseModel):
    """`id` is null until the first write; `model` is `provider:name` of the tutor."""

    id: str | None
    name: str | None
    role: Role
    model: str


@router.get("/me", operation_id="read_me", responses=problem_responses(401))
async def read_me(visitor: Visitor, request: Request) -> Me:
    user = await visitor.user()
    return Me(
        id=None if visitor.is_new else str(visitor.id),
        name=user.name if user else None,
        role=user.role if user else "visitor",
        model=request.app.state.tutor.model,
    )
