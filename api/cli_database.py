"""How commands reach a running server's database, or that at MONGODB_URL; and refuse, by a sentence and exit code 2."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.operations.mongod import mongodb_url
from api.settings import Settings, SettingsError, load_settings

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
    except SettingsError as error:
        refuse(str(error))
    print(asyncio.run(_in_database(settings, open_for, work)))  # noqa: T201  it is the command's answer


async def _in_database(settings: Settings, open_for: Documents, work: Callable[[], Awaitable[str]]) -> str:
    import pymongo.errors

    from api.database import open_database

    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else mongodb_url(settings.data_dir)
    try:
        client = await open_database(url, open_for())
    except pymongo.errors.PyMongoError:
        refuse("The database does not answer. Start the server first with `tutordesk serve`.")
    try:
        return await work()
    finally:
        client.close()
