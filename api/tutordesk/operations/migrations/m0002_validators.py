"""Migration 2: has MongoDB refuse documents that lack what Tutordesk relies on, whatever writes them.

Documents that are invalid already may still be changed (`moderate`). Replies have no validator, because they are
written too often.
"""

from collections.abc import Mapping

from tutordesk.operations.catalog import Database, Spec

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
        properties: Spec = {field: {"bsonType": kind} for field, kind in fields.items()}
        if "schema_version" in properties:
            properties["schema_version"]["minimum"] = 1
        schema = {"required": list(fields), "properties": properties}
        database.command("collMod", name, validator={"$jsonSchema": schema}, validationLevel="moderate")
