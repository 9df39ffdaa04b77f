"""The embedded MongoDB: one mongod, a replica set of its own, on a private folder and a unix socket.

`start_mongod()` returns at once, so that the server's imports run while mongod starts. `running_mongod()` waits until
mongod takes writes, restarts it when it dies, and stops it last. Nothing listens on a network interface, and
wire compression is off, which closes CVE-2025-14847 for the versions that have it.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import functools
import hashlib
import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote_plus

from tutordesk.ground.operator_error import OperatorError

if TYPE_CHECKING:
    from tutordesk.ground.database import AsyncDatabase

log = logging.getLogger(__name__)
REPLICA_SET = "tutordesk"
SOCKET_NAME = "mongodb-27017.sock"
MAX_SOCKET_PATH_BYTES = 107
MIN_CACHE_GB, MAX_CACHE_GB = 0.25, 1.0
START_SECONDS = 30
STOP_SECONDS = 10
ORPHAN_SECONDS = 3  # a mongod whose server was killed may hang, and its journal keeps what it took
NOT_YET_INITIALIZED = 94
COMPRESSORS = ["zlib", "snappy", "zstd"]
# With these a replica set misses its primary only for seconds, also when it hangs without dying. For a set at
# MONGODB_URL its operator sets them: `settings` of replSetInitiate, and `--setParameter` of each member.
ELECTIONS = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500, "heartbeatTimeoutSecs": 2}
MEMBER_PARAMETER = "oplogNetworkTimeoutBufferSeconds=1"
# MongoDB keeps the transaction of a killed server, and with it the room's document, for this long.
TRANSACTION_PARAMETER = "transactionLifetimeLimitSeconds=3"


def lock_data_dir(data_dir: Path) -> IO[str]:
    """Hold the data folder (made with mode 0700) until the returned file is closed. Raises OperatorError when held."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    lock = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise OperatorError(
            f"The data folder {data_dir} is in use by another Tutordesk (process {holder}). "
            "Stop it first, or choose another folder with --data-dir."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def find_mongod(chosen: Path | None) -> Path:
    """Return the mongod to run: `chosen`, else that on PATH, else that of the installed wheel. Raises OperatorError."""
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise OperatorError(f"TUTORDESK_MONGOD: {chosen} is not a program that can be run.")
        return chosen
    if on_path := shutil.which("mongod"):
        return Path(on_path)
    wheel = importlib.util.find_spec("fiftyone")
    for folder in wheel.submodule_search_locations or () if wheel else ():
        binary = Path(folder) / "db" / "bin" / "mongod"
        if binary.exists():
            return binary
    raise OperatorError("No mongod was found. Install MongoDB 6 or newer, or set MONGODB_URL or TUTORDESK_MONGOD.")


def socket_dir(data_dir: Path) -> Path:
    """Return the socket's folder: in the data folder, or a short private one when that path is too long."""
    inside = data_dir / "run"
    if len(os.fsencode(inside / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tutordesk-{os.getuid()}-{name}"


def mongodb_url(data_dir: Path) -> str:
    """Return the URL by which a driver or mongosh reaches a data folder's embedded database while it runs.

    The connection is direct, because drivers that look for the set's members write their hosts in lower case.
    """
    return f"mongodb://{quote_plus(str(socket_dir(data_dir) / SOCKET_NAME))}/tutordesk?directConnection=true"


def cache_gb() -> str:
    """Return mongod's cache size: an eighth of the memory, within bounds. The cache fills only as the data grows."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{min(MAX_CACHE_GB, max(MIN_CACHE_GB, memory_gb / 8)):.2f}"


def start_mongod(data_dir: Path, binary: Path) -> subprocess.Popen[bytes]:
    """Start mongod on `data_dir`/mongodb and return at once. Ends an orphan of a killed server first.

    Raises OperatorError for a folder of somebody else.
    """
    database, run = data_dir / "mongodb", socket_dir(data_dir)
    for folder in (database, run):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise OperatorError(f"The folder {folder} belongs to another user. Choose another one with --data-dir.")
        folder.chmod(0o700)
    _end_orphan(database)
    (run / SOCKET_NAME).unlink(missing_ok=True)
    with (data_dir / "mongod.log").open("ab") as output:
        return subprocess.Popen(
            [
                *(binary, "--dbpath", database, "--replSet", REPLICA_SET),
                *("--bind_ip", run / SOCKET_NAME, "--port", "27017", "--unixSocketPrefix", run),
                *("--filePermissions", "0600", "--networkMessageCompressors", "disabled", "--noscripting"),
                *("--wiredTigerCacheSizeGB", cache_gb(), "--oplogSize", "990", "--oplogMinRetentionHours", "24"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false", "--setParameter", TRANSACTION_PARAMETER),
                "--quiet",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )


def die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _end_orphan(database: Path) -> None:
    """End a mongod that a killed server left on this folder. Its lock file has the id; we hold the folder's lock."""
    lock = database / "mongod.lock"
    text = lock.read_text().strip() if lock.exists() else ""
    if not text.isdigit():
        return
    pid = int(text)
    command = Path(f"/proc/{pid}/cmdline")
    for seconds, signal_number in ((ORPHAN_SECONDS, signal.SIGTERM), (STOP_SECONDS, signal.SIGKILL)):
        deadline = time.monotonic() + seconds
        if not command.exists() or os.fsencode(database) not in command.read_bytes():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)
        while time.monotonic() < deadline and command.exists() and command.read_bytes():
            time.sleep(0.02)


@contextlib.asynccontextmanager
async def running_mongod(data_dir: Path, binary: Path, process: subprocess.Popen[bytes]) -> AsyncIterator[str]:
    """Yield the URL once `process` takes writes. While inside, restart mongod when it dies. Raises OperatorError."""
    from tutordesk.ground.background import Background
    from tutordesk.operations.embedded.keeper import Keeper

    keeper = Keeper(process, functools.partial(start_mongod, data_dir, binary), data_dir)
    try:
        await _until_primary(data_dir, process)
        async with Background() as background:
            background.every(0, keeper.restart_when_dead, "restart of mongod", at_once=True)
            yield mongodb_url(data_dir)
    finally:
        await asyncio.to_thread(stop_mongod, keeper.process)


def stop_mongod(process: subprocess.Popen[bytes]) -> None:
    """Stop mongod cleanly, by force after ten seconds."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        log.error("mongod did not stop in %s s and was killed", STOP_SECONDS)
        process.kill()
        process.wait()


async def _until_primary(data_dir: Path, process: subprocess.Popen[bytes]) -> None:
    import pymongo.errors

    from tutordesk.ground.database import connect

    socket = socket_dir(data_dir) / SOCKET_NAME
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        _refuse_dead(process, data_dir)
        if time.monotonic() > deadline:
            raise OperatorError(f"mongod did not start in {START_SECONDS} s. Its log: {data_dir / 'mongod.log'}")
        await asyncio.sleep(0.01)
    client = connect(f"mongodb://{quote_plus(str(socket))}/?directConnection=true")
    try:
        while time.monotonic() < deadline:
            _refuse_dead(process, data_dir)
            with contextlib.suppress(pymongo.errors.ConnectionFailure):
                hello = await client.admin.command("hello", compression=COMPRESSORS)
                if hello.get("compression"):
                    raise OperatorError("This mongod offers wire compression (CVE-2025-14847); use another one.")
                if hello.get("isWritablePrimary"):
                    return
                await _configure(client.admin, str(socket))
            await asyncio.sleep(0.02)
    finally:
        client.close()
    raise OperatorError(f"mongod took no writes within {START_SECONDS} s. Its log: {data_dir / 'mongod.log'}")


async def _configure(admin: "AsyncDatabase", host: str) -> None:
    """Create the replica set at the first start, and give its only member a new host after the data folder moved."""
    import pymongo.errors

    try:
        config = (await admin.command("replSetGetConfig"))["config"]
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            await admin.command("replSetReconfig", config, force=True)
    except pymongo.errors.OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            log.debug("mongod is not ready to be configured: %s", error)
            return
        member = {"_id": 0, "host": host}
        await admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member], "settings": ELECTIONS})


def _refuse_dead(process: subprocess.Popen[bytes], data_dir: Path) -> None:
    if (code := process.poll()) is not None:
        raise OperatorError(f"mongod ended at once with code {code}. The reason is in {data_dir / 'mongod.log'}.")
