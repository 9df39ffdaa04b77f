"""The parts of this process whose health is reported, as a parameter of a route."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from tutordesk.status.parts import Components


async def components_of(connection: HTTPConnection) -> Components:
    state = connection.app.state
    return Components(state.settings, state.client, state.disk, state.tutor, state.change_log, state.epoch)


ComponentsOf = Annotated[Components, Depends(components_of)]
