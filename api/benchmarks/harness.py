"""Runs Tutordesk and its helpers as processes of their own, so that benchmarks can tell the CPU of each.

Every process is started by a context manager that ends it, and mongod ends with its server. Needs Linux's /proc.
"""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from testing.processes import COMMAND, free_port
from tutordesk.operations.embedded.mongod import find_mongod, running_mongod, start_mongod

START_SECONDS, STOP_SECONDS = 30.0, 20.0
NO_LIMITS = {
    "TUTORDESK_MAX_MESSAGES_PER_MINUTE": "0",
    "TUTORDESK_MAX_MESSAGES_PER_MINUTE_PER_IP": "0",
    "TUTORDESK_MAX_RUNNING_REPLIES": "0",
}
READY = b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A running `tutordesk serve`. `ready_seconds`: from its start until it could have saved a ticket."""

    pid: int
    port: int
    data_dir: Path
    log: Path
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class Helper:
    """A module of this package as a process. `port`: where it listens, 0 when it does not."""

    process: subprocess.Popen[str]
    port: int

    @property
    def pid(self) -> int:
        return self.process.pid

    def tell(self, line: str) -> str:
        """Send a line and wait for the line that answers it. Raises RuntimeError when the helper ended."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"a helper ended with code {self.process.wait()}")
        return answer


def allow_many_files() -> None:
    """Raise this process's limit of open files, and so its children's, as far as that goes without rights."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_ns(pid: int) -> int:
    """Nanoseconds of CPU that all threads of a process used so far, ended ones too: clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def rss_kib(pid: int) -> int:
    """The resident memory of a process in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@contextlib.contextmanager
def running_server(data_dir: Path, **settings: str) -> Iterator[Server]:
    """`tutordesk serve` on a free port with `settings` as its only Tutordesk environment, once it is ready."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    port, log = free_port(), data_dir.with_suffix(".log")
    command = [*COMMAND, "serve", "--port", str(port), "--data-dir", str(data_dir)]
    with log.open("ab") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=data_dir, env=_environment() | NO_LIMITS | settings, stdout=output, stderr=output
        )
    try:
        _until_ready(process, port, log)
        yield Server(process.pid, port, data_dir, log, time.monotonic() - started)
    finally:
        _stop(process)


@contextlib.contextmanager
def running_database(data_dir: Path) -> Iterator[str]:
    """A mongod of its own for several servers. Yields its URL."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    binary = find_mongod(None)
    mongod = running_mongod(data_dir, binary, start_mongod(data_dir, binary))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(mongod) as url:
        yield url


@contextlib.contextmanager
def running_helper(module: str, *arguments: str) -> Iterator[Helper]:
    """A module of this package, whose first line of output is the port that it listens on."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=_environment(), stdin=pipe, stdout=pipe, text=True)
    try:
        assert process.stdout
        yield Helper(process, int(process.stdout.readline()))
    finally:
        _stop(process)
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def add_sample_tickets(server: Server) -> None:
    """The command `tutordesk seed` on a running server's database."""
    command = [*COMMAND, "seed", "--data-dir", str(server.data_dir)]
    subprocess.run(command, cwd=server.data_dir, env=_environment(), check=True, capture_output=True)


def _environment() -> dict[str, str]:
    """This environment without anything that Tutordesk, an SDK or a proxy would read."""
    prefixes = ("TUTORDESK_", "MONGODB_URL", "GEMINI_", "GOOGLE_", "OPENAI_", "OLLAMA_")
    return {k: v for k, v in os.environ.items() if not k.startswith(prefixes) and not k.lower().endswith("_proxy")}


def _until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as probe:
            probe.sendall(READY)
            if probe.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.01)
    raise RuntimeError(f"the server did not become ready: {log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
