"""The marks of pages that are ordered by a time, newest first, and then by id: of chats and of rooms."""

import base64
from datetime import UTC, datetime
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from bson.errors import InvalidId

from tutordesk.ground.errors import Invalid


def cursor_after(moment: datetime, id: ObjectId) -> str:
    """The mark of the page that follows this one in the list."""
    return base64.urlsafe_b64encode(f"{round(moment.timestamp() * 1000)}.{id}".encode()).decode().rstrip("=")


def after_cursor(field: str, cursor: str | None) -> dict[str, Any]:
    """What to look for on the page of a mark; `field` has the time. Raises Invalid."""
    if not cursor:
        return {}
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
        milliseconds, _, last_id = text.partition(".")
        moment, id = datetime.fromtimestamp(int(milliseconds) / 1000, UTC), PydanticObjectId(last_id)
    except (ValueError, OverflowError, OSError, InvalidId) as error:
        raise Invalid("This page's mark cannot be read. Start again from the first page.") from error
    return {field: {"$lte": moment}, "$or": [{field: {"$lt": moment}}, {"_id": {"$lt": id}}]}
