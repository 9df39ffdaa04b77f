"""The commands `dump`, `restore` and `log` on a real server and on the data folder that it leaves."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest

from testing.databases.archives import archive_of
from testing.databases.states import fresh_database
from testing.fake_gemini import FakeModels
from testing.processes import ENVIRONMENT, Serving, free_port
from testing.steps import TICKET, create_ticket, until
from tutordesk.operations.migrations.run import KNOWN


@pytest.fixture
async def server(tmp_path: Path, fake: FakeModels) -> AsyncIterator[Serving]:
    serving = await Serving(tmp_path / "data", OPENAI_BASE_URL=fake.openai_url, **ENVIRONMENT).start()
    yield serving
    if serving.is_running:
        await serving.end()


@pytest.fixture
async def elsewhere(mongod_url: str, tmp_path: Path) -> AsyncIterator[Serving]:
    """A server that is not started yet, for a database of its own in the tests' MongoDB."""
    with fresh_database(mongod_url) as (url, _, _):
        serving = Serving(tmp_path / "data", **ENVIRONMENT | {"TUTORDESK_MODEL": "offline", "MONGODB_URL": url})
        yield serving
        if serving.is_running:
            await serving.end()


async def titles(client: httpx.AsyncClient) -> list[str]:
    return [ticket["title"] for ticket in (await client.get("/tickets")).json()]


async def test_dumps_of_a_running_server_are_restored(server: Serving, tmp_path: Path) -> None:
    folders = {str(tmp_path / "plain"): [], str(tmp_path / "packed"): ["--gzip"]}
    async with server.client() as client:
        await create_ticket(client)
        for folder, options in folders.items():
            code, said = await server.run("dump", folder, *options)
            assert code == 0
            assert said.startswith(f"{folder}: the database at 20")
        await create_ticket(client, title="Written later")
        for folder in folders:
            code, said = await server.run("restore", folder, "--yes-drop", "tutordesk")
            assert (code, "in use by another Tutordesk" in said) == (2, True)
            code, said = await server.run("restore", folder, "--into", f"beside_{Path(folder).name}")
            assert (code, "documents restored" in said) == (0, True), said
            assert (await client.get("/tickets")).json()[0]["title"] == "Written later"
    for folder in folders:
        await server.end()
        code, said = await server.run("restore", folder)
        assert (code, "--yes-drop tutordesk" in said) == (2, True)
        code, said = await server.run("restore", folder, "--into", Path(folder).name)
        assert code == 0
        code, said = await server.run("restore", folder, "--yes-drop", "tutordesk")
        assert (code, f"tutordesk: {2 + len(KNOWN)} documents restored" in said) == (0, True), said
        await server.start()
        async with server.client(client.cookies) as visitor:
            assert await titles(visitor) == [TICKET["title"]]
            await create_ticket(visitor, title="Written between")


async def piped(serving: Serving, content: bytes, *arguments: str) -> str:
    """Run a command that reads the content from a pipe. Returns all its output."""
    process = await asyncio.create_subprocess_exec(
        *serving.command,
        *arguments,
        env=serving.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return (await process.communicate(content))[0].decode()


async def test_archive_is_restored_from_a_file_and_from_a_pipe(elsewhere: Serving, tmp_path: Path) -> None:
    """Packed and cut off, too. The notes about what is left out come before its last line."""
    with pymongo.MongoClient[Any](elsewhere.environment["MONGODB_URL"]) as client:
        database = client.get_default_database()
        database["tickets"].insert_one({"_id": 1})
        database.create_collection("series", timeseries={"timeField": "at"})
        code, said = await elsewhere.run("dump", str(tmp_path / "dump"))
        note = f"series is a time series. `tutordesk restore` leaves it out; `mongorestore --nsInclude={database.name}."
        assert (code, said.startswith(note)) == (0, True), said
        whole = archive_of(tmp_path / "dump")
        (tmp_path / "archive").write_bytes(whole)
        code, said = await elsewhere.run("restore", str(tmp_path / "archive"), "--yes-drop", database.name)
        assert (code, said.startswith(note), ": 1 documents restored in " in said) == (0, True, True), said
        options = ["--yes-drop", database.name, "--data-dir", str(elsewhere.data_dir)]
        said = await piped(elsewhere, gzip.compress(whole), "restore", "-", *options)
        assert ": 1 documents restored in " in said
        said = await piped(elsewhere, whole[:-9], "restore", "-", *options)
        assert said.startswith("tutordesk: The standard input is damaged or cut off.")
        assert not list(elsewhere.data_dir.glob("restore-*"))
        assert list(database["tickets"].find()) == [{"_id": 1}]


async def test_folder_without_a_dump_is_refused_with_a_sentence(elsewhere: Serving, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, said in (("empty", "holds no dump"), ("nowhere", "is not a folder")):
        assert await elsewhere.run("restore", str(tmp_path / name)) == (2, f"tutordesk: {tmp_path / name} {said}.\n")


async def test_name_that_no_database_can_have_is_refused(elsewhere: Serving, tmp_path: Path) -> None:
    code, said = await elsewhere.run("restore", str(tmp_path), "--into", "two words")
    assert (code, said.startswith("tutordesk: 'two words' is not a valid name of a database.")) == (2, True)


async def test_database_is_rewound_to_an_instant_after_a_preview(server: Serving) -> None:
    """A preview first, then the restore: a ticket that was deleted by mistake comes back.

    The machine is in another time zone, and the instant has no zone: it is UTC, as every command prints it.
    """
    server.environment["TZ"] = "Asia/Tokyo"
    async with server.client() as client:
        deleted = await create_ticket(client, title="Deleted by mistake")
        await until_logged(server, "Deleted by mistake")
        await asyncio.sleep(1.1)
        instant = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        await asyncio.sleep(0.1)
        await create_ticket(client, title="Written later")
        await until_logged(server, "Written later")
        code, said = await server.run("restore", "--until", instant, "--dry-run")
        assert code == 0, said
        assert said.startswith(f"The change log is replayed to {instant[:19]} UTC, which is 20"), said
        assert " JST (UTC+0900) on this machine.\n" in said
        assert "tickets: 0 would appear, 0 change, 1 vanish\n  - Written later\n" in said
    await server.end()
    code, said = await server.run("restore", "--until", instant)
    assert (code, "--yes-drop tutordesk" in said) == (2, True)
    code, said = await server.run("restore", "--until", instant, "--yes-drop", "tutordesk")
    assert (code, "operations replayed" in said) == (0, True), said
    await server.start()
    async with server.client(client.cookies) as client:
        assert await titles(client) == [deleted["title"]]
        await create_ticket(client, title="Written after")
        await until_logged(server, "Written after")
    code, said = await server.run("log", "verify")
    assert (code, "gaps: 1." in said, said.endswith("It is whole.\n")) == (0, True, True), said
    code, said = await server.run("log", "bases")
    assert code == 0
    code, said = await server.run("log", "show", "--since", instant)
    assert (code, "GAP" in said, "the data were restored" in said) == (0, True, True), said
    await server.end()


async def until_logged(server: Serving, title: str) -> None:
    async def is_logged() -> bool:
        return title in (await server.run("log", "show"))[1]

    await until(is_logged)


async def test_log_that_is_off_is_reported_as_missing(elsewhere: Serving) -> None:
    elsewhere.environment["TUTORDESK_CHANGE_LOG"] = "off"
    await elsewhere.start()
    code, said = await elsewhere.run("log", "show")
    assert (code, "There is no change log in" in said) == (2, True)


async def test_half_restored_database_is_not_served(elsewhere: Serving) -> None:
    await elsewhere.start()
    async with elsewhere.client() as client:
        await create_ticket(client)
    await elsewhere.end()
    with pymongo.MongoClient[Any](elsewhere.environment["MONGODB_URL"]) as client:
        switch = {"_id": "switch", "rename": [], "drop": [], "views": []}
        client.get_default_database()["data_epoch"].insert_one(switch)
    code, said = await elsewhere.run("serve", "--port", str(free_port()))
    assert (code, "A restore broke off" in said) == (2, True), said
    code, said = await elsewhere.run("restore")
    assert (code, "It is finished now." in said) == (0, True), said
    await elsewhere.start()


async def test_migrations_are_listed_and_applied(elsewhere: Serving) -> None:
    code, said = await elsewhere.run("migrate", "--status")
    assert (code, said.count("waiting")) == (0, len(KNOWN))
    code, said = await elsewhere.run("migrate")
    assert (code, said.count(" UTC "), said.count("waiting")) == (0, len(KNOWN), 0)
    await elsewhere.start()
    code, said = await elsewhere.run("migrate", "--status")
    with pymongo.MongoClient[Any](elsewhere.environment["MONGODB_URL"]) as client:
        row = {"_id": 99, "name": "to come", "applied_at": datetime.now(UTC), "seconds": 1.0}
        client.get_default_database()["migrations"].insert_one(row)
    assert (code, said.count(" UTC ")) == (0, len(KNOWN))
    await elsewhere.end()
    code, said = await elsewhere.run("migrate", "--status")
    assert (code, "written by a newer Tutordesk" in said) == (2, True)
    code, said = await elsewhere.run("serve", "--port", str(free_port()))
    assert (code, "written by a newer Tutordesk" in said) == (2, True)
