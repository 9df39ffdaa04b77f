"""The users of compose.yaml on a mongod with passwords: what each may do, and what it may not."""

import asyncio
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
import pymongo.errors
import pytest

from testing.deploy.compose import PASSWORDS, Guarded
from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving
from testing.steps import create_ticket, until

Client = pymongo.MongoClient[Any]
NOT_AUTHORIZED = 13
FORBIDDEN_TO_BOTH: dict[str, Callable[[Client], Any]] = {
    "read another database": lambda client: client["other"]["things"].find_one(),
    "write another database": lambda client: client["other"]["things"].insert_one({}),
    "read who there is": lambda client: client["admin"]["system.users"].find_one(),
    "read how the first start went": lambda client: client["admin"]["tutordesk_init"].find_one(),
    "write the oplog": lambda client: client["local"]["oplog.rs"].insert_one({}),
    "read what else is local": lambda client: client["local"]["startup_log"].find_one(),
    "read the configuration": lambda client: client["config"]["transactions"].find_one(),
    "make a user": lambda client: client["tutordesk"].command("createUser", "x", pwd="x", roles=["readWrite"]),
    "make a role": lambda client: client["tutordesk"].command("createRole", "x", privileges=[], roles=[]),
    "give itself a role": lambda client: client["tutordesk"].command(
        "grantRolesToUser", "application", roles=[{"role": "root", "db": "admin"}]
    ),
    "change the replica set": lambda client: client["admin"].command("replSetStepDown", 1),
    "set a parameter": lambda client: client["admin"].command("setParameter", 1, logLevel=1),
    "stop MongoDB": lambda client: client["admin"].command("shutdown"),
    "run operations by hand": lambda client: client["admin"].command(
        "applyOps", [{"op": "i", "ns": "other.things", "o": {"_id": 1}}]
    ),
    "profile": lambda client: client["tutordesk"].command("profile", 2),
}


def read_tickets(client: Client) -> Any:
    return client["tutordesk"]["tickets"].find_one()


@pytest.fixture
async def server(guarded: Guarded, tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    """`tutordesk serve` as the service `api` runs it."""
    urls = {"MONGODB_URL": guarded.url("application"), "MONGODB_BACKUP_URL": guarded.url("backup")}
    settings = {**ENVIRONMENT, **urls, "OPENAI_BASE_URL": fake.openai_url, "TUTORDESK_CHANGE_LOG": "on"}
    serving = await Serving(tmp_path / "data", **settings).start()
    yield serving
    if serving.is_running:
        await serving.end()


async def run(server: Serving, *arguments: str) -> str:
    """Run a command that has to succeed. Returns its output."""
    code, said = await server.run(*arguments)
    assert code == 0, said
    return said


async def until_logged(server: Serving, title: str) -> None:
    async def is_logged() -> bool:
        return title in await run(server, "log", "show")

    await until(is_logged)


async def is_healthy(server: Serving, services: Any) -> bool:
    """By the health check of compose.yaml."""
    program, *arguments = services["api"]["healthcheck"]["test"][1:]
    assert program == "python"
    probe = [argument.replace(":8000/", f":{server.port}/") for argument in arguments]
    ended = await asyncio.to_thread(subprocess.run, [sys.executable, *probe], stderr=subprocess.DEVNULL)
    return ended.returncode == 0


def test_key_is_made_once_and_private(guarded: Guarded, services: Any) -> None:
    assert stat.S_IMODE(guarded.key_file.stat().st_mode) == 0o400
    assert 6 <= len(guarded.key_file.read_text()) <= 1024
    key = guarded.key_file.read_text()
    guarded.stop()
    guarded.start()
    with guarded.client("application") as client:
        client["tutordesk"].command("ping")
    assert guarded.key_file.read_text() == key


def test_stranger_may_do_nothing(guarded: Guarded) -> None:
    with pymongo.MongoClient[Any](f"mongodb://{guarded.address}/?directConnection=true") as client:
        forbidden = [*FORBIDDEN_TO_BOTH.values(), read_tickets]
        for attempt in forbidden:
            with pytest.raises(pymongo.errors.OperationFailure) as refused:
                attempt(client)
            assert refused.value.code == NOT_AUTHORIZED


@pytest.mark.parametrize("user", ["application", "backup"])
@pytest.mark.parametrize("what", FORBIDDEN_TO_BOTH)
def test_user_may_do_nothing_else(guarded: Guarded, user: str, what: str) -> None:
    with guarded.client(user) as client:
        with pytest.raises(pymongo.errors.OperationFailure) as refused:
            FORBIDDEN_TO_BOTH[what](client)
        assert refused.value.code == NOT_AUTHORIZED


def test_only_the_backup_user_reads_the_oplog(guarded: Guarded) -> None:
    with guarded.client("backup") as client:
        assert client["local"]["oplog.rs"].find_one()
    with guarded.client("application") as client:
        with pytest.raises(pymongo.errors.OperationFailure) as refused:
            client["local"]["oplog.rs"].find_one()
        assert refused.value.code == NOT_AUTHORIZED
        assert client.list_database_names() in ([], ["tutordesk"])


async def test_server_and_change_log_work_with_these_users(server: Serving, services: Any, tmp_path: Path) -> None:
    """And so do all commands that the operator has."""
    async with server.client() as client:
        await create_ticket(client, title="Before the dump")

        await until_logged(server, "Before the dump")
        dump = str(tmp_path / "dump")
        assert "the database at 20" in await run(server, "dump", dump, "--gzip")
        await create_ticket(client, title="Before the instant")
        await until_logged(server, "Before the instant")
        await asyncio.sleep(1.1)  # instants are of seconds
        instant = datetime.now(UTC).isoformat()
        await asyncio.sleep(0.1)
        await create_ticket(client, title="After the instant")
        await until_logged(server, "After the instant")
        await run(server, "migrate", "--status")
        assert await is_healthy(server, services)
        await server.end()
        assert not await is_healthy(server, services)
        assert "2 vanish" in await run(server, "restore", dump, "--dry-run")
        rewind = await run(server, "restore", dump, "--until", instant, "--yes-drop", "tutordesk")
        assert "operations replayed" in rewind
        await server.start()
        titles = [ticket["title"] for ticket in (await client.get(f"{server.url}/tickets")).json()]
        assert titles == ["Before the instant", "Before the dump"]
        assert "It is whole." in await run(server, "log", "verify")


async def test_second_run_changes_only_passwords(server: Serving, guarded: Guarded) -> None:
    async with server.client() as client:
        assert await asyncio.to_thread(guarded.init) == (
            0,
            "mongo-init: the users of the database tutordesk are ready\n",
        )
        await create_ticket(client)
        code, _ = await asyncio.to_thread(guarded.init, MONGODB_APPLICATION_PASSWORD="another-0123456789")
        assert code == 0
        await create_ticket(client)  # who is signed in stays so
    try:
        with (
            guarded.client("application") as old,
            pytest.raises(pymongo.errors.OperationFailure, match="Authentication failed"),
        ):
            old["tutordesk"].command("ping")
        with pymongo.MongoClient[Any](guarded.url("application", "another-0123456789")) as new:
            new["tutordesk"].command("ping")
    finally:
        await asyncio.to_thread(guarded.init)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ADMINISTRATOR", "wrong-0123456789", "is not the one of the first start. Set that one in .env."),
        ("APPLICATION", "with-a-sign-@-0123", "must have at least 16 letters or digits; `openssl rand -hex 24` makes"),
    ],
)
def test_unusable_password_is_refused(guarded: Guarded, name: str, value: str, sentence: str) -> None:
    variable = f"MONGODB_{name}_PASSWORD"
    assert variable in PASSWORDS
    code, said = guarded.init((), **{variable: value})
    assert code == 1
    assert said.startswith(f"mongo-init: {variable} {sentence}")
    assert said.count("\n") == 1
    assert value not in said


def test_mongod_is_healthy_when_it_listens(guarded: Guarded, services: Any) -> None:
    check = [part.replace("27017", str(guarded.port)) for part in services["mongodb"]["healthcheck"]["test"][1:]]
    assert subprocess.run(check).returncode == 0
    nobody = [part.replace(str(guarded.port), "9") for part in check]
    assert subprocess.run(nobody, stderr=subprocess.DEVNULL).returncode != 0
