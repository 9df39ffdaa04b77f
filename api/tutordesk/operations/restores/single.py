"""Restores single documents to an instant, also beside a running server.

A copy of the whole state is built beside the database, as for a preview. The caller compares the two and plans what
each document has to become; then one transaction writes what differs.
"""

from collections.abc import Callable, Mapping, Sequence

import bson
from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, Client, Database, Spec
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.names import MIGRATIONS, staged_name
from tutordesk.operations.restores.exact import replacing
from tutordesk.operations.restores.preview import Difference
from tutordesk.operations.restores.restore import Report, staged
from tutordesk.operations.restores.rewind import Rewind
from tutordesk.operations.restores.switch import is_switching


class Plan:
    """The planned documents, by collection and id. None: the document is removed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._planned: dict[tuple[str, object], Spec | None] = {}
        self._before: dict[tuple[str, object], Spec] = {}

    def now(self, collection: str) -> Collection[Spec]:
        """The collection as it is."""
        return self._database.get_collection(collection, EXACT)

    def then(self, collection: str) -> Collection[Spec]:
        """The collection as it was."""
        return self._database.get_collection(staged_name(collection), EXACT)

    def put(self, collection: str, document: Spec) -> None:
        """Plan that this document exists."""
        self._set(collection, document["_id"], document)

    def replace_all(self, collection: str, query: Mapping[str, object], spared: Sequence[object] = ()) -> None:
        """Plan that exactly the documents that matched `query` then match it, apart from those with a `spared` id."""
        for row in self.now(collection).find(query, {"_id": 1}):
            if row["_id"] not in spared:
                self._set(collection, row["_id"], None)
        for row in self.then(collection).find(query):
            self._set(collection, row["_id"], row)

    def differences(self) -> list[Difference]:
        """Return what the plan changes: the same before and after it is written."""
        by_collection: dict[str, Difference] = {}
        for (collection, document_id), document in self._planned.items():
            before = self._before.get((collection, document_id))
            difference = by_collection.setdefault(collection, Difference(collection))
            if before is None and document:
                difference.appear += 1
                difference.note("+", bson.encode(document, codec_options=EXACT))
            elif before and document and before != document:
                difference.change += 1
                difference.note("~", bson.encode(document, codec_options=EXACT))
            elif before and not document:
                difference.vanish += 1
                difference.note("-", bson.encode(before, codec_options=EXACT))
        return [
            difference
            for difference in by_collection.values()
            if difference.appear or difference.change or difference.vanish
        ]

    def write(self, session: ClientSession) -> None:
        """Write the plan. Existing documents are updated field by field, so that open lists are notified.

        May be called again, as transactions are retried.
        """
        for (collection, document_id), document in self._planned.items():
            before, rows = self._before.get((collection, document_id)), self.now(collection)
            if document is None:
                rows.delete_one({"_id": document_id}, session=session)
            elif before is None:
                rows.update_one({"_id": document_id}, replacing(document), upsert=True, session=session)
            elif change := _change(before, document):
                rows.update_one({"_id": document_id}, change, session=session)

    def _set(self, collection: str, document_id: object, document: Spec | None) -> None:
        key = collection, document_id
        if key not in self._planned and (before := self.now(collection).find_one({"_id": document_id})):
            self._before[key] = before
        self._planned[key] = document


MakePlan = Callable[[Plan], None]


def restore_documents(
    client: Client,
    dump: Dump,
    into: str,
    report: Report,
    rewind: Rewind | None,
    make_plan: MakePlan,
    is_dry_run: bool,
) -> list[Difference]:
    """Restore what `make_plan` plans in the database `into`. Returns what changed or would change.

    Raises OperatorError, after which nothing has changed.
    """
    database = client[into]
    if is_switching(database):
        raise OperatorError("A restore broke off while it put its copy in place; call it again first.")
    with staged(database, dump, report, rewind):
        _refuse_other_schema(database)
        plan = Plan(database)
        make_plan(plan)
        if not is_dry_run:
            with client.start_session() as session:
                session.with_transaction(plan.write, write_concern=WriteConcern("majority", j=True))
        return plan.differences()


def _change(before: Spec, document: Spec) -> Spec:
    fields = {name: value for name, value in document.items() if name not in before or before[name] != value}
    removed = {name: "" for name in before if name not in document}
    return {**({"$set": fields} if fields else {}), **({"$unset": removed} if removed else {})}


def _refuse_other_schema(database: Database) -> None:
    """Raises OperatorError when the staged copy has another schema than the database."""
    now, then = (set(database[name].distinct("_id")) for name in (MIGRATIONS, staged_name(MIGRATIONS)))
    if now != then:
        raise OperatorError("That state has another schema than the database. Restore it whole, --into another one.")
