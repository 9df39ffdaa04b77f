"""`tutordesk restore --ticket` and `--chat`: one document and what belongs to it, as they were at an instant.

| of | comes back | stays as it is |
|---|---|---|
| a ticket that is there | its fields | the chats about it |
| one that is gone | all of it, with the chats that it held | chats that live on elsewhere |
| a chat | its messages, pages and search words | its ticket, but for this chat's messages |

A copy of the whole state is built beside the database, as for a preview; then one transaction writes what differs, also
beside a running server. A chat about a ticket comes back as one that holds its messages itself, as when its ticket is
full. What was being written at that instant is not brought back as running.
"""

from collections.abc import Collection, Mapping
from typing import Any

import bson
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import WriteConcern
from pymongo.client_session import ClientSession

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import STAGING, Client, Database
from tutordesk.operations.dumps.format import EXACT
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.restores.preview import Difference
from tutordesk.operations.restores.restore import Report, staged
from tutordesk.operations.restores.rewind import Rewind
from tutordesk.operations.restores.switch import is_switching

TICKETS, CHATS, PAGES, WORDS = "tickets", "chat_sessions", "chat_pages", "message_words"
MIGRATIONS = "migrations"
CHATS_OF_TICKET = ("transcripts", "transcript_count", "transcript_bytes")
Document = dict[str, Any]


def bring_back(
    client: Client,
    dump: Dump,
    into: str,
    report: Report,
    rewind: Rewind | None,
    kind: str,
    wanted: str,
    is_dry_run: bool,
) -> list[Difference]:
    """Let a `kind` (ticket, chat) of the database `into` be as it was. What changed, or would change.

    Raises OperatorError, also when there was no such one at that instant.
    """
    try:
        one = ObjectId(wanted)
    except InvalidId:
        raise OperatorError(f"{wanted!r} is no id of a {kind}; it has 24 characters of 0-9 and a-f.") from None
    database = client[into]
    if is_switching(database):
        raise OperatorError("A restore broke off while it put its copy in place; call it again first.")
    with staged(database, dump, report, rewind):
        _refuse_other_schema(database)
        plan = Plan(database)
        then = plan.then(TICKETS if kind == "ticket" else CHATS).find_one({"_id": one})
        if not then:
            raise OperatorError(f"There was no {kind} {wanted} at that instant.")
        (plan_ticket if kind == "ticket" else plan_chat)(plan, then)
        if not is_dry_run:
            with client.start_session() as session:
                session.with_transaction(plan.write, write_concern=WriteConcern("majority", j=True))
        return plan.differences()


class Plan:
    """Which documents are to be there, by collection and id; None: not any more."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._wanted: dict[tuple[str, Any], Document | None] = {}
        self._before: dict[tuple[str, Any], Document] = {}

    def now(self, collection: str) -> Any:
        return self.database.get_collection(collection, EXACT)

    def then(self, collection: str) -> Any:
        return self.database.get_collection(STAGING + collection, EXACT)

    def put(self, collection: str, document: Document) -> None:
        self._set(collection, document["_id"], document)

    def replace_all(self, collection: str, query: Mapping[str, Any], kept: Collection[Any] = ()) -> None:
        """Let what fits be what fitted then, and leave what has one of the `kept` ids."""
        for row in self.now(collection).find(query, {"_id": 1}):
            if row["_id"] not in kept:
                self._set(collection, row["_id"], None)
        for row in self.then(collection).find(query):
            self._set(collection, row["_id"], row)

    def differences(self) -> list[Difference]:
        """Read when the plan is made, so it tells the same before and after it is carried out."""
        found: dict[str, Difference] = {}
        for (collection, one), document in self._wanted.items():
            before = self._before.get((collection, one))
            difference = found.setdefault(collection, Difference(collection))
            if before is None and document:
                difference.appear += 1
                difference.note("+", bson.encode(document, codec_options=EXACT))
            elif before and document and before != document:
                difference.change += 1
                difference.note("~", bson.encode(document, codec_options=EXACT))
            elif before and not document:
                difference.vanish += 1
                difference.note("-", bson.encode(before, codec_options=EXACT))
        return [one for one in found.values() if one.appear or one.change or one.vanish]

    def write(self, session: ClientSession) -> None:
        """By updates of fields where a document is there, which open lists are told of. May be called again."""
        for (collection, one), document in self._wanted.items():
            before, rows = self._before.get((collection, one)), self.now(collection)
            if document is None:
                rows.delete_one({"_id": one}, session=session)
            elif before is None:
                rows.insert_one(document, session=session)
            elif change := _change(before, document):
                rows.update_one({"_id": one}, change, session=session)

    def _set(self, collection: str, one: Any, document: Document | None) -> None:
        key = collection, one
        if key not in self._wanted and (before := self.now(collection).find_one({"_id": one})):
            self._before[key] = before
        self._wanted[key] = document


def plan_ticket(plan: Plan, then: Document) -> None:
    now = plan.now(TICKETS).find_one({"_id": then["_id"]})
    if now:
        plan.put(TICKETS, {**then, **{name: now[name] for name in CHATS_OF_TICKET if name in now}})
        return
    transcripts = []
    for transcript in then.get("transcripts", []):
        chat = plan.now(CHATS).find_one({"_id": transcript["id"]}, {"home": 1})
        if chat and chat["home"] == "session":
            continue
        transcripts.append(transcript)
        if not chat and (was := plan.then(CHATS).find_one({"_id": transcript["id"]})):
            plan.put(CHATS, was | {"running_reply": None})
            plan.replace_all(WORDS, {"author_id": was["author_id"], "session_id": was["_id"]})
    left = [one for one in then.get("transcripts", []) if one not in transcripts]
    size = then.get("transcript_bytes", 0) - sum(map(_size_of_transcript, left))
    plan.put(TICKETS, then | {"transcripts": transcripts, "transcript_bytes": max(0, size)})


def plan_chat(plan: Plan, then: Document) -> None:
    now = plan.now(CHATS).find_one({"_id": then["_id"]}, {"running_reply": 1})
    reply = now and now.get("running_reply")
    if reply and plan.now("replies").find_one({"_id": reply, "status": "streaming"}, {"_id": 1}):
        raise OperatorError("The tutor is answering in this chat just now. Wait until it is done, and call it again.")
    chat = then | {"running_reply": None}
    if then["home"] == "ticket":
        transcript = _transcript(plan.then(TICKETS), then)
        chat |= {"home": "session", "messages": transcript.get("messages", [])}
        chat |= {"first": 0, "bytes": _size_of_transcript(transcript), "message_count": len(chat["messages"])}
    _take_out_of_ticket(plan, then)
    plan.put(CHATS, chat)
    plan.replace_all(PAGES, {"session_id": then["_id"]})
    paged = [message for page in plan.then(PAGES).find({"session_id": then["_id"]}) for message in page["messages"]]
    held = {then["_id"], *(message["id"] for message in (*paged, *chat["messages"]))}
    plan.replace_all(WORDS, {"author_id": then["author_id"], "session_id": then["_id"]}, held)  # they come a bit later


def _take_out_of_ticket(plan: Plan, chat: Document) -> None:
    """It holds its messages itself now."""
    ticket = plan.now(TICKETS).find_one({"_id": chat.get("ticket_id"), "transcripts.id": chat["_id"]})
    if ticket:
        kept = [one for one in ticket["transcripts"] if one["id"] != chat["_id"]]
        size = sum(_size_of_transcript(one) for one in ticket["transcripts"] if one not in kept)
        left = max(0, ticket.get("transcript_bytes", 0) - size)
        plan.put(TICKETS, ticket | {"transcripts": kept, "transcript_bytes": left})


def _transcript(tickets: Any, chat: Document) -> Document:
    ticket = tickets.find_one({"_id": chat["ticket_id"]}, {"transcripts": {"$elemMatch": {"id": chat["_id"]}}}) or {}
    found: Document = next(iter(ticket.get("transcripts") or [{}]))
    return found


def _size_of_transcript(transcript: Document) -> int:
    """About what the counts of bytes say, which only bound how much a document takes."""
    return sum(len(bson.encode(message, codec_options=EXACT)) for message in transcript.get("messages", []))


def _change(before: Document, document: Document) -> Document:
    fields = {name: value for name, value in document.items() if name not in before or before[name] != value}
    gone = {name: "" for name in before if name not in document}
    return {**({"$set": fields} if fields else {}), **({"$unset": gone} if gone else {})}


def _refuse_other_schema(database: Database) -> None:
    """Raises OperatorError when what is staged has another schema than what is there."""
    now, then = (set(database[name].distinct("_id")) for name in (MIGRATIONS, STAGING + MIGRATIONS))
    if now != then:
        raise OperatorError("That state has another schema than the database. Restore it whole, --into another one.")
