"""The cursors of lists ordered by a time, newest first, and then by id: chats and rooms."""

import base64
from datetime import UTC, datetime

from beanie import PydanticObjectId
from bson import ObjectId
from bson.errors import InvalidId

from tutordesk.ground.database import Query
from tutordesk.ground.errors import Invalid


def cursor_after(moment: datetime, id: ObjectId) -> str:
    """Return the cursor of the page after the row with this time and id."""
    return base64.urlsafe_b64encode(f"{round(moment.timestamp() * 1000)}.{id}".encode()).decode().rstrip("=")


def after_cursor(field: str, cursor: str | None) -> Query:
    """Return the query for the rows after a cursor, where `field` holds the time. Raises Invalid."""
    if not cursor:
        return {}
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
        milliseconds, _, last_id = text.partition(".")
        moment, id = datetime.fromtimestamp(int(milliseconds) / 1000, UTC), PydanticObjectId(last_id)
    except (ValueError, OverflowError, OSError, InvalidId) as error:
        raise Invalid("The cursor of this page is not valid. Start again from the first page.") from error
    return {field: {"$lte": moment}, "$or": [{field: {"$lt": moment}}, {"_id": {"$lt": id}}]}
