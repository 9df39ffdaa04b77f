"""Whether the process answers (`/health/live`) and whether a ticket could be written now (`/health/ready`)."""

from typing import Any

import pymongo.errors
from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.errors import Unavailable, problem_responses

router = APIRouter(prefix="/health", tags=["operations"])


class Health(BaseModel):
    status: str


@router.get("/live", operation_id="read_live")
async def read_live() -> Health:
    return Health(status="live")


@router.get("/ready", operation_id="read_ready", responses=problem_responses())
async def read_ready(request: Request) -> Health:
    try:
        hello: dict[str, Any] = await request.app.state.client.admin.command("hello")
    except pymongo.errors.PyMongoError:
        raise Unavailable("The database does not answer.") from None
    if not hello.get("isWritablePrimary"):
        raise Unavailable("The database takes no writes just now: it has no primary.")
    return Health(status="ready")
