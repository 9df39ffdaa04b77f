"""The command `tutordesk`, and the one place where an error becomes a sentence and exit code 2.

Commands import what they need when they run: `serve` starts mongod first, so that both load at the same time.
"""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tutordesk.cli import backup, log, users
from tutordesk.cli.database import DataDir, in_database, reach_database
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings, load_secret_keys, load_settings
from tutordesk.operations.embedded.mongod import (
    find_mongod,
    lock_data_dir,
    mongodb_url,
    running_mongod,
    start_mongod,
    stop_mongod,
)
from tutordesk.serving.listener import bind

if TYPE_CHECKING:
    from beanie import Document


class Commands(TyperGroup):
    """Ends a command with exit code 2 and one sentence on standard error when the operator has to do something."""

    def invoke(self, ctx: Any) -> Any:  # Typer gives its context no public type
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not (sentence := _sentence(error)):
                raise
        typer.echo(f"tutordesk: {sentence}", err=True)
        raise SystemExit(2)


def _sentence(error: Exception) -> str:
    """Return what to tell the operator, or nothing for an error that is a defect."""
    if isinstance(error, OperatorError):
        return str(error)
    import pymongo.errors

    if isinstance(error, pymongo.errors.OperationFailure):
        reason = (error.details or {}).get("codeName", "no name")
        return f"The database refuses ({error.code}, {reason}): {str(error.details)[:200]}"
    if isinstance(error, pymongo.errors.PyMongoError):
        return f"The database does not answer ({type(error).__name__})."
    return ""


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(users.app, name="user")
app.add_typer(log.app, name="log")
app.command()(backup.dump)
app.command()(backup.restore)


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
    settings = load_settings(host=host, port=port, workers=workers, data_dir=data_dir)
    with lock_data_dir(settings.data_dir), bind(settings.host, settings.port) as listener:
        _serve(settings, listener)


def _serve(settings: Settings, listener: socket.socket) -> None:
    load_secret_keys(settings)
    mongod = None
    if not settings.mongodb_url:
        binary = find_mongod(settings.mongod)
        process = start_mongod(settings.data_dir, binary)
        mongod = running_mongod(settings.data_dir, binary, process)
    try:
        from tutordesk.ground.logs import set_up_logs
        from tutordesk.main import create_app
        from tutordesk.serving.server import run_server
        from tutordesk.serving.workers import run_workers

        set_up_logs()
        if settings.workers > 1:
            run_workers(settings, listener, mongod)
        else:
            run_server(create_app(settings, mongod), settings, listener)
    finally:
        if mongod and process.poll() is None:
            stop_mongod(process)


@app.command(name="mongodb-url")
def print_mongodb_url(data_dir: DataDir = None) -> None:
    """Print the URL of a data folder's embedded database, for mongosh or any driver while its server runs."""
    typer.echo(mongodb_url(load_settings(data_dir=data_dir).data_dir))


@app.command()
def migrate(
    status: Annotated[bool, typer.Option("--status", help="Only list the migrations, applied and waiting.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database to this version's schema, as each start of the server does."""
    from tutordesk.operations import catalog
    from tutordesk.operations.migrations import run

    with reach_database(load_settings(data_dir=data_dir)) as url, catalog.connect(url) as client:
        database = client[catalog.database_name(client)]
        if not status:
            run.migrate_database(database)
        run.refuse_newer_schema(database)
        for step in run.list_steps(database):
            typer.echo(f"{step.number:>3}  {step.when:<22}  {step.name}")


@app.command()
def seed(data_dir: DataDir = None) -> None:
    """Add the sample tickets to a running server's database, or to the one at MONGODB_URL."""
    in_database(data_dir, _documents, _seed)


def _documents() -> "Sequence[type[Document]]":
    from tutordesk.main import DOCUMENTS

    return DOCUMENTS


async def _seed() -> str:
    from beanie import PydanticObjectId

    from tutordesk.tickets.samples import add_samples

    return f"{await add_samples(PydanticObjectId())} sample tickets added."


if __name__ == "__main__":
    app()
