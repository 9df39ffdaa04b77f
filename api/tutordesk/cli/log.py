"""`tutordesk log …`: shows the change log of a data folder and checks that it is whole. Reads only files."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutordesk.cli.database import DataDir
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import load_settings

if TYPE_CHECKING:
    from tutordesk.operations.changelog.entries import Entry
    from tutordesk.operations.changelog.reading import Record
    from tutordesk.operations.instants import Instant

app = typer.Typer(no_args_is_help=True, help="Show the change log and check it.")
NAMES = {"i": "insert", "u": "update", "d": "delete", "c": "command"}


@app.command()
def show(
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="List only changes after this time, in UTC unless it has a zone.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="List only this many of the newest changes.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """List the newest changes: time in UTC, instant, kind, collection and document of each."""
    from tutordesk.operations.changelog.files import segments, ts_of
    from tutordesk.operations.changelog.reading import read_log
    from tutordesk.operations.instants import parse

    folder = _folder(data_dir)
    start = parse(since) if since else None
    files = segments(folder)
    first = ts_of(files[0])
    after = max(first, start.earliest()) if start else ts_of(files[-2] if len(files) > 1 else files[-1])
    rows = deque((row for record in read_log(folder, after) for row in _rows(record, start)), last)
    for row in rows:
        # a title may hold a terminal's codes
        typer.echo(row if row.isprintable() else row.encode("unicode_escape").decode())


@app.command()
def verify(data_dir: DataDir = None) -> None:
    """Check every record, their chain, and every base. Exits with 1 if anything is wrong."""
    import time

    from tutordesk.operations.changelog import reading as log_reading
    from tutordesk.operations.changelog.bases import check_base, list_bases
    from tutordesk.operations.instants import show as instant

    folder = _folder(data_dir)
    result = log_reading.verify(folder)
    if result.torn:  # a server may be writing there
        time.sleep(0.5)
        result = log_reading.verify(folder)
    wrong = [f"damaged: {sentence}" for sentence in result.damage]
    if result.torn:
        wrong.append("torn tail: {}, byte {}, {} bytes; the next start cuts it off".format(*result.torn))
    try:
        for base in list_bases(folder):
            check_base(base)
    except OperatorError as error:
        wrong.append(str(error))
    reach = f", from {instant(result.first)} to {instant(result.last)}" if result.first and result.last else ""
    typer.echo(f"{result.records} records in {result.files} files{reach}; gaps: {result.gaps}.")
    for sentence in wrong:
        typer.echo(sentence)
    typer.echo("It is not whole." if wrong else "It is whole.")
    raise SystemExit(1 if wrong else 0)


@app.command()
def bases(data_dir: DataDir = None) -> None:
    """List the dumps that a replay can start from."""
    from tutordesk.operations.changelog.bases import list_bases
    from tutordesk.operations.instants import show as instant

    for base in list_bases(_folder(data_dir)):
        size = sum(path.stat().st_size for path in base.path.rglob("*") if path.is_file())
        typer.echo(f"{instant(base.ts)}  {size / 1024:8.0f} KiB  {base.facts.get('reason', '')}")


def _folder(data_dir: Path | None) -> Path:
    """Return the change log's folder. Raises OperatorError when it has no log."""
    from tutordesk.operations.changelog.files import segments
    from tutordesk.operations.names import CHANGE_LOG_FOLDER

    folder = load_settings(data_dir=data_dir).data_dir / CHANGE_LOG_FOLDER
    if not segments(folder):
        raise OperatorError(f"There is no change log in {folder}.")
    return folder


def _rows(record: "Record", start: "Instant | None") -> Iterator[str]:
    from tutordesk.operations.changelog.records import MARK, mark_of

    entry = record.document
    if start and start.is_after(entry):
        return
    wall = entry.get("wall")
    when = f"{wall:%Y-%m-%d %H:%M:%S}.{wall.microsecond // 1000:03} UTC" if wall else " " * 27
    when = f"{when}  {record.ts.time}:{record.ts.inc:<6}"
    if mark := mark_of(entry):
        if mark[MARK] == "gap":
            yield f"{when}  GAP      from {mark['since'].time}:{mark['since'].inc}: {mark['reason']}"
        return
    operations = entry["o"].get("applyOps", [entry])
    for operation in operations:
        yield f"{when}  {_what(operation)}"


def _what(operation: "Entry") -> str:
    change, collection = operation["o"], operation["ns"].partition(".")[2]
    if operation["op"] == "c":
        name = next(iter(change))
        return f"{name:<8} {change[name]}"
    key = (operation.get("o2") or change).get("_id", "")
    title = change.get("title", "") if operation["op"] == "i" else ""
    return f"{NAMES.get(operation['op'], operation['op']):<8} {collection}  {key}  {title}".rstrip()
