"""A real `tutordesk serve`, as a process of its own that tests start, kill, stop, and start again."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from testing.serving import JSON, SECRET

COMMAND = [str(Path(sys.executable).parent / "tutordesk")]
ENVIRONMENT = {
    "TUTORDESK_MODEL": "openai:fake",  # a process that imports google-genai takes a second longer to start
    "TUTORDESK_SECRET_KEY": SECRET,
    "TUTORDESK_MAX_RUNNING_REPLIES": "0",
    "TUTORDESK_MAX_MESSAGES_PER_MINUTE": "0",
    "TUTORDESK_MAX_MESSAGES_PER_MINUTE_PER_IP": "0",
}


class Serving:
    """`tutordesk serve` on a folder; started again by `start()`. Its log is beside the folder.

    `command` is the program, by default this environment's.
    """

    command = COMMAND

    def __init__(self, data_dir: Path, *options: str, **environment: str) -> None:
        self.data_dir, self.options = data_dir, options
        self.environment = {**os.environ, **environment}
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.log = data_dir.with_name(f"{data_dir.name}.log")

    async def start(self) -> "Serving":
        port = free_port()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220  it takes a millisecond
                [*self.command, "serve", "--port", str(port), "--data-dir", str(self.data_dir), *self.options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment,
            )
        assert self.process.stdout
        line = await asyncio.to_thread(self.process.stdout.readline)
        assert line.startswith(f"Tutordesk is ready on http://127.0.0.1:{port}"), line + self.log.read_text()[-3000:]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def client(self, cookies: httpx.Cookies | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=JSON, timeout=20, cookies=cookies)

    def mongod_pid(self) -> int:
        return mongod_pid(self.data_dir)

    def workers(self) -> list[int]:
        """The processes that serve, with `--workers`."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command on this data folder, in this environment. Returns its exit code and all its output."""
        command = [*self.command, *arguments, "--data-dir", str(self.data_dir)]
        environment = self.environment | {"COLUMNS": "200"}
        ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=environment)
        return ended.returncode, ended.stdout + ended.stderr

    async def end(self, stop_signal: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        assert self.process.stdout
        self.process.send_signal(stop_signal)
        try:
            return await asyncio.to_thread(self.process.wait, 15)
        finally:
            self.process.kill()
            self.process.stdout.close()


Pair = tuple[Serving, Serving]


@contextlib.asynccontextmanager
async def serving_pair(folder: Path, **environment: str) -> AsyncIterator[Pair]:
    """Two servers with the same settings, so on one database. A test may kill them; what still runs is ended."""
    pair = Serving(folder / "one", **environment), Serving(folder / "other", **environment)
    await asyncio.gather(*(server.start() for server in pair))
    try:
        yield pair
    finally:
        await asyncio.gather(*(server.end() for server in pair if server.is_running))


def mongod_pid(data_dir: Path) -> int:
    """Return the process of the mongod that a running server started on its data folder."""
    return int((data_dir / "mongodb" / "mongod.lock").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False
