"""`tutordesk dump` and `tutordesk restore`: run the operations and show their progress.

Both work on the database at MONGODB_URL and on a data folder's embedded MongoDB: a dump also while a server runs, a
restore into the server's own database only without one. Progress goes to standard error, the answer to standard output.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutordesk.cli.database import DataDir, reach_database
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import load_settings
from tutordesk.operations.names import DATABASE, check_database_name

if TYPE_CHECKING:
    from tutordesk.operations.catalog import Client
    from tutordesk.operations.dumps.reader import Dump
    from tutordesk.operations.restores.preview import Difference
    from tutordesk.operations.restores.rewind import Rewind

STANDARD_INPUT = Path("-")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the dump.")]


def dump(
    folder: Folder,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress every file.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Write the database, at one instant, to a new folder in the form of mongodump."""
    with _database(data_dir) as (client, name), _bar() as report:
        from tutordesk.operations.dumps.dump import dump_database
        from tutordesk.operations.dumps.opening import open_dump

        at = dump_database(client, folder, gzip, lambda total, done: report("Dumping", total, done))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    _tell(open_dump(folder, name))
    instant = f"{at.as_datetime():%Y-%m-%d %H:%M:%S} UTC ({at.time}:{at.inc})"
    typer.echo(f"{folder}: the database at {instant}, {_bytes(size)}.")


def restore(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="The folder or archive of the dump; - reads an archive from standard input. "
            "[default: a base of the change log]",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Replay the change log to this instant: 2026-11-25T10:00:00 (in UTC unless it has a zone) or "
            "1795570041:338.",
        ),
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="DB", help="Another database to restore into.")] = None,
    yes_drop: Annotated[
        str | None, typer.Option(metavar="NAME", help="Replace the content of the database of this name.")
    ] = None,
    ticket: Annotated[str | None, typer.Option(metavar="ID", help="Restore only this ticket.")] = None,
    chat: Annotated[str | None, typer.Option(metavar="ID", help="Restore only this chat.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Replace a database by a dump, or by an instant of the change log. No server may run on that database.

    The command builds and checks a copy first. Without DIR and --until, it replays the whole change log. With --ticket
    or --chat, it writes only that document and its parts, also while a server runs.
    """
    if into is not None:
        check_database_name(into)
    if ticket or chat:
        _restore_single(folder, until, into, ticket, chat, dry_run, data_dir)
        return
    is_live = into in (None, DATABASE)
    with _database(data_dir, is_alone=is_live and not dry_run) as (client, name), _bar() as report:
        from tutordesk.operations.restores import restore as restoring

        target = into or name
        if not dry_run and restoring.finish_earlier(client, target):
            typer.echo("An earlier restore had broken off while it put its copy in place. It is finished now.")
            return
        with _source(folder, until, name, data_dir, is_told=True) as (dump, rewind):
            if dry_run:
                differences = restoring.preview(client, dump, target, report, rewind)
                _tell(dump)
                _show(differences)
                return
            restored = restoring.restore(client, dump, target, yes_drop, report, rewind)
    _tell(dump)
    replayed = f", {restored.operations} operations replayed," if rewind else ""
    typer.echo(f"{target}: {restored.documents} documents restored{replayed} in {restored.seconds:.1f} s.")


def _restore_single(
    folder: Path | None,
    until: str | None,
    into: str | None,
    ticket: str | None,
    chat: str | None,
    dry_run: bool,
    data_dir: Path | None,
) -> None:
    if ticket and chat:
        raise OperatorError("Use --ticket or --chat, not both at once.")
    with _database(data_dir) as (client, name), _bar() as report:
        from tutordesk.chat.restoring import plan_of_chat, plan_of_ticket
        from tutordesk.operations.restores.single import restore_documents

        make_plan = plan_of_ticket(ticket) if ticket else plan_of_chat(chat or "")
        with _source(folder, until, name, data_dir, is_told=dry_run) as (dump, rewind):
            changed = restore_documents(client, dump, into or name, report, rewind, make_plan, dry_run)
    _show(changed, is_done=not dry_run)


@contextlib.contextmanager
def _source(
    folder: Path | None, until: str | None, name: str, data_dir: Path | None, is_told: bool
) -> Iterator["tuple[Dump, Rewind | None]"]:
    """Yield the dump to start from, and the changes to replay onto it (None: none). Raises OperatorError.

    With `is_told`, prints the instant in UTC and in local time first.
    """
    from tutordesk.operations.dumps.archive import opened
    from tutordesk.operations.dumps.opening import open_dump
    from tutordesk.operations.instants import parse
    from tutordesk.operations.names import CHANGE_LOG_FOLDER
    from tutordesk.operations.restores.rewind import rewind_from, rewind_to

    private = load_settings(data_dir=data_dir).data_dir
    log = private / CHANGE_LOG_FOLDER
    instant = parse(until) if until else None
    if instant and is_told:
        typer.echo(f"The change log is replayed to {instant}, which is {instant.in_local_time()} on this machine.")
    if not folder:
        yield rewind_to(log, name, instant)
        return
    with contextlib.ExitStack() as stack:
        if folder == STANDARD_INPUT:
            dump = stack.enter_context(opened(sys.stdin.buffer, "The standard input", name, private))
        elif folder.is_file():
            try:
                file = stack.enter_context(folder.open("rb"))
            except OSError as error:
                raise OperatorError(f"{folder} cannot be read ({error.strerror}).") from None
            dump = stack.enter_context(opened(file, str(folder), name, private))
        else:
            dump = open_dump(folder, name)
        yield dump, rewind_from(dump, log, instant) if instant else None


def _tell(dump: "Dump") -> None:
    for note in dump.notes:
        typer.echo(note)


def _show(differences: "list[Difference]", is_done: bool = False) -> None:
    for difference in differences:
        appear, change, vanish = difference.appear, difference.change, difference.vanish
        if is_done:
            counts = f"{appear} came back, {change} changed, {vanish} gone"
        else:
            counts = f"{appear} would appear, {change} change, {vanish} vanish"
        typer.echo(f"{difference.collection}: {counts}")
        for title in difference.titles:
            typer.echo(f"  {title}")
    if not differences:
        typer.echo("It is as it was then." if is_done else "Nothing would change.")


@contextlib.contextmanager
def _database(data_dir: Path | None, is_alone: bool = False) -> Iterator["tuple[Client, str]"]:
    """Yield a client and the name of the database."""
    settings = load_settings(data_dir=data_dir)
    logging.basicConfig(level=logging.CRITICAL)
    with reach_database(settings, is_alone) as url:
        from tutordesk.operations.catalog import connect, database_name

        with connect(settings.backup_url(url)) as client:
            yield client, database_name(client)


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar with what is done, the rate and the time left, or nothing where standard error is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step, total, done: None
        return
    with Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console) as progress:
        tasks: dict[str, int] = {}

        def report(step: str, total: int, done: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total or None)
            progress.update(tasks[step], total=max(total, done) or None, completed=done)  # type: ignore[arg-type]

        yield report


def _bytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 1024:.0f} KiB"
