"""The connection to MongoDB: the only module that imports Motor.

Waits are short and bounded, because a driver's defaults hold a request for 30 s when the server is away or hangs:
an operation ends within three seconds, whatever the reason, and `errors` makes 503 of it.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import pymongo
from beanie import Document, init_beanie
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pydantic import BaseModel
from pymongo import WriteConcern

MIN_SECONDS = 0.05
Row = dict[str, Any]  # a document, or a part of one, as MongoDB gives and takes it
Query = dict[str, object]
Change = dict[str, object]
AsyncMongoClient = AsyncIOMotorClient[Row]
AsyncDatabase = AsyncIOMotorDatabase[Row]
AsyncCollection = AsyncIOMotorCollection[Row]
OPTIONS: Row = {
    "tz_aware": True,
    "appname": "tutordesk",
    "timeoutMS": 3000,
    "serverSelectionTimeoutMS": 3000,
    "connectTimeoutMS": 2000,
    "heartbeatFrequencyMS": 2000,
    "maxPoolSize": 100,
    "minPoolSize": 1,
}


Model = TypeVar("Model", bound=BaseModel)


class _Recorder:
    """Answers every attribute with its name."""

    def __getattr__(self, name: str) -> str:
        return name


def field_name(model: type[Model], read: Callable[[Model], object]) -> str:
    """Return the name of the model's field that `read` reads, for queries on raw documents.

    `field_name(Ticket, lambda ticket: ticket.title)` is `"title"`. When a field is renamed the type check finds the
    lambda, and without it AttributeError is raised.
    """
    name = str(read(_Recorder()))  # type: ignore[arg-type]  # it has whatever attribute the lambda reads
    if name not in model.model_fields:
        raise AttributeError(f"{model.__name__} has no field {name}")
    return name


class Patience:
    """Three seconds for all steps of one request together; each alone may take as long, one after the other.

    A task that is made inside `limit` would inherit it, so whatever outlives the request is begun outside.
    """

    def __init__(self) -> None:
        self._ends: float = time.monotonic() + OPTIONS["timeoutMS"] / 1000

    @property
    def left(self) -> float:
        return max(MIN_SECONDS, self._ends - time.monotonic())

    def limit(self) -> AbstractContextManager[None]:
        limit: AbstractContextManager[None] = pymongo.timeout(self.left)
        return limit


def connect(url: str) -> AsyncMongoClient:
    """A client with bounded waits, aware UTC times and majority writes. Nothing is sent yet."""
    return AsyncIOMotorClient(url, **OPTIONS)


def at_once(document: type[Document]) -> AsyncCollection:
    """The document's collection for writes that wait for no disk and no other member.

    For what a later, durable write follows: durable ones wait for those before them.
    """
    collection = document.get_motor_collection()
    database: Any = collection.database  # Beanie knows no better type
    own: AsyncCollection = database.get_collection(collection.name, write_concern=WriteConcern(w=1))
    return own


async def open_database(url: str, documents: Sequence[type[Document]]) -> AsyncMongoClient:
    """Bind `documents` to the `url`. Their collections, indexes and validators are made by the migrations.

    Raises pymongo.errors.PyMongoError when the server cannot be reached.
    """
    client = connect(url)
    await init_beanie(client.get_default_database("tutordesk"), document_models=list(documents), skip_indexes=True)
    return client
