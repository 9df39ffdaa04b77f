"""The health of each part, in a sentence for people, and the figures of all processes of this server."""

import asyncio
import time
from dataclasses import dataclass, fields
from typing import Literal

import pymongo.errors
from pydantic import BaseModel

from tutordesk.ground import metrics
from tutordesk.ground.database import AsyncMongoClient
from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.changelog.status import ChangeLogStatus
from tutordesk.operations.changelog.writer import ChangeLog
from tutordesk.operations.embedded.disk import UNWATCHED, Disk
from tutordesk.operations.names import CHANGE_LOG_FOLDER, CHANGE_LOG_LEASE, LEASES
from tutordesk.tutor.voice import Tutor

MAX_SILENCE_SECONDS = 15.0
State = Literal["ok", "warning", "down", "off"]


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of this process whose health is reported."""

    settings: Settings
    client: AsyncMongoClient
    disk: Disk
    tutor: Tutor
    change_log: ChangeLog
    epoch: str


class ComponentStatus(BaseModel):
    """The health of one part. `says` is a sentence for people."""

    name: Literal["database", "disk", "tutor", "change_log"]
    state: State
    says: str


class Route(BaseModel):
    """Milliseconds until an answer of this route begins, over all requests since the start."""

    method: str
    route: str
    count: int
    p50_ms: float
    p95_ms: float


class Figures(BaseModel):
    """The figures of all processes of this server since its start. `first_token_ms` is p50 and p95, null at first."""

    open_streams: int
    open_sockets: int
    running_replies: int
    replies: dict[str, int]
    first_token_ms: tuple[float, float] | None
    model_errors: dict[str, int]
    checkpoint_lag_seconds: float
    change_log_lag_seconds: float
    change_log_bytes: int
    routes: list[Route]


async def trouble_of(client: AsyncMongoClient) -> str:
    """Return a sentence on why the database accepts no writes right now, or an empty string if it does."""
    try:
        hello = await client.admin.command("hello")
    except pymongo.errors.PyMongoError as error:
        return f"The database does not answer ({type(error).__name__})."
    return "" if hello.get("isWritablePrimary") else "The database accepts no writes right now: it has no primary."


async def read_parts(components: Components, log: ChangeLogStatus | None) -> list[ComponentStatus]:
    """Return the health of every part. `log` is the change log's status, or None if no server writes one."""
    return [
        await read_database(components),
        _disk(components.disk),
        _tutor(components),
        await asyncio.to_thread(_log, components, log),
    ]


async def read_database(components: Components) -> ComponentStatus:
    """Return the database's health, and set its metric."""
    started = time.perf_counter()
    trouble = await trouble_of(components.client)
    metrics.DATABASE_UP.set(not trouble)
    if trouble:
        return ComponentStatus(name="database", state="down", says=trouble)
    ms = (time.perf_counter() - started) * 1000
    return ComponentStatus(name="database", state="ok", says=f"Accepts writes and answers within {ms:.0f} ms.")


def _disk(disk: Disk) -> ComponentStatus:
    if disk is UNWATCHED:
        return ComponentStatus(
            name="disk", state="off", says="Not watched, because this server did not start the database."
        )
    free = f"{disk.free / 1e9:.1f} GB are free"
    if disk.is_short:
        return ComponentStatus(
            name="disk", state="down", says=f"Only {free}, so nothing new is saved. Make room on the disk."
        )
    return ComponentStatus(name="disk", state="ok", says=f"{free}.")


def _tutor(components: Components) -> ComponentStatus:
    if components.tutor.is_offline:
        return ComponentStatus(
            name="tutor", state="off", says="Offline: it answers with the best passages of the tickets."
        )
    return ComponentStatus(name="tutor", state="ok", says=f"Answers come from {', '.join(components.settings.models)}.")


async def read_log_status(components: Components) -> ChangeLogStatus | None:
    """Return the last status of the change log's writer, on whichever process or server. Returns None without a log."""
    local: ChangeLogStatus = components.change_log.status
    if local.is_writing or local.alarm:
        return local
    leases = components.client.get_default_database("tutordesk")[LEASES]
    try:
        lease = await leases.find_one({"_id": CHANGE_LOG_LEASE})
    except pymongo.errors.PyMongoError:
        return local if components.settings.writes_change_log else None
    if lease:
        names = [field.name for field in fields(ChangeLogStatus)]
        return ChangeLogStatus(**{name: lease[name] for name in names if name in lease})
    return local if components.settings.writes_change_log else None


def _log(components: Components, log: ChangeLogStatus | None) -> ComponentStatus:
    if not log:
        return ComponentStatus(name="change_log", state="off", says="Off: only dumps can be restored.")
    silence = time.time() - log.written_at if log.written_at else 0.0
    if trouble := log.alarm or log.gap or log.warning:
        return ComponentStatus(name="change_log", state="warning", says=_sentence(trouble))
    if silence > MAX_SILENCE_SECONDS:
        return ComponentStatus(
            name="change_log", state="warning", says=f"The last write was {silence:.0f} seconds ago. Check the server."
        )
    return ComponentStatus(name="change_log", state="ok", says=_how_far_back(components, max(0.1, log.lag_seconds)))


def _how_far_back(components: Components, lag: float) -> str:
    sentence = f"Every change is kept, at most {lag:.1f} s behind."
    try:
        bases = list_bases(components.settings.data_dir / CHANGE_LOG_FOLDER)
    except OperatorError as error:
        return f"{sentence} {error}"
    if not bases:
        return sentence  # another server writes the log, so its bases are on that machine
    first, newest = (f"{bases[at].ts.as_datetime():%Y-%m-%d %H:%M} UTC" for at in (0, -1))
    times = first if len(bases) == 1 else f"{first} to {newest}"
    return f"{sentence} Bases to restore from: {len(bases)}, of {times}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def set_gauges(log: ChangeLogStatus | None) -> None:
    """Set the change log's metrics."""
    if log:
        metrics.CHANGE_LOG_LAG.set(log.lag_seconds)
        metrics.CHANGE_LOG_BYTES.set(log.size)
        metrics.CHANGE_LOG_ALARM.set(bool(log.alarm or log.gap))


def read_figures(components: Components, log: ChangeLogStatus | None) -> Figures:
    """Return the figures of all processes of this server."""
    snapshot = metrics.MetricsSnapshot(components.settings.workers > 1)
    tokens = snapshot.quantiles("tutordesk_first_token_seconds")
    return Figures(
        open_streams=int(snapshot.sum("tutordesk_open_streams")),
        open_sockets=int(snapshot.sum("tutordesk_open_sockets")),
        running_replies=int(snapshot.sum("tutordesk_running_replies")),
        replies=snapshot.by("tutordesk_replies_total", "status"),
        first_token_ms=tokens[0][1] if tokens else None,
        model_errors=snapshot.by("tutordesk_model_errors_total", "class"),
        checkpoint_lag_seconds=snapshot.sum("tutordesk_checkpoint_lag_seconds"),
        change_log_lag_seconds=log.lag_seconds if log else 0.0,
        change_log_bytes=log.size if log else 0,
        routes=[
            Route(method=method, route=route, count=count, p50_ms=ms[0], p95_ms=ms[1])
            for (method, route), ms, count in snapshot.quantiles("tutordesk_request_seconds", "method", "route")
        ],
    )
