"""Reads and writes the .metadata.json of a collection, of today's mongodump and of old ones.

Old servers and drivers left options that MongoDB has since removed. They are dropped with a note, because MongoDB
refuses the whole collection or index for them.
"""

from collections.abc import Callable
from typing import Any

from bson import json_util
from bson.json_util import CANONICAL_JSON_OPTIONS

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import CollectionInfo, Kind, Spec

FORMER_OPTIONS = {"autoIndexId", "flags", "temp"}
# `create` and `idIndex` repeat the collection's name and _id index, `ns` the index's collection, `v` an old version.
SILENTLY_DROPPED = {"create", "idIndex", "ns", "v"}
NEWEST_INDEX_VERSION = 2
INDEX_OPTIONS = {
    *("v", "key", "name", "unique", "sparse", "hidden", "collation", "partialFilterExpression", "expireAfterSeconds"),
    *("weights", "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion"),
    *("bits", "min", "max", "wildcardProjection", "storageEngine", "clustered", "prepareUnique"),
}


def metadata_of(collection: CollectionInfo) -> str:
    """Return the text of a collection's .metadata.json."""
    fields: Spec = {"options": collection.options} if collection.options else {}
    fields["indexes"] = collection.indexes
    if collection.uuid:
        fields["uuid"] = collection.uuid
    fields |= {"collectionName": collection.name, "type": collection.kind}
    text: str = json_util.dumps(fields, json_options=CANONICAL_JSON_OPTIONS, separators=(",", ":"))
    return text


def collection_of(
    metadata: str, name: str, former_indexes: Callable[[], list[Spec] | None]
) -> tuple[CollectionInfo, list[str]]:
    """Return what the text of a .metadata.json says of a collection, and notes on what is dropped.

    `name` and `former_indexes` serve if the metadata does not tell them. Raises OperatorError.
    """
    try:
        fields = json_util.loads(metadata, json_options=CANONICAL_JSON_OPTIONS) if metadata else {}
        name = fields.get("collectionName", name)
        options, indexes = fields.get("options") or {}, fields.get("indexes")
        indexes = former_indexes() if indexes is None else indexes
        kind = fields.get("type") or _kind_of(options)
        uuid = fields.get("uuid", "")
        is_whole = isinstance(name, str) and isinstance(options, dict) and isinstance(indexes or [], list)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OperatorError(f"its metadata cannot be read ({type(error).__name__})") from None
    if not is_whole or kind not in ("collection", "view", "timeseries"):
        raise OperatorError("its metadata is not what mongodump writes")
    notes = [] if indexes is not None else [f"{name} is restored without indexes, because it has no metadata of any."]
    kept = {key: value for key, value in options.items() if not _is_former(key, value, options)}
    set_options = {key for key, value in options.items() if value is not None}
    if former := set_options - set(kept) - SILENTLY_DROPPED:
        notes.append(f"{name} is restored without its options {_list(former)}, which MongoDB no longer has.")
    specs = []
    for index in indexes or []:
        spec, former = current_index(index)
        specs.append(spec)
        if former:
            index_name = f"The index {spec['name']} of {name}"
            notes.append(f"{index_name} is built without its options {_list(former)}, which MongoDB no longer has.")
    return CollectionInfo(name, kind, kept, specs, uuid), notes


def _kind_of(options: Spec) -> Kind:
    return "view" if "viewOn" in options else "timeseries" if "timeseries" in options else "collection"


def _is_former(key: str, value: Any, options: Spec) -> bool:
    if key in FORMER_OPTIONS or key in SILENTLY_DROPPED or key.startswith("$") or value is None:
        return True
    if key == "storageEngine":
        return "mmapv1" in value
    return key in ("capped", "size", "max") and not options.get("capped")


def current_index(index: Any) -> tuple[Spec, set[str]]:
    """Return an index as MongoDB takes it today, and the options that it no longer has. Raises OperatorError."""
    is_whole = isinstance(index, dict) and isinstance(index.get("name"), str) and isinstance(index.get("key"), dict)
    if not is_whole:
        raise OperatorError("its metadata has an index without a name or a key")
    spec = {key: value for key, value in index.items() if key in INDEX_OPTIONS and value is not None}
    former = set(index) - set(spec) - SILENTLY_DROPPED
    return {**spec, "v": NEWEST_INDEX_VERSION}, former


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
