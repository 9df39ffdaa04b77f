"""How commands reach a running server's database, or that at MONGODB_URL; and refuse, by a sentence and exit code 2.

`reach_database` is for those that need no server: they start the embedded MongoDB themselves when none runs.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

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


def refuse(sentence: str) -> NoReturn:
    print(f"tutordesk: {sentence}", file=sys.stderr)  # noqa: T201  it is the command's answer
    raise SystemExit(2)


def in_database(data_dir: Path | None, open_for: Documents, work: Callable[[], Awaitable[str]]) -> None:
    """Do `work` with the database open for the documents that `open_for` imports, and print its answer."""
    try:
        settings = load_settings(data_dir=data_dir)
    except OperatorError as error:
        refuse(str(error))
    print(asyncio.run(_in_database(settings, open_for, work)))  # noqa: T201  it is the command's answer


async def _in_database(settings: Settings, open_for: Documents, work: Callable[[], Awaitable[str]]) -> str:
    import pymongo.errors

    from tutordesk.ground.database import open_database
    from tutordesk.operations.migrations.run import migrate

    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else mongodb_url(settings.data_dir)
    try:
        await asyncio.to_thread(migrate, url)
        client = await open_database(url, open_for())
    except OperatorError as error:
        refuse(str(error))
    except pymongo.errors.PyMongoError:
        refuse("The database does not answer. Start the server first with `tutordesk serve`.")
    try:
        return await work()
    finally:
        client.close()


@contextlib.contextmanager
def reach_database(settings: Settings, is_alone: bool = False) -> Iterator[str]:
    """The URL of the database. Raises OperatorError when `is_alone` and a server runs on the data folder."""
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
