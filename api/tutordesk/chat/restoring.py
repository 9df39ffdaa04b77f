"""Plans what `tutordesk restore --ticket` and `--chat` write: one document and what belongs to it, as they were.

| of | is restored | stays unchanged |
|---|---|---|
| an existing ticket | its fields | the chats about it |
| a removed ticket | all of it, with the chats it in_ticket | chats that moved out of it |
| a chat | its messages, pages and search words | its ticket, but for this chat's messages |

A restored chat about a ticket holds its messages itself, like one whose ticket is full. A reply that was running then
is not restored as running. The names of stored fields come from the models, so renaming a field breaks a type here.
"""

from collections.abc import Callable

import bson
from bson import ObjectId
from bson.errors import InvalidId
from pymongo.collection import Collection

from tutordesk.chat.models import ChatPage, ChatSession, MessageWords
from tutordesk.ground.database import field_name
from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import EXACT, Spec
from tutordesk.operations.restores.single import MakePlan, Plan
from tutordesk.replies.models import Message, Reply, ReplyStatus, Transcript
from tutordesk.tickets.models import Ticket

TICKETS, CHATS, REPLIES = Ticket.Settings.name, ChatSession.Settings.name, Reply.Settings.name
PAGES, WORDS = ChatPage.Settings.name, MessageWords.Settings.name

TRANSCRIPTS = field_name(Ticket, lambda ticket: ticket.transcripts)
TRANSCRIPT_COUNT = field_name(Ticket, lambda ticket: ticket.transcript_count)
TRANSCRIPT_BYTES = field_name(Ticket, lambda ticket: ticket.transcript_bytes)
TRANSCRIPT_ID = field_name(Transcript, lambda transcript: transcript.id)
TRANSCRIPT_MESSAGES = field_name(Transcript, lambda transcript: transcript.messages)
AUTHOR_ID = field_name(ChatSession, lambda chat: chat.author_id)
TICKET_ID = field_name(ChatSession, lambda chat: chat.ticket_id)
HOME = field_name(ChatSession, lambda chat: chat.home)
MESSAGES = field_name(ChatSession, lambda chat: chat.messages)
MESSAGE_COUNT = field_name(ChatSession, lambda chat: chat.message_count)
FIRST = field_name(ChatSession, lambda chat: chat.first)
BYTES = field_name(ChatSession, lambda chat: chat.bytes)
RUNNING_REPLY = field_name(ChatSession, lambda chat: chat.running_reply)
PAGE_SESSION_ID = field_name(ChatPage, lambda page: page.session_id)
PAGE_MESSAGES = field_name(ChatPage, lambda page: page.messages)
WORDS_AUTHOR_ID = field_name(MessageWords, lambda words: words.author_id)
WORDS_SESSION_ID = field_name(MessageWords, lambda words: words.session_id)
MESSAGE_ID = field_name(Message, lambda message: message.id)
STATUS = field_name(Reply, lambda reply: reply.status)
CHATS_OF_TICKET = (TRANSCRIPTS, TRANSCRIPT_COUNT, TRANSCRIPT_BYTES)


def plan_of_ticket(ticket_id: str) -> MakePlan:
    """Return the planner that restores a ticket. Raises OperatorError for text that is not an id."""
    return _planner("ticket", TICKETS, ticket_id, _plan_ticket)


def plan_of_chat(session_id: str) -> MakePlan:
    """Return the planner that restores a chat. Raises OperatorError for text that is not an id."""
    return _planner("chat", CHATS, session_id, _plan_chat)


def _planner(kind: str, collection: str, text: str, plan_document: Callable[[Plan, Spec], None]) -> MakePlan:
    try:
        document_id = ObjectId(text)
    except InvalidId:
        raise OperatorError(f"{text!r} is no id of a {kind}; it has 24 characters of 0-9 and a-f.") from None

    def make_plan(plan: Plan) -> None:
        then = plan.then(collection).find_one({"_id": document_id})
        if not then:
            raise OperatorError(f"There was no {kind} {text} at that instant.")
        plan_document(plan, then)

    return make_plan


def _plan_ticket(plan: Plan, then: Spec) -> None:
    now = plan.now(TICKETS).find_one({"_id": then["_id"]})
    if now:
        plan.put(TICKETS, {**then, **{name: now[name] for name in CHATS_OF_TICKET if name in now}})
        return
    restored, moved_out = [], []
    for transcript in then.get(TRANSCRIPTS, []):
        session_id = transcript[TRANSCRIPT_ID]
        chat = plan.now(CHATS).find_one({"_id": session_id}, {HOME: 1})
        if chat and chat[HOME] == "session":
            moved_out.append(transcript)
            continue
        restored.append(transcript)
        if not chat and (old := plan.then(CHATS).find_one({"_id": session_id})):
            plan.put(CHATS, old | {RUNNING_REPLY: None})
            plan.replace_all(WORDS, _words_of(old))
    size = then.get(TRANSCRIPT_BYTES, 0) - sum(map(_size_of, moved_out))
    plan.put(TICKETS, then | {TRANSCRIPTS: restored, TRANSCRIPT_BYTES: max(0, size)})


def _plan_chat(plan: Plan, then: Spec) -> None:
    now = plan.now(CHATS).find_one({"_id": then["_id"]}, {RUNNING_REPLY: 1})
    reply_id = now and now.get(RUNNING_REPLY)
    running = {"_id": reply_id, STATUS: ReplyStatus.streaming.value}
    if reply_id and plan.now(REPLIES).find_one(running, {"_id": 1}):
        raise OperatorError("The tutor is still answering in this chat. Wait until it is done, then try again.")
    chat = then | {RUNNING_REPLY: None}
    if then[HOME] == "ticket":
        transcript = _transcript(plan.then(TICKETS), then)
        messages = transcript.get(TRANSCRIPT_MESSAGES, [])
        chat |= {HOME: "session", MESSAGES: messages, MESSAGE_COUNT: len(messages)}
        chat |= {FIRST: 0, BYTES: _size_of(transcript)}
    _take_out_of_ticket(plan, then)
    plan.put(CHATS, chat)
    plan.replace_all(PAGES, {PAGE_SESSION_ID: then["_id"]})
    pages = plan.then(PAGES).find({PAGE_SESSION_ID: then["_id"]})
    messages = [*(message for page in pages for message in page[PAGE_MESSAGES]), *chat[MESSAGES]]
    # words are written a moment after their message, so those of restored messages stay
    plan.replace_all(WORDS, _words_of(then), [then["_id"], *(message[MESSAGE_ID] for message in messages)])


def _words_of(chat: Spec) -> dict[str, object]:
    return {WORDS_AUTHOR_ID: chat[AUTHOR_ID], WORDS_SESSION_ID: chat["_id"]}


def _take_out_of_ticket(plan: Plan, chat: Spec) -> None:
    """Plan that the ticket no longer holds the chat's messages, because the chat does."""
    in_ticket = {"_id": chat.get(TICKET_ID), f"{TRANSCRIPTS}.{TRANSCRIPT_ID}": chat["_id"]}
    ticket = plan.now(TICKETS).find_one(in_ticket)
    if ticket:
        others = [transcript for transcript in ticket[TRANSCRIPTS] if transcript[TRANSCRIPT_ID] != chat["_id"]]
        freed = sum(
            _size_of(transcript) for transcript in ticket[TRANSCRIPTS] if transcript[TRANSCRIPT_ID] == chat["_id"]
        )
        size = max(0, ticket.get(TRANSCRIPT_BYTES, 0) - freed)
        plan.put(TICKETS, ticket | {TRANSCRIPTS: others, TRANSCRIPT_BYTES: size})


def _transcript(tickets: Collection[Spec], chat: Spec) -> Spec:
    match = {TRANSCRIPTS: {"$elemMatch": {TRANSCRIPT_ID: chat["_id"]}}}
    ticket = tickets.find_one({"_id": chat[TICKET_ID]}, match) or {}
    transcript: Spec = next(iter(ticket.get(TRANSCRIPTS) or [{}]))
    return transcript


def _size_of(transcript: Spec) -> int:
    """Return about the bytes of a transcript's messages, which only bound how much a document takes."""
    return sum(len(bson.encode(message, codec_options=EXACT)) for message in transcript.get(TRANSCRIPT_MESSAGES, []))
