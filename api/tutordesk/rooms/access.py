"""The objects of rooms that live as long as the process, and the access to a room, as parameters of a route.

| parameter | value |
|---|---|
| `OpenRoom` | the room of the path, for everybody |
| `RoomOfMember` | the visitor's membership in that room |
| `RoomAdmin` | the room, for its creator and the admins of the helpdesk |

Each raises NotFound for an unknown or deleted room.
"""

from dataclasses import dataclass
from typing import Annotated

from beanie import PydanticObjectId
from fastapi import Depends
from fastapi.requests import HTTPConnection

from tutordesk.ground.errors import Forbidden
from tutordesk.identity.access import Member, MemberOfRequest, RoomId
from tutordesk.rooms.members import access_member, access_room, is_admin
from tutordesk.rooms.models import Room, RoomMember
from tutordesk.rooms.news import RoomNews
from tutordesk.rooms.relay.relay import Relay
from tutordesk.rooms.speaking import Speaking
from tutordesk.rooms.timeline import Timeline

ONLY_ADMINS = "Only an admin of this room may do this. Ask one of them."


async def timeline_of(connection: HTTPConnection) -> Timeline:
    timeline: Timeline = connection.app.state.timeline
    return timeline


async def relay_of(connection: HTTPConnection) -> Relay:
    relay: Relay = connection.app.state.relay
    return relay


async def speaking_of(connection: HTTPConnection) -> Speaking:
    speaking: Speaking = connection.app.state.speaking
    return speaking


async def room_news_of(connection: HTTPConnection) -> RoomNews:
    news: RoomNews = connection.app.state.room_news
    return news


TimelineOf = Annotated[Timeline, Depends(timeline_of)]
RelayOf = Annotated[Relay, Depends(relay_of)]
SpeakingOf = Annotated[Speaking, Depends(speaking_of)]
RoomNewsOf = Annotated[RoomNews, Depends(room_news_of)]


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a room, and the stored membership."""

    person: MemberOfRequest
    room: Room
    member: RoomMember

    @property
    def is_admin(self) -> bool:
        """Return whether the person is an admin of the room."""
        return is_admin(self.person.user, self.room)


async def open_room(room_id: RoomId) -> Room:
    return await access_room(room_id)


OpenRoom = Annotated[Room, Depends(open_room)]


async def room_of_member(person: Member, room: OpenRoom) -> Membership:
    """Return the visitor's membership in the room of the path. Raises NotFound for others."""
    return Membership(person, room, await access_member(PydanticObjectId(room.id), person.id))


async def room_of_admin(person: Member, room: OpenRoom) -> Room:
    """Return the room of the path. Raises Forbidden unless the visitor is one of its admins."""
    if not is_admin(person.user, room):
        raise Forbidden(ONLY_ADMINS)
    return room


RoomOfMember = Annotated[Membership, Depends(room_of_member)]
RoomAdmin = Annotated[Room, Depends(room_of_admin)]
