"""Ids as text: 24 hex digits, MongoDB's ObjectId."""

from beanie import PydanticObjectId
from bson import ObjectId

from tutordesk.ground.errors import NotFound


def object_id(text: str) -> PydanticObjectId:
    """Return the id that the text spells. Raises NotFound for any other text, since no object has such an id."""
    if not is_object_id(text):
        raise NotFound
    return PydanticObjectId(text)


def is_object_id(text: str) -> bool:
    return len(text) == 24 and ObjectId.is_valid(text)
