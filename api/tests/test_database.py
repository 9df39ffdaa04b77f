"""What the documents declare is what MongoDB has: Beanie takes two indexes of the same fields for one."""

import pymongo.errors
import pytest

from api.main import DOCUMENTS
from api.tests.conftest import Live


async def test_every_index_is_there(live: Live) -> None:
    for document in DOCUMENTS:
        declared = {
            tuple(one.document["key"].items()): one.document for one in getattr(document.Settings, "indexes", [])
        }
        found = await live.collection(document.Settings.name).list_indexes().to_list(None)
        there = {tuple(one["key"].items()): one for one in found}
        assert set(declared) | {(("_id", 1),)} == set(there), document
        for keys, index in declared.items():
            for option in ("unique", "partialFilterExpression", "expireAfterSeconds"):
                assert there[keys].get(option) == index.get(option), (document, keys)


async def test_document_of_no_schema_version_is_refused(live: Live) -> None:
    """C2: validators guard the rooms' documents, whoever writes them."""
    for name in ("rooms", "room_members", "room_messages", "room_records"):
        with pytest.raises(pymongo.errors.WriteError):
            await live.collection(name).insert_one({"name": "Nobody checked me"})
