"""Whether the process answers (`/health/live`) and whether a ticket could be written now (`/health/ready`)."""

from typing import Any

import pymongo.errors
from fastapi import APIRouter, Request
from pydantic import BaseModel

from tutordesk.ground.database import AsyncMongoClient
from tutordesk.ground.errors import Unavailable, problem_responses

router = APIRouter(prefix="/health", tags=["operations"])


class Health(BaseModel):
    status: str


@router.get("/live", operation_id="read_live")
async def read_live() -> Health:
    return Health(status="live")


@router.get("/ready", operation_id="read_ready", responses=problem_responses())
async def read_ready(request: Request) -> Health:
    state = request.app.state
    if trouble := await trouble_of(state.client):
        raise Unavailable(trouble)
    if state.disk.is_short:
        raise Unavailable("The database's disk is full: nothing new is saved until there is room.")
    return Health(status="ready")


async def trouble_of(client: AsyncMongoClient) -> str:
    """Why the database takes no writes just now; empty when it does."""
    try:
        hello: dict[str, Any] = await client.admin.command("hello")
    except pymongo.errors.PyMongoError as error:
        return f"The database does not answer ({type(error).__name__})."
    return "" if hello.get("isWritablePrimary") else "The database takes no writes just now: it has no primary."
