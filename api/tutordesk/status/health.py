"""Whether the process answers (`/health/live`) and whether a ticket could be written now (`/health/ready`)."""

from fastapi import APIRouter
from pydantic import BaseModel

from tutordesk.ground.errors import Unavailable, problem_responses
from tutordesk.status.access import ComponentsOf
from tutordesk.status.parts import trouble_of

router = APIRouter(prefix="/health", tags=["operations"])


class Health(BaseModel):
    status: str


@router.get("/live", operation_id="read_live")
async def read_live() -> Health:
    return Health(status="live")


@router.get("/ready", operation_id="read_ready", responses=problem_responses())
async def read_ready(components: ComponentsOf) -> Health:
    if trouble := await trouble_of(components.client):
        raise Unavailable(trouble)
    if components.disk.is_short:
        raise Unavailable("The database's disk is full: nothing new is saved until there is room.")
    return Health(status="ready")
