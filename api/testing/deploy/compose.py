"""compose.yaml without a container: how it is read, and its mongod and first start.

The commands are those of compose.yaml; what is only true in a container (paths, ports, programs) is exchanged.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo

from testing.processes import free_port
from tutordesk.operations.embedded.mongod import find_mongod

ROOT = Path(__file__).parents[3]
MONGOSH = Path(__file__).parent / "node_modules" / ".bin" / "mongosh"
STAND_IN = Path(__file__).parent / "mongorestore_stand_in.py"
USERS = ("administrator", "application", "backup")
PASSWORDS = {f"MONGODB_{user.upper()}_PASSWORD": f"{user}-0123456789" for user in USERS}


def compose_config(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run `docker-compose config` with only these variables, and no .env. Returns the ended process."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | variables
    with tempfile.NamedTemporaryFile() as empty:
        command = ["docker-compose", "--env-file", empty.name, "-f", str(ROOT / "compose.yaml"), "config"]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


@dataclass
class Guarded:
    """The mongod of compose.yaml, which asks everybody who they are."""

    services: Any
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, user: str, password: str = "", database: str = "tutordesk") -> str:
        source = "admin" if user == "administrator" else "tutordesk"
        password = password or PASSWORDS[f"MONGODB_{user.upper()}_PASSWORD"]
        return f"mongodb://{user}:{password}@{self.address}/{database}?replicaSet=tutordesk&authSource={source}"

    def client(self, user: str) -> pymongo.MongoClient[Any]:
        return pymongo.MongoClient(self.url(user), tz_aware=True, serverSelectionTimeoutMS=20_000)

    def start(self) -> None:
        """As the service `mongodb` does."""
        for name in ("db", "dumps"):
            (self.folder / name).mkdir(exist_ok=True)
        command: list[str] = self.services["mongodb"]["entrypoint"]
        assert command[1:] == ["/mongo-init/mongod.sh", "--bind_ip_all"]
        options = [
            "--bind_ip",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--dbpath",
            str(self.folder / "db"),
            "--nounixsocket",
        ]
        environment = os.environ | {"MONGOD": str(find_mongod(None)), "KEY_FILE": str(self.key_file)}
        with (self.folder / "mongod.log").open("ab") as log:
            self.process = subprocess.Popen(
                [command[0], str(ROOT / "mongo-init" / "mongod.sh"), *options, "--wiredTigerCacheSizeGB", "0.25"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    @property
    def key_file(self) -> Path:
        return self.folder / "db" / "keyfile"

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)

    def init(self, rights: Sequence[str] = (), **variables: str) -> tuple[int, str]:
        """Run the service `mongodb-init`. Returns its exit code and its output.

        `rights` is a command that takes rights away; `variables` are added to the environment.
        """
        assert MONGOSH.exists(), "`make test` installs mongosh"
        command: list[str] = self.services["mongodb-init"]["entrypoint"]
        exchanged = [
            part.replace("127.0.0.1:27017", self.address).replace("/mongo-init/", f"{ROOT}/mongo-init/")
            for part in command[1:]
        ]
        places = {"MONGODB_ADDRESS": self.address, "MONGODB_MEMBER": self.address, "HOME": str(self.folder)}
        places |= {"DUMPS": str(self.folder / "dumps"), "MONGORESTORE": str(self.folder / "no-mongorestore")}
        ended = subprocess.run(
            [*rights, str(MONGOSH), *exchanged],
            capture_output=True,
            text=True,
            env=os.environ | PASSWORDS | places | variables,
            timeout=120,
            cwd="/",
        )
        return ended.returncode, ended.stdout + ended.stderr
