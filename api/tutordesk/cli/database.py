"""How commands reach the database: that of a running server, that at MONGODB_URL, or the embedded one without a server.

`in_database` needs a server that runs or MONGODB_URL; `reach_database` starts the embedded MongoDB when none runs.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings, load_settings
from tutordesk.operations.embedded.mongod import (
    find_mongod,
    lock_data_dir,
    mongodb_url,
    running_mongod,
    start_mongod,
)

if TYPE_CHECKING:
    from beanie import Document

DataDir = Annotated[Path | None, typer.Option(help="Private data folder. [default: TUTORDESK_DATA_DIR, else ./data]")]
Documents = Callable[[], Sequence[type["Document"]]]


def in_database(data_dir: Path | None, open_for: Documents, work: Callable[[], Awaitable[str]]) -> None:
    """Await `work` with the database open for the documents that `open_for` imports, and print its answer."""
    typer.echo(asyncio.run(_in_database(load_settings(data_dir=data_dir), open_for, work)))


async def _in_database(settings: Settings, open_for: Documents, work: Callable[[], Awaitable[str]]) -> str:
    import pymongo.errors

    from tutordesk.ground.database import open_database
    from tutordesk.operations.migrations.run import migrate

    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else mongodb_url(settings.data_dir)
    try:
        await asyncio.to_thread(migrate, url)
        client = await open_database(url, open_for())
    except pymongo.errors.PyMongoError:
        raise OperatorError("The database does not answer. Start the server first with `tutordesk serve`.") from None
    try:
        return await work()
    finally:
        client.close()


@contextlib.contextmanager
def reach_database(settings: Settings, is_alone: bool = False) -> Iterator[str]:
    """Yield the URL of the database. Raises OperatorError when `is_alone` and a server runs on the data folder."""
    if settings.mongodb_url:
        yield settings.mongodb_url.get_secret_value()
        return
    try:
        lock = lock_data_dir(settings.data_dir)
    except OperatorError:
        if is_alone:
            raise
        yield mongodb_url(settings.data_dir)
        return
    from anyio.from_thread import start_blocking_portal

    binary = find_mongod(settings.mongod)
    with lock, start_blocking_portal() as portal:
        mongod = running_mongod(settings.data_dir, binary, start_mongod(settings.data_dir, binary))
        with portal.wrap_async_context_manager(mongod) as url:
            yield url
