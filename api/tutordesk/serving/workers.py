"""Runs several processes on one address: `tutordesk serve --workers N`.

The parent holds the data folder, mongod and the listening socket, and serves nothing. uvicorn's supervisor starts,
restarts and ends the workers. Each worker is the whole application; they meet only in the database.
"""

import contextlib
import functools
import logging
import multiprocessing
import os
import socket
import time
from contextlib import AbstractAsyncContextManager
from multiprocessing.connection import Connection

from anyio.from_thread import start_blocking_portal
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from tutordesk.ground.background import LoopThread, start_thread
from tutordesk.ground.logs import set_up_logs
from tutordesk.ground.metrics import forget_worker, shared_by_workers
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings
from tutordesk.main import create_app, refusal_of
from tutordesk.operations.changelog.writer import running_change_log
from tutordesk.operations.names import CHANGE_LOG_FOLDER
from tutordesk.replies.liveness import server_id
from tutordesk.serving.server import make_config, say_ready

log = logging.getLogger(__name__)
STOP_SECONDS = 15
HEAR_SECONDS = 0.2
BACKLOG = 2048


def run_workers(settings: Settings, listener: socket.socket, mongod: AbstractAsyncContextManager[str] | None) -> None:
    """Serve with `settings.workers` processes until SIGINT or SIGTERM. Raises OperatorError when none can start.

    `mongod` and the change log run in threads of this process for as long; without `mongod`, `settings.mongodb_url` is
    used.
    """
    server_id(settings.data_dir)  # made once here, and not by each worker
    with contextlib.ExitStack() as stack:
        stack.enter_context(shared_by_workers(settings.data_dir))
        if mongod:
            portal = stack.enter_context(start_blocking_portal())
            url = stack.enter_context(portal.wrap_async_context_manager(mongod))
            change_log = "on" if settings.writes_change_log else "off"
            settings = settings.model_copy(update={"mongodb_url": SecretStr(url), "change_log": change_log})
        if settings.writes_change_log and settings.mongodb_url:
            folder, url = settings.data_dir / CHANGE_LOG_FOLDER, settings.mongodb_url.get_secret_value()
            stack.enter_context(running_change_log(settings.backup_url(url), folder, server_id(settings.data_dir)))
            settings = settings.model_copy(update={"change_log": "off"})
        hearing, telling = multiprocessing.Pipe(duplex=False)
        config = make_config(functools.partial(worker_app, settings, telling), settings, settings.workers)
        workers = Workers(config, listener, hearing, settings.models[0])
        listener.listen(BACKLOG)  # requests before the first worker is ready wait
        with LoopThread(0, workers.hear, "workers' reports"):
            workers.run()
    if workers.refusal:
        raise OperatorError(workers.refusal)


class Workers(Multiprocess):
    """Supervises the workers and hears how each start went. The server is ready when the first worker is.

    A worker that cannot start ends the server only while none was ready yet. Later the database is probably away for a
    while, and the worker is restarted.
    """

    def __init__(self, config: Config, listener: socket.socket, reports: Connection, model: str) -> None:
        super().__init__(config, [listener])
        self.refusal = ""
        self._is_ready = False
        self._reports, self._listener, self._model = reports, listener, model

    def keep_subprocess_alive(self) -> None:
        """Restart dead workers. uvicorn's version pings each one first and delays signals while it waits."""
        for place, worker in enumerate(self.processes):
            if not worker.process.is_alive():
                worker.kill()  # closes its pipe
                forget_worker(worker.pid or 0)
                log.warning("worker %s ended, restarting", worker.pid)
                self.processes[place] = Process(self.config, self.sockets)
                self.processes[place].start()

    def join_all(self) -> None:
        """Wait for the workers to end, and kill those that hang."""
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self.processes:
            worker.process.join(max(0, deadline - time.monotonic()))
            worker.process.kill()
            worker.process.join()

    def handle_hup(self) -> None:
        """A terminal that is closed ends the server, as it ends a single process."""
        self.should_exit.set()

    def hear(self) -> None:
        """Take a worker's report, if one comes within a moment."""
        if not self._reports.poll(HEAR_SECONDS):
            return
        if refusal := self._reports.recv():
            log.error("a worker could not start: %s", refusal)
            if not self._is_ready:
                self.refusal = refusal
                self.should_exit.set()
        elif not self._is_ready:
            self._is_ready = True
            say_ready(self._listener, self._model)


def worker_app(settings: Settings, reports: Connection) -> ASGIApp:
    """Return the application of one worker, in its process, which dies when its parent is killed."""
    set_up_logs()
    start_thread(_die_with_parent, "die with parent")
    app = create_app(settings)

    async def reporting(scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                reports.send(refusal_of(app) or message["message"])
                os._exit(1)  # not uvicorn's code, with which its supervisor gives up
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                reports.send("")

        await app(scope, receive, tell if scope["type"] == "lifespan" else send)

    return reporting


def _die_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
