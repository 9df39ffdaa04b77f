"""The process's settings and open streams, as parameters of any route.

Accessors are coroutines because FastAPI calls plain functions in a thread.
"""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from tutordesk.ground.settings import Settings
from tutordesk.ground.sse import Streams


async def settings_of(connection: HTTPConnection) -> Settings:
    settings: Settings = connection.app.state.settings
    return settings


async def streams_of(connection: HTTPConnection) -> Streams:
    streams: Streams = connection.app.state.streams
    return streams


SettingsOf = Annotated[Settings, Depends(settings_of)]
StreamsOf = Annotated[Streams, Depends(streams_of)]


def epoch_of(connection: HTTPConnection) -> str:
    """Return the data's epoch. A restore changes it, so that clients discard their state."""
    epoch: str = connection.app.state.epoch
    return epoch


def is_disk_short(connection: HTTPConnection) -> bool:
    """Return whether the embedded database's disk has no room for new data."""
    return bool(connection.app.state.disk.is_short)
