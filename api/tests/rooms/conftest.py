"""Two people in a room of one of them, on the app behind a real uvicorn."""

from collections.abc import AsyncIterator

import pytest

from testing.rooms.people import Person, person
from testing.serving import Live


@pytest.fixture
async def ana(live: Live) -> AsyncIterator[Person]:
    member = await person(live.url, "Ana")
    yield member
    await member.client.aclose()


@pytest.fixture
async def ben(live: Live) -> AsyncIterator[Person]:
    member = await person(live.url, "Ben")
    yield member
    await member.client.aclose()


@pytest.fixture
async def room_id(ana: Person, ben: Person) -> str:
    """A room that Ana made and Ben joined."""
    made = await ana.make_room()
    await ben.join(made)
    return made
