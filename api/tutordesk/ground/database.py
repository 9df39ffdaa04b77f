"""The connection to MongoDB: the only module that imports Motor.

Waits are short and bounded: an operation ends within three seconds, and `errors` turns its failure into a 503. The
driver's defaults would hold a request for 30 s when the server is away or hangs.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from beanie import Document, init_beanie
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pydantic import BaseModel
from pymongo import WriteConcern

from tutordesk.ground.patience import SECONDS

Row = dict[str, Any]  # a document, or a part of one; MongoDB itself has no schema
Query = dict[str, object]
Change = dict[str, object]
AsyncMongoClient = AsyncIOMotorClient[Row]
AsyncDatabase = AsyncIOMotorDatabase[Row]
AsyncCollection = AsyncIOMotorCollection[Row]
Session = AsyncIOMotorClientSession
OPTIONS: Row = {
    "tz_aware": True,
    "appname": "tutordesk",
    "timeoutMS": SECONDS * 1000,
    "serverSelectionTimeoutMS": SECONDS * 1000,
    "connectTimeoutMS": 2000,
    "heartbeatFrequencyMS": 2000,
    "maxPoolSize": 100,
    "minPoolSize": 1,
}


Model = TypeVar("Model", bound=BaseModel)


class _Recorder:
    """An object whose every attribute is that attribute's name."""

    def __getattr__(self, name: str) -> str:
        return name


def field_name(model: type[Model], read: Callable[[Model], object]) -> str:
    """Return the name of the model's field that `read` reads, for queries on raw documents.

    `field_name(Ticket, lambda ticket: ticket.title)` is `"title"`, so the type check finds queries on a renamed field.
    Raises AttributeError if the model has no such field.
    """
    name = str(read(_Recorder()))  # type: ignore[arg-type]  # it has whatever attribute the lambda reads
    if name not in model.model_fields:
        raise AttributeError(f"{model.__name__} has no field {name}")
    return name


def connect(url: str) -> AsyncMongoClient:
    """Return a client with bounded waits, aware UTC times and majority writes. It sends nothing yet."""
    return AsyncIOMotorClient(url, **OPTIONS)


def at_once(document: type[Document]) -> AsyncCollection:
    """Return the document's collection for writes that wait for no disk and no other member.

    Use it only before a later durable write, which also waits for all writes before it.
    """
    collection: AsyncCollection = document.get_motor_collection().with_options(write_concern=WriteConcern(w=1))
    return collection


def journaled(document: type[Document]) -> AsyncCollection:
    """Return the document's collection for writes that wait for the disk, and for no other member.

    All writes before one are on the disk with it, also those that `at_once` sent.
    """
    collection: AsyncCollection = document.get_motor_collection().with_options(write_concern=WriteConcern(w=1, j=True))
    return collection


async def open_database(url: str, documents: Sequence[type[Document]]) -> AsyncMongoClient:
    """Connect to the `url` and bind `documents` to it. Returns the client.

    Raises pymongo.errors.PyMongoError if the server cannot be reached.
    """
    client = connect(url)
    await bind_documents(client, documents)
    return client


async def bind_documents(client: AsyncMongoClient, documents: Sequence[type[Document]]) -> None:
    """Let `documents` read and write the client's database. The migrations make collections, indexes and validators."""
    await init_beanie(client.get_default_database("tutordesk"), document_models=list(documents), skip_indexes=True)
