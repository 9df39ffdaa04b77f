"""Migration 2: MongoDB itself refuses documents that lack what Tutordesk relies on, whoever writes them.

What is invalid already may be changed still (`moderate`). Replies have no validator: they are written too often.
"""

from collections.abc import Mapping
from typing import Any

from tutordesk.operations.catalog import Database

NUMBER = ["int", "long"]
VERSIONED = {"schema_version": "int"}
VALIDATORS: dict[str, Mapping[str, str | list[str]]] = {
    "users": {"role": "string", "created_at": "date"},
    "tickets": {
        **{"title": "string", "description": "string", "category": "string", "tags": "array", "terms": "array"},
        **{"author_id": "objectId", "is_deleted": "bool", "created_at": "date", "transcripts": "array"},
    },
    "chat_sessions": {
        **{"author_id": "objectId", "title": "string", "home": "string", "message_count": NUMBER},
        **{"messages": "array", "created_at": "date", "updated_at": "date"},
    },
    "rooms": {**VERSIONED, "name": "string", "created_by": "objectId", "seq": NUMBER, "is_deleted": "bool"},
    "room_members": {**VERSIONED, "room_id": "objectId", "user_id": "objectId", "name": "string", "joined_at": "date"},
    "room_messages": {**VERSIONED, "room_id": "objectId", "seq": NUMBER, "name": "string", "content": "string"},
    "room_records": {**VERSIONED, "room_id": "objectId", "seq": NUMBER, "type": "string"},
}


def apply(database: Database) -> None:
    for name, fields in VALIDATORS.items():
        properties: dict[str, Any] = {field: {"bsonType": kind} for field, kind in fields.items()}
        if "schema_version" in properties:
            properties["schema_version"]["minimum"] = 1
        schema = {"required": list(fields), "properties": properties}
        database.command("collMod", name, validator={"$jsonSchema": schema}, validationLevel="moderate")
