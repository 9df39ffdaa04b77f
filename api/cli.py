"""The command `tutordesk`: serve, seed, mongodb-url. Imports the application only after mongod was started."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.operations.mongod import (
    MongodError,
    find_mongod,
    lock_data_dir,
    mongodb_url,
    running_mongod,
    start_mongod,
    stop_mongod,
)
from api.settings import Settings, SettingsError, load_secret_keys, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
DataDir = Annotated[Path | None, typer.Option(help="Private data folder. [default: TUTORDESK_DATA_DIR, else ./data]")]


@app.callback()
def tutordesk() -> None:
    """Tutordesk: an educational helpdesk with an AI tutor."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [default: 8000]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve. [default: 1]")] = None,
    data_dir: DataDir = None,
) -> None:
    """Start the server, with its own MongoDB unless MONGODB_URL is set. Ctrl-C ends both."""
    from api.server import ServerError, bind

    try:
        settings = load_settings(host=host, port=port, workers=workers, data_dir=data_dir)
        with lock_data_dir(settings.data_dir), bind(settings.host, settings.port) as listener:
            _serve(settings, listener)
    except (SettingsError, MongodError, ServerError) as error:
        _refuse(str(error))


def _serve(settings: Settings, listener: socket.socket) -> None:
    load_secret_keys(settings)
    mongod = None
    if not settings.mongodb_url:
        binary = find_mongod(settings.mongod)
        process = start_mongod(settings.data_dir, binary)
        mongod = running_mongod(settings.data_dir, binary, process)
    try:
        from api.logs import set_up_logs
        from api.main import create_app
        from api.server import run_server
        from api.workers import run_workers

        set_up_logs()
        if settings.workers > 1:
            run_workers(settings, listener, mongod)
        else:
            run_server(create_app(settings, mongod), listener)
    finally:
        if mongod and process.poll() is None:
            stop_mongod(process)


@app.command(name="mongodb-url")
def print_mongodb_url(data_dir: DataDir = None) -> None:
    """Print how mongosh or any driver reaches the embedded database of a data folder while its server runs."""
    try:
        print(mongodb_url(load_settings(data_dir=data_dir).data_dir))  # noqa: T201  it is the command's answer
    except SettingsError as error:
        _refuse(str(error))


@app.command()
def seed(data_dir: DataDir = None) -> None:
    """Add the sample tickets to a running server's database, or to the one at MONGODB_URL."""
    try:
        settings = load_settings(data_dir=data_dir)
    except SettingsError as error:
        _refuse(str(error))
    print(asyncio.run(_seed(settings)))  # noqa: T201  it is the command's answer


async def _seed(settings: Settings) -> str:
    import pymongo.errors
    from beanie import PydanticObjectId

    from api.database import open_database
    from api.main import DOCUMENTS
    from api.tickets.samples import add_samples

    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else mongodb_url(settings.data_dir)
    try:
        client = await open_database(url, DOCUMENTS)
    except pymongo.errors.PyMongoError:
        _refuse("The database does not answer. Start the server first with `tutordesk serve`.")
    count = await add_samples(PydanticObjectId())
    client.close()
    return f"{count} sample tickets added."


def _refuse(sentence: str) -> "typer.Exit":
    print(f"tutordesk: {sentence}", file=sys.stderr)  # noqa: T201  it is the command's answer
    raise SystemExit(2)


if __name__ == "__main__":
    app()
