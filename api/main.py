"""The application: `create_app()` puts settings, database, tutor and routes together. Knows all documents.

In: `Settings` and, when the embedded MongoDB is used, a context that yields its URL. Out: an ASGI app whose lifespan
opens what it needs in order and closes it in reverse: MongoDB, the tutor, summaries, replies.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pymongo.errors
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.chat import routes as chat
from api.chat.models import ChatSession
from api.chat.transcripts import join_reply
from api.client import Client as BundledClient
from api.database import Client, open_database
from api.errors import NotFound, install_errors
from api.gate import Gate
from api.identity import routes as identity
from api.identity.limits import Limits
from api.identity.models import User
from api.operations import health
from api.operations.mongod import MongodError
from api.replies.models import Reply
from api.replies.runs import running_replies
from api.settings import Settings, load_secret
from api.tickets import routes as tickets
from api.tickets.facets import Facets
from api.tickets.models import Ticket
from api.tickets.summary import running_summaries
from api.tutor.voice import Tutor

DOCUMENTS = (User, Ticket, Reply, ChatSession)
ON_THIS_MACHINE = ("127.0.0.1", "::1")
REFERENCE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tutordesk: the API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>"""
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings | None = None, mongod: AbstractAsyncContextManager[str] | None = None) -> FastAPI:
    """The app. Without `mongod` it uses `settings.mongodb_url`."""
    settings = settings or Settings()
    app = FastAPI(
        title="Tutordesk", version="0.1.0", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    app.state.settings, app.state.mongod = settings, mongod
    app.include_router(tickets.router)
    app.include_router(chat.router)
    app.include_router(identity.router)
    app.include_router(health.router)
    app.add_api_route("/openapi.json", _description, include_in_schema=False)
    app.add_api_route("/docs", _reference, include_in_schema=False)
    install_errors(app)
    app.add_middleware(BundledClient)
    app.add_middleware(Gate)
    return app


def _refuse_other_machines(request: Request) -> None:
    if not request.client or request.client.host not in ON_THIS_MACHINE:
        raise NotFound


async def _description(request: Request) -> Response:
    """The OpenAPI description, for whoever sits at the machine itself."""
    _refuse_other_machines(request)
    return JSONResponse(request.app.openapi())


async def _reference(request: Request) -> Response:
    """Swagger UI from the client's build, for whoever sits at the machine itself. It styles itself inline."""
    _refuse_other_machines(request)
    return HTMLResponse(REFERENCE, headers={"Content-Security-Policy": REFERENCE_POLICY})


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    state = app.state
    async with AsyncExitStack() as stack:
        state.secret = load_secret(settings)
        state.owner = _server_id(settings.data_dir)
        state.client = await _open_database(app, stack)
        stack.callback(state.client.close)
        state.limits, state.facets = Limits(settings), Facets()
        state.tutor = await stack.enter_async_context(Tutor(settings))
        state.summaries = await stack.enter_async_context(running_summaries(state.tutor))

        async def join(reply: Reply) -> None:
            await join_reply(reply)
            if reply.usage:
                await state.limits.count_tokens(reply.usage.input_tokens + reply.usage.output_tokens)

        state.join = join
        await stack.enter_async_context(running_replies(state.owner, join))
        yield


async def _open_database(app: FastAPI, stack: AsyncExitStack) -> Client:
    """Leaves a sentence in `app.state.refusal` when there is no database to be had."""
    given = app.state.settings.mongodb_url
    try:
        url = await stack.enter_async_context(app.state.mongod) if app.state.mongod else given.get_secret_value()
        return await open_database(url, DOCUMENTS)
    except MongodError as error:
        app.state.refusal = str(error)
        raise
    except (pymongo.errors.ConnectionFailure, pymongo.errors.ConfigurationError) as error:
        app.state.refusal = f"MONGODB_URL: no MongoDB can be reached there ({type(error).__name__})."
        raise
    except pymongo.errors.OperationFailure as error:
        name = (error.details or {}).get("codeName", "no name")
        app.state.refusal = f"MONGODB_URL: that MongoDB refuses Tutordesk ({error.code}, {name})."
        raise


def _server_id(data_dir: Path) -> str:
    """This server's name, the same after a restart: by it a server knows the replies that it left behind."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = data_dir / "server_id"
    if not file.exists():
        file.write_text(secrets.token_hex(8))
    return file.read_text().strip()
