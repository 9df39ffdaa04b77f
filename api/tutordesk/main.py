"""The application: `create_app()` puts settings, database, tutor and routes together. Knows all documents.

In: `Settings` and, when the embedded MongoDB is used, a context that yields its URL. Out: an ASGI app whose lifespan
opens what it needs in order and closes it in reverse: MongoDB, the change log, the tutor, summaries, replies.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pymongo.errors
from fastapi import FastAPI

from tutordesk import __version__
from tutordesk.chat import routes as chat
from tutordesk.chat.history import index_replies
from tutordesk.chat.models import ChatPage, ChatSession, MessageWords
from tutordesk.chat.titles import Titles
from tutordesk.chat.transcripts import deliver_reply
from tutordesk.edge.gate import Gate
from tutordesk.edge.pages import BundledClient
from tutordesk.edge.reference import install_reference
from tutordesk.ground.database import AsyncMongoClient, open_database
from tutordesk.ground.errors import install_errors
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings, load_secret_keys
from tutordesk.ground.sse import Streams
from tutordesk.identity import routes as identity
from tutordesk.identity.limits import Limits
from tutordesk.identity.models import User
from tutordesk.identity.revocation import Revocation, Revocations
from tutordesk.operations.changelog.writer import ChangeLog
from tutordesk.operations.embedded.disk import NOT_OURS, watched_disk
from tutordesk.operations.embedded.mongod import mongodb_url
from tutordesk.operations.migrations.run import migrate
from tutordesk.operations.names import CHANGE_LOG_FOLDER
from tutordesk.operations.restores.switch import read_epoch
from tutordesk.replies.events import ReplyWire
from tutordesk.replies.liveness import Owner, owner_of, server_id
from tutordesk.replies.models import Reply
from tutordesk.replies.replies import Replies
from tutordesk.rooms import routes as rooms
from tutordesk.rooms.agent.agent import Agent
from tutordesk.rooms.events import RoomWire
from tutordesk.rooms.models import Room, RoomMember, RoomMessage, RoomRecord
from tutordesk.rooms.relay.bus import Bus, MongoBus, RedisBus, RoomSignal
from tutordesk.rooms.relay.relay import Relay
from tutordesk.rooms.speaking import Speaking
from tutordesk.rooms.timeline import Timeline
from tutordesk.status import routes as status
from tutordesk.tickets import routes as tickets
from tutordesk.tickets.events import TicketEvents, TicketWire
from tutordesk.tickets.facets import Facets
from tutordesk.tickets.models import Ticket
from tutordesk.tickets.summary import Summaries
from tutordesk.tutor.voice import Tutor

ROOM_DOCUMENTS = (Room, RoomMember, RoomMessage, RoomRecord, RoomSignal)
DOCUMENTS = (User, Revocation, Ticket, Reply, Owner, ChatSession, ChatPage, MessageWords, *ROOM_DOCUMENTS)


def create_app(settings: Settings | None = None, mongod: AbstractAsyncContextManager[str] | None = None) -> FastAPI:
    """The app. Without `mongod` it uses `settings.mongodb_url`."""
    settings = settings or Settings()
    app = FastAPI(
        title="Tutordesk", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    app.state.settings, app.state.mongod, app.state.epoch = settings, mongod, ""
    app.state.disk = NOT_OURS
    app.include_router(tickets.router)
    app.include_router(chat.router)
    app.include_router(rooms.router)
    app.include_router(identity.router)
    app.include_router(status.router)
    install_reference(app)
    install_errors(app, ReplyWire, TicketWire, RoomWire)
    app.add_middleware(BundledClient)
    app.add_middleware(Gate)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    state = app.state
    async with AsyncExitStack() as stack:
        state.secret_keys = load_secret_keys(settings)
        state.owner = stack.enter_context(owner_of(settings.data_dir))
        state.client = await _open_database(app, stack)
        stack.callback(state.client.close)
        stack.push_async_callback(asyncio.to_thread, state.change_log.stop)
        if is_embedded(settings, state.mongod):
            state.disk = await stack.enter_async_context(watched_disk(settings.data_dir))
        state.streams = await stack.enter_async_context(Streams())
        state.revocations = await stack.enter_async_context(Revocations())
        state.limits, state.facets = Limits(settings), Facets()
        state.ticket_events = await stack.enter_async_context(TicketEvents())
        state.tutor = await stack.enter_async_context(Tutor(settings))
        state.summaries = await stack.enter_async_context(Summaries(state.tutor))

        async def deliver(reply: Reply) -> None:
            await (state.agent.deliver_reply(reply) if reply.room_id else deliver_reply(reply))
            if reply.usage:
                await state.limits.count_tokens(reply.usage.input_tokens + reply.usage.output_tokens)

        async def delivered(replies: list[Reply]) -> None:
            if of_chats := [reply for reply in replies if not reply.room_id]:
                await index_replies(of_chats)
                state.titles.suggest(of_chats)

        state.titles = await stack.enter_async_context(Titles(state.tutor))
        state.relay = await stack.enter_async_context(Relay(state.owner, _bus(state.client, settings)))
        state.replies = Replies(state.owner, settings.data_dir, state.tutor, deliver, delivered)
        state.timeline = Timeline()
        state.agent = Agent(state.timeline, state.relay, state.replies)
        state.speaking = Speaking(state.limits, state.timeline, state.relay, state.agent)
        await stack.enter_async_context(state.replies)
        await stack.enter_async_context(state.agent)
        if settings.writes_change_log:
            state.change_log.start()
        _spare_the_collector()
        yield


def is_embedded(settings: Settings, mongod: object) -> bool:
    """Whether MongoDB runs on the data folder: started by this process, or by the one that started this worker."""
    given = settings.mongodb_url
    return bool(mongod) or bool(given and given.get_secret_value() == mongodb_url(settings.data_dir))


def _bus(client: AsyncMongoClient, settings: Settings) -> Bus:
    if not settings.redis_url:
        return MongoBus()
    channel = f"tutordesk:rooms:{client.get_default_database('tutordesk').name}"
    return RedisBus(settings.redis_url.get_secret_value(), channel)


async def _open_database(app: FastAPI, stack: AsyncExitStack) -> AsyncMongoClient:
    """Leaves a sentence in `app.state.refusal` when there is no database to be had."""
    given = app.state.settings.mongodb_url
    try:
        url = await stack.enter_async_context(app.state.mongod) if app.state.mongod else given.get_secret_value()
        client = await open_database(url, DOCUMENTS)
        app.state.epoch = await read_epoch(client.get_default_database("tutordesk"))
        await asyncio.to_thread(migrate, url)
        data_dir, backup_url = app.state.settings.data_dir, app.state.settings.backup_url(url)
        app.state.change_log = ChangeLog(backup_url, data_dir / CHANGE_LOG_FOLDER, server_id(data_dir))
        return client
    except OperatorError as error:
        app.state.refusal = str(error)
        raise
    except (pymongo.errors.ConnectionFailure, pymongo.errors.ConfigurationError) as error:
        where = "The embedded MongoDB" if app.state.mongod else "MONGODB_URL: the MongoDB there"
        app.state.refusal = f"{where} cannot be reached ({type(error).__name__})."
        raise
    except pymongo.errors.OperationFailure as error:
        name = (error.details or {}).get("codeName", "no name")
        app.state.refusal = f"MONGODB_URL: that MongoDB refuses Tutordesk ({error.code}, {name})."
        raise


def _spare_the_collector() -> None:
    """What is there after the start stays: leave it out of every later garbage collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
