"""`tutordesk user …`: lists people, makes and unmakes admins, and keeps people out.

A person is named by id (24 hex digits), by e-mail address (anything with an @), or else by the exact display name.
Running servers apply a change within two seconds.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tutordesk.cli.database import DataDir, in_database
from tutordesk.ground.operator_error import OperatorError

if TYPE_CHECKING:
    from beanie import Document

    from tutordesk.identity.models import User

app = typer.Typer(no_args_is_help=True, help="List people, make admins, keep people out.")
Who = Annotated[str, typer.Argument(metavar="WHO", help="An id, an e-mail address, or the exact display name.")]
COLUMNS = ("ID", "NAME", "ROLE", "E-MAIL", "CREATED", "DISABLED")


@app.command(name="list")
def list_users(
    everybody: Annotated[bool, typer.Option("--all", help="Include visitors without name or account.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List people with a name or an account, newest first."""
    in_database(data_dir, _documents, lambda: _list(everybody))


@app.command()
def promote(who: Who, data_dir: DataDir = None) -> None:
    """Make a person an admin."""
    in_database(data_dir, _documents, lambda: _change(who, _promote))


@app.command()
def demote(who: Who, data_dir: DataDir = None) -> None:
    """Make an admin a member again."""
    in_database(data_dir, _documents, lambda: _change(who, _demote))


@app.command()
def disable(who: Who, data_dir: DataDir = None) -> None:
    """Keep a person out: end all their sign-ins and refuse new ones."""
    in_database(data_dir, _documents, lambda: _change(who, _disable))


@app.command()
def enable(who: Who, data_dir: DataDir = None) -> None:
    """Let a person in again."""
    in_database(data_dir, _documents, lambda: _change(who, _enable))


def _documents() -> "Sequence[type[Document]]":
    from tutordesk.identity.models import User
    from tutordesk.identity.revocation import Revocation

    return User, Revocation


async def _list(everybody: bool) -> str:
    from tutordesk.identity.models import User

    known = {} if everybody else {"$or": [{"name": {"$type": "string"}}, {"email": {"$type": "string"}}]}
    rows = [_row(user) async for user in User.find(known).sort("-created_at", "-_id")]
    widths = [max(len(row[column]) for row in [COLUMNS, *rows]) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [COLUMNS, *rows]]
    return "\n".join(line.rstrip() for line in lines)


def _row(user: "User") -> tuple[str, ...]:
    created = f"{user.created_at:%Y-%m-%d %H:%M} UTC"
    return str(user.id), user.name or "", user.role, user.email or "", created, "yes" if user.is_disabled else ""


async def _change(who: str, change: Callable[["User"], Awaitable[str]]) -> str:
    user = await _find(who)
    return await change(user)


async def _find(who: str) -> "User":
    """Find one person. Raises OperatorError for none and for several.

    A name never stands for an id or an address: people choose their names, and could get promoted by such a one.
    """
    from beanie import PydanticObjectId
    from bson import ObjectId

    from tutordesk.identity.models import User

    if len(who) == 24 and ObjectId.is_valid(who):
        users = await User.find(User.id == PydanticObjectId(who)).to_list()
    elif "@" in who:
        users = await User.find(User.email == who.lower()).to_list()
    else:
        users = await User.find(User.name == who).sort("_id").to_list(20)
    if not users:
        raise OperatorError(f"Nobody is called {who}. `tutordesk user list` shows everybody.")
    if len(users) > 1:
        ids = ", ".join(str(user.id) for user in users)
        raise OperatorError(f"Several people are called {who}: {ids}. Name one by id.")
    return users[0]


def _title(user: "User") -> str:
    return f"{user.name or user.email or 'The visitor'} ({user.id})"


async def _promote(user: "User") -> str:
    if user.role == "agent":
        raise OperatorError("The tutor cannot be an admin.")
    await user.update({"$set": {"role": "admin"}})
    return f"{_title(user)} is an admin."


async def _demote(user: "User") -> str:
    if user.role != "admin":
        raise OperatorError(f"{_title(user)} is no admin.")
    role = "member" if user.name else "visitor"
    await user.update({"$set": {"role": role}})
    return f"{_title(user)} is a {role}."


async def _disable(user: "User") -> str:
    from tutordesk.identity.revocation import Revocations

    await user.update({"$set": {"is_disabled": True}})
    await Revocations().disable(user.id)
    return f"{_title(user)} is kept out."


async def _enable(user: "User") -> str:
    from tutordesk.identity.revocation import Revocations

    await user.update({"$set": {"is_disabled": False}})
    await Revocations().enable(user.id)
    return f"{_title(user)} may come in again."
