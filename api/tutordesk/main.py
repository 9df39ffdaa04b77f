"""The application: `create_app()` combines settings, database, tutor and routes.

Its lifespan opens the objects of each room in order, and closes them in reverse. Only this module knows all documents,
so that no room depends on another room's.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pymongo.errors
from fastapi import FastAPI
from starlette.applications import Starlette

from tutordesk import __version__
from tutordesk.chat import routes as chat
from tutordesk.chat.history import index_replies
from tutordesk.chat.models import ChatPage, ChatSession, MessageWords
from tutordesk.chat.titles import Titles
from tutordesk.chat.transcripts import deliver_reply
from tutordesk.edge.gate import Gate
from tutordesk.edge.pages import BundledClient
from tutordesk.edge.reference import install_reference
from tutordesk.ground.database import AsyncMongoClient, bind_documents, connect
from tutordesk.ground.errors import install_errors
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings, load_secret_keys
from tutordesk.ground.sse import Streams
from tutordesk.identity import routes as identity
from tutordesk.identity.counts import Count, Counts, MongoCounts, RedisCounts
from tutordesk.identity.limits import SHARED_SECONDS, Limits
from tutordesk.identity.models import User
from tutordesk.identity.revocation import Revocation, Revocations
from tutordesk.operations.changelog.writer import ChangeLog
from tutordesk.operations.embedded.disk import UNWATCHED, watched_disk
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
from tutordesk.rooms.news import RoomNews, RoomsWire
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
DOCUMENTS = (User, Revocation, Count, Ticket, Reply, Owner, ChatSession, ChatPage, MessageWords, *ROOM_DOCUMENTS)


def create_app(settings: Settings | None = None, mongod: AbstractAsyncContextManager[str] | None = None) -> FastAPI:
    """Return the app. `mongod` yields the URL of the embedded MongoDB. Without it, the app uses the settings' URL."""
    settings = settings or Settings()
    app = FastAPI(
        title="Tutordesk", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    app.state.settings, app.state.mongod, app.state.epoch, app.state.refusal = settings, mongod, "", ""
    app.state.disk = UNWATCHED
    app.include_router(tickets.router)
    app.include_router(chat.router)
    app.include_router(rooms.router)
    app.include_router(identity.router)
    app.include_router(status.router)
    install_reference(app)
    install_errors(app, ReplyWire, TicketWire, RoomWire, RoomsWire)
    app.add_middleware(BundledClient)
    app.add_middleware(Gate)
    return app


def refusal_of(app: Starlette) -> str:
    """Return the sentence that tells the operator why the app could not start, or an empty string."""
    refusal: str = app.state.refusal
    return refusal


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    state = app.state
    async with AsyncExitStack() as stack:
        state.secret_keys = load_secret_keys(settings)
        state.owner = stack.enter_context(owner_of(settings.data_dir))
        state.client = await _open_database(app, stack)
        stack.push_async_callback(asyncio.to_thread, state.change_log.stop)
        if is_embedded(settings, state.mongod):
            state.disk = await stack.enter_async_context(watched_disk(settings.data_dir))
        state.streams = await stack.enter_async_context(Streams())
        state.revocations = await stack.enter_async_context(Revocations())
        state.limits, state.facets = Limits(settings, _counts(state.client, settings)), Facets()
        stack.push_async_callback(state.limits.close)
        state.ticket_events = await stack.enter_async_context(TicketEvents())
        state.room_news = await stack.enter_async_context(RoomNews())
        state.tutor = await stack.enter_async_context(Tutor(settings))
        state.summaries = await stack.enter_async_context(Summaries(state.tutor))

        async def deliver(reply: Reply) -> None:
            await (state.agent.deliver_reply(reply) if reply.room_id else deliver_reply(reply))
            if reply.usage:
                await state.limits.count_tokens(reply.usage.input_tokens + reply.usage.output_tokens)

        async def on_delivered(replies: list[Reply]) -> None:
            if chat_replies := [reply for reply in replies if not reply.room_id]:
                await index_replies(chat_replies)
                state.titles.suggest(chat_replies)

        state.titles = await stack.enter_async_context(Titles(state.tutor))
        state.relay = await stack.enter_async_context(Relay(state.owner, _bus(state.client, settings)))
        state.replies = Replies(state.owner, settings.data_dir, state.tutor, deliver, on_delivered)
        state.timeline = await stack.enter_async_context(Timeline())
        state.agent = Agent(state.timeline, state.relay, state.replies)
        state.speaking = Speaking(state.limits, state.timeline, state.relay, state.agent)
        await stack.enter_async_context(state.replies)
        await stack.enter_async_context(state.agent)
        if settings.writes_change_log:
            state.change_log.start()
        _freeze_startup_objects()
        yield


def is_embedded(settings: Settings, mongod: object) -> bool:
    """Return whether this process, or as a worker its parent, started the MongoDB of the data folder."""
    url = settings.mongodb_url
    return bool(mongod) or bool(url and url.get_secret_value() == mongodb_url(settings.data_dir))


def _bus(client: AsyncMongoClient, settings: Settings) -> Bus:
    if not settings.redis_url:
        return MongoBus()
    channel = f"tutordesk:rooms:{client.get_default_database('tutordesk').name}"
    return RedisBus(settings.redis_url.get_secret_value(), channel)


def _counts(client: AsyncMongoClient, settings: Settings) -> Counts:
    if not settings.redis_url:
        return MongoCounts()
    prefix = f"tutordesk:counts:{client.get_default_database('tutordesk').name}:"
    return RedisCounts(settings.redis_url.get_secret_value(), prefix, SHARED_SECONDS)


async def _open_database(app: FastAPI, stack: AsyncExitStack) -> AsyncMongoClient:
    """Open and migrate the database. Returns its client. On failure, sets the app's refusal and raises the error."""
    settings: Settings = app.state.settings
    mongod: AbstractAsyncContextManager[str] | None = app.state.mongod
    try:
        url = await stack.enter_async_context(mongod) if mongod else _url_of(settings)
        client = connect(url)
        stack.callback(client.close)
        app.state.epoch = await read_epoch(client.get_default_database("tutordesk"))
        await asyncio.to_thread(migrate, url)
        await bind_documents(client, DOCUMENTS)  # afterwards, so that nothing writes while collections are made
        folder = settings.data_dir / CHANGE_LOG_FOLDER
        app.state.change_log = ChangeLog(settings.backup_url(url), folder, server_id(settings.data_dir))
        return client
    except OperatorError as error:
        app.state.refusal = str(error)
        raise
    except (pymongo.errors.ConnectionFailure, pymongo.errors.ConfigurationError) as error:
        advice = "Read the file mongod.log in its data folder." if mongod else "Check the address and start the server."
        server = "The embedded MongoDB" if mongod else "MONGODB_URL: the MongoDB there"
        app.state.refusal = f"{server} cannot be reached ({type(error).__name__}). {advice}"
        raise
    except pymongo.errors.OperationFailure as error:
        name = (error.details or {}).get("codeName", "no name")
        app.state.refusal = f"MONGODB_URL: MongoDB refuses Tutordesk ({error.code}, {name}). Check the user's rights."
        raise


def _url_of(settings: Settings) -> str:
    if not settings.mongodb_url:
        raise OperatorError("MONGODB_URL is not set, and no embedded MongoDB was started. Set it and try again.")
    return settings.mongodb_url.get_secret_value()


def _freeze_startup_objects() -> None:
    """Exempt startup objects from garbage collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
