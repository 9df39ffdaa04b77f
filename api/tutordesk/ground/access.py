"""What every route may need of the process, as parameters: its settings, and the streams that it keeps open.

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
    """Return what changes when data are restored, so that clients discard their state."""
    epoch: str = connection.app.state.epoch
    return epoch


def is_disk_short(connection: HTTPConnection) -> bool:
    """Return whether the embedded database's disk has no room for new data."""
    return bool(connection.app.state.disk.is_short)
