"""Migration 1: creates every collection with its indexes, as they were when migrations began.

They are listed here and not taken from the documents, because those keep changing. Existing ones stay.
"""

from pymongo import IndexModel

from tutordesk.operations.catalog import Database

DOWN, UP = -1, 1
NEWEST = (("created_at", DOWN), ("_id", DOWN))
OPEN = ("is_deleted", UP)
HISTORY = [
    *(("author_id", UP), OPEN, ("updated_at", DOWN), ("_id", DOWN), ("ticket_id", UP)),
    *(("title", UP), ("message_count", UP), ("running_reply", UP), ("created_at", UP)),
]
A_STRING = {"client_message_id": {"$type": "string"}}

COLLECTIONS = {
    "users": [IndexModel([("email", UP)], name="email", unique=True, sparse=True)],
    "revocations": [IndexModel([("expires_at", UP)], name="expires_at", expireAfterSeconds=0)],
    "tickets": [
        IndexModel([OPEN, *NEWEST]),
        IndexModel([OPEN, ("category", UP), *NEWEST]),
        IndexModel([OPEN, ("tags", UP), *NEWEST]),
        IndexModel([OPEN, ("category", UP), ("tags", UP), *NEWEST]),
        IndexModel([OPEN, ("terms", UP), *NEWEST]),
        IndexModel([("summary_status", UP)], partialFilterExpression={"summary_status": "pending"}),
    ],
    "replies": [
        IndexModel([("author_id", UP), ("client_message_id", UP)], unique=True, partialFilterExpression=A_STRING),
        IndexModel([("owner", UP)], partialFilterExpression={"is_joined": False}),
        IndexModel(
            [("is_stop_requested", UP), ("owner", UP)],
            partialFilterExpression={"is_stop_requested": True},
        ),
    ],
    "owners": [],
    "chat_sessions": [IndexModel(HISTORY, name="history")],
    "chat_pages": [IndexModel([("session_id", UP), ("start", UP)], unique=True)],
    "message_words": [IndexModel([("author_id", UP), ("terms", UP), ("_id", DOWN), ("session_id", UP)])],
    "rooms": [
        IndexModel([OPEN, ("active_at", DOWN), ("_id", DOWN)], name="list"),
        IndexModel([("ticket_id", UP), OPEN, ("active_at", DOWN)], name="about"),
    ],
    "room_members": [
        IndexModel([("room_id", UP), ("user_id", UP)], name="member", unique=True),
        IndexModel([("user_id", UP)], name="rooms of"),
    ],
    "room_messages": [
        IndexModel([("room_id", UP), ("seq", UP)], name="timeline", unique=True),
        IndexModel(
            [("room_id", UP), ("user_id", UP), ("client_message_id", UP)],
            name="once",
            unique=True,
            partialFilterExpression=A_STRING,
        ),
        IndexModel([("room_id", UP), ("mentions", UP), ("seq", UP)], name="mentions"),
        IndexModel(
            [("asks_tutor", UP), ("reply_id", UP), ("room_id", UP), ("seq", UP)],
            name="waiting for the tutor",
            partialFilterExpression={"asks_tutor": True},
        ),
    ],
    "room_records": [IndexModel([("room_id", UP), ("seq", UP)], name="order", unique=True)],
    "room_signals": [IndexModel([("at", UP)], name="short-lived", expireAfterSeconds=60)],
}


def apply(database: Database) -> None:
    existing = set(database.list_collection_names())
    for name, indexes in COLLECTIONS.items():
        if name not in existing:
            database.create_collection(name, check_exists=False)
        if indexes:
            database[name].create_indexes(indexes)
