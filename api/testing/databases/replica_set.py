"""Three real mongods as one replica set on 127.0.0.1, whose primary is made to step down, is killed, or hangs.

It has the settings that docs/operating.md asks for; with the defaults an election takes ten seconds.
"""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo.errors

from testing.processes import free_port
from testing.steps import until
from tutordesk.ground.database import connect
from tutordesk.operations.embedded.mongod import ELECTIONS, MEMBER_PARAMETER, die_with_parent, find_mongod

NAME = "three"
OPTIONS = ("--networkMessageCompressors", "disabled", "--noscripting", "--wiredTigerCacheSizeGB", "0.25", "--quiet")
STEPPED_DOWN_SECONDS = 60


@dataclass
class Member:
    """One mongod; started again by `start()` on the same folder and port."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        command = [str(find_mongod(None)), "--dbpath", str(self.folder), "--replSet", NAME, "--oplogSize", "100"]
        command += ["--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket", *OPTIONS]
        for parameter in ("diagnosticDataCollectionEnabled=false", MEMBER_PARAMETER):
            command += ["--setParameter", parameter]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)

    def send(self, stop_signal: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(stop_signal)
        if stop_signal is signal.SIGKILL:
            self.process.wait()


class ReplicaSet:
    def __init__(self, folder: Path) -> None:
        self.members = [Member(folder / str(number)) for number in range(3)]

    @property
    def url(self) -> str:
        return f"mongodb://{','.join(member.host for member in self.members)}/tutordesk?replicaSet={NAME}"

    async def ask(self, member: Member, command: str, *value: Any, **more: Any) -> dict[str, Any]:
        client = connect(f"mongodb://{member.host}/?directConnection=true")
        try:
            return dict(await client.admin.command(command, *value, **more))
        finally:
            client.close()

    async def initiate(self) -> None:
        members = [{"_id": number, "host": member.host} for number, member in enumerate(self.members)]
        config = {"_id": NAME, "members": members, "settings": ELECTIONS}
        await until(self._is_up, 30)
        await self.ask(self.members[0], "replSetInitiate", config)

    async def _is_up(self) -> bool:
        for member in self.members:
            try:
                await self.ask(member, "ping")
            except pymongo.errors.PyMongoError:
                return False
        return True

    async def primary(self) -> Member | None:
        for member in self.members:
            with suppress(pymongo.errors.PyMongoError):
                if (await self.ask(member, "hello")).get("isWritablePrimary"):
                    return member
        return None

    async def step_down(self, member: Member) -> None:
        await self.ask(member, "replSetStepDown", STEPPED_DOWN_SECONDS)

    async def until_whole(self) -> Member:
        """Start and wake the members that do not run, and wait for one primary and two secondaries."""
        for member in self.members:
            if member.process is None or member.process.poll() is not None:
                member.start()
            member.send(signal.SIGCONT)

        async def is_whole() -> Member | None:
            primary = await self.primary()
            status = await self.ask(primary, "replSetGetStatus") if primary else {"members": []}
            states = sorted(one["stateStr"] for one in status["members"])
            return primary if states == ["PRIMARY", "SECONDARY", "SECONDARY"] else None

        primary: Member = await until(is_whole, 60)
        return primary


@asynccontextmanager
async def running_replica_set(folder: Path) -> AsyncIterator[ReplicaSet]:
    replica_set = ReplicaSet(folder)
    for member in replica_set.members:
        member.start()
    try:
        await replica_set.initiate()
        await replica_set.until_whole()
        yield replica_set
    finally:
        for member in replica_set.members:
            member.send(signal.SIGKILL)


Fault = Callable[[ReplicaSet, Member], Awaitable[None]]


async def step_down(replica_set: ReplicaSet, primary: Member) -> None:
    await replica_set.step_down(primary)


async def kill(_: ReplicaSet, primary: Member) -> None:
    await asyncio.to_thread(primary.send, signal.SIGKILL)


async def hang(_: ReplicaSet, primary: Member) -> None:
    primary.send(signal.SIGSTOP)
