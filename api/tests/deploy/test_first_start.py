"""Dumps in mongo-init/dumps are restored at the first start, whole or not at all.

mongorestore is a stand-in (mongorestore_stand_in.py): these tests are of its choice, its order, and its refusals.
"""

import gzip
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import bson
import pytest

from testing.databases.states import fill, fresh_database, state_of
from testing.deploy.compose import STAND_IN, Guarded
from tutordesk.operations.dumps.dump import dump_database

EMPTY = "mongo-init: the users of the database tutordesk are ready\n"
OTHERS = ["--nsExclude=admin.*", "--nsExclude=config.*"]


class FirstStart:
    """A mongod with users and without data, and a folder of dumps."""

    def __init__(self, guarded: Guarded, folder: Path) -> None:
        self._guarded, self.dumps, self._record = guarded, folder / "dumps", folder / "record"
        self._tool = folder / "mongorestore"
        self._tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
        self._tool.chmod(0o700)
        self.dumps.mkdir()

    def __call__(self, mode: str = "insert", tool: str = "", rights: Sequence[str] = ()) -> tuple[int, str]:
        """The code of the service `mongodb-init`, and what it says of the dumps."""
        variables = {"DUMPS": str(self.dumps), "RECORD": str(self._record), "MODE": mode}
        variables["MONGORESTORE"] = tool or str(self._tool)
        code, said = self._guarded.init(rights, **variables)
        assert said.startswith(EMPTY), said
        return code, said.removeprefix(EMPTY)

    def calls(self) -> list[list[str]]:
        """The options of each call of mongorestore since the last look."""
        text = self._record.read_text() if self._record.exists() else ""
        self._record.unlink(missing_ok=True)
        return [json.loads(line) for line in text.splitlines()]

    def archive(self, name: str, content: bytes = b"what mongodump --archive writes") -> None:
        (self.dumps / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)

    def folder(self, name: str, *files: str, packed: bool = False) -> Path:
        for file in files:
            path = self.dumps / name / (f"{file}.gz" if packed and file != "oplog.bson" else file)
            path.parent.mkdir(parents=True, exist_ok=True)
            content = bson.encode({"_id": 1}) + bson.encode({"_id": 2, "text": "x" * 500})
            path.write_bytes(gzip.compress(content) if packed else content)
        return self.dumps / name

    def databases(self) -> dict[str, list[str]]:
        with self._guarded.client("administrator") as client:
            names = set(client.list_database_names()) - {"admin", "config", "local"}
            return {name: sorted(client[name].list_collection_names()) for name in names}


@pytest.fixture
def first_start(guarded: Guarded, tmp_path: Path) -> FirstStart:
    with guarded.client("administrator") as client:
        for name in set(client.list_database_names()) - {"admin", "config", "local"}:
            client.drop_database(name)
        client["admin"]["tutordesk_init"].drop()
    return FirstStart(guarded, tmp_path)


def test_all_are_restored_in_the_order_of_their_names(first_start: FirstStart, guarded: Guarded) -> None:
    first_start.archive("a.archive.gz")
    first_start.archive("b.archive")
    first_start.folder("c", "tutordesk/tickets.bson", "tutordesk/tickets.metadata.json")
    first_start.folder("d", "tutordesk/tickets.bson", packed=True)
    first_start.folder("e", "tutordesk/tickets.bson", "oplog.bson", packed=True)
    (first_start.dumps / ".gitkeep").touch()
    code, said = first_start()
    names = ["a.archive.gz", "b.archive", "c", "d", "e"]
    restoring = "".join(f"mongo-init: restoring dumps/{name}\n" for name in names)
    assert (code, said) == (0, f"{restoring}mongo-init: 5 dumps restored\n")
    sign_in = ["--username=administrator", "--authenticationDatabase=admin"]
    sign_in += ["--host=127.0.0.1", f"--port={guarded.port}", "--stopOnError"]
    at = first_start.dumps
    assert first_start.calls() == [
        [*sign_in, f"--archive={at}/a.archive.gz", "--gzip", *OTHERS],
        [*sign_in, f"--archive={at}/b.archive", *OTHERS],
        [*sign_in, f"--dir={at}/c", *OTHERS],
        [*sign_in, f"--dir={at}/d", "--gzip", *OTHERS],
        [*sign_in, f"--dir={at}/e", "--gzip", "--oplogReplay"],
    ]
    first_start.archive("later.archive")
    ignored = "dumps/ is ignored, because the database has data already; `tutordesk restore` replaces them"
    assert first_start() == (0, f"mongo-init: {ignored}\n")
    assert first_start.calls() == []
    assert first_start.databases() == {"restored": names}


def test_dump_of_tutordesk_is_the_database_afterwards(
    first_start: FirstStart, guarded: Guarded, mongod_url: str
) -> None:
    """`tutordesk dump --gzip` of another MongoDB, by Tutordesk's own restore in the place of mongorestore."""
    with fresh_database(mongod_url) as (_, client, database):
        fill(database)
        dump_database(client, first_start.dumps / "monday", is_packed=True)
        code, said = first_start("tutordesk")
        assert code == 0, said
        with guarded.client("application") as other:
            assert state_of(other["tutordesk"]) == state_of(database)


@pytest.mark.parametrize("name", ["b.archive.gz", "b"])
def test_damaged_dump_is_refused_before_anything_is_restored(first_start: FirstStart, name: str) -> None:
    first_start.archive("a.archive.gz")
    if name == "b.archive.gz":
        first_start.archive(name, os.urandom(5000))
        damaged = first_start.dumps / name
    else:
        damaged = first_start.folder(name, "tutordesk/tickets.bson") / "tutordesk" / "tickets.bson"
    damaged.write_bytes(damaged.read_bytes()[:-7])
    sentence = f"dumps/{damaged.relative_to(first_start.dumps)} is damaged. Nothing was restored; replace or remove it."
    assert first_start() == (1, f"mongo-init: {sentence}\n")
    assert (first_start.calls(), first_start.databases()) == ([], {})


def test_file_that_is_not_a_dump_is_refused(first_start: FirstStart) -> None:
    (first_start.dumps / "a.txt").touch()
    remedy = "Use an *.archive, an *.archive.gz or a folder of mongodump."
    assert first_start() == (1, f"mongo-init: dumps/a.txt is not a dump. {remedy}\n")
    (first_start.folder("a", "tutordesk/tickets.bson") / "link").symlink_to("/etc/passwd")
    sentence = "dumps/a holds link, which is a link or not a file. Remove it from the dump."
    assert first_start() == (1, f"mongo-init: {sentence}\n")
    (first_start.dumps / "a" / "link").unlink()
    first_start.folder("a", "oplog.bson", "admin/system.users.bson")
    code, said = first_start()
    assert (code, said.startswith("mongo-init: dumps/a holds admin/, which belongs to its server. ")) == (1, True)
    assert (first_start.calls(), first_start.databases()) == ([], {})


def test_restore_that_fails_or_dies_leaves_nothing(first_start: FirstStart) -> None:
    first_start.archive("a.archive")
    first_start.archive("b.archive")
    code, said = first_start("fail")
    why = "mongorestore refuses it, see above. All restored data are dropped."
    assert (code, said.splitlines()[-1]) == (1, f"mongo-init: dumps/a.archive cannot be restored: {why}")
    assert first_start.databases() == {}
    code, said = first_start(tool="/no/mongorestore")
    assert (code, "mongorestore cannot run (ENOENT)" in said) == (1, True)
    assert first_start("kill")[0] != 0
    assert first_start.databases() == {"restored": ["a.archive"]}
    code, said = first_start()
    assert (code, said.splitlines()[0]) == (0, "mongo-init: an earlier restore was interrupted; its data are dropped")
    assert first_start.databases() == {"restored": ["a.archive", "b.archive"]}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_unreadable_dump_is_refused_with_the_remedy(first_start: FirstStart) -> None:
    """In a container even root reads the files of others only where their mode lets it."""
    first_start.archive("a.archive.gz")
    os.chown(first_start.dumps / "a.archive.gz", 65534, 65534)
    (first_start.dumps / "a.archive.gz").chmod(0o600)
    sentence = "dumps/a.archive.gz cannot be read by user 0; call `chown -R 0 mongo-init/dumps`."
    assert first_start(rights=["setpriv", "--bounding-set=-dac_override,-dac_read_search"]) == (
        1,
        f"mongo-init: {sentence}\n",
    )
