"""Metrics, in Prometheus' form and by its own client. Each is written where the event happens.

| metric | measures | written by |
|---|---|---|
| `tutordesk_request_seconds` | time until an answer begins, by `method`, `route` (template), `status` | edge/gate |
| `tutordesk_open_streams`, `tutordesk_open_sockets` | the number right now | ground/sse, rooms/sockets |
| `tutordesk_running_replies` | the number right now | replies/run |
| `tutordesk_replies_total` | ended replies, by `status` | replies/run |
| `tutordesk_first_token_seconds` | from the question to the first token, by `model` | replies/run |
| `tutordesk_model_errors_total` | errors of models, retried ones too, by `model` and `class` | tutor/voice |
| `tutordesk_checkpoint_lag_seconds` | age of a running answer's oldest unsaved text | replies/replies |
| `tutordesk_change_log_lag_seconds`, `…_bytes`, `…_alarm` | the state of the change log | status/parts, when read |
| `tutordesk_database_up` | whether the database accepts writes | status/parts, when read |

With several workers the client keeps the figures in files of a shared folder (`shared_by_workers`). The worker that
answers adds them up.
"""

import contextlib
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.samples import Sample

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # Prometheus' client reads it
REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MODEL_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

REQUESTS = Histogram(
    "tutordesk_request_seconds", "Until an answer begins", ("method", "route", "status"), buckets=REQUEST_BUCKETS
)
OPEN_STREAMS = Gauge("tutordesk_open_streams", "Event streams that are open", multiprocess_mode="livesum")
OPEN_SOCKETS = Gauge("tutordesk_open_sockets", "Sockets of rooms that are open", multiprocess_mode="livesum")
RUNNING_REPLIES = Gauge("tutordesk_running_replies", "Answers being written", multiprocess_mode="livesum")
REPLIES = Counter("tutordesk_replies", "Answers that ended", ("status",))
FIRST_TOKEN = Histogram(
    "tutordesk_first_token_seconds", "From the question to the first token", ("model",), buckets=MODEL_BUCKETS
)
MODEL_ERRORS = Counter("tutordesk_model_errors", "Errors of models", ("model", "class"))
CHECKPOINT_LAG = Gauge(
    "tutordesk_checkpoint_lag_seconds", "Age of the oldest text that is not saved yet", multiprocess_mode="livemax"
)
CHANGE_LOG_LAG = Gauge(
    "tutordesk_change_log_lag_seconds", "How far the change log is behind", multiprocess_mode="mostrecent"
)
CHANGE_LOG_BYTES = Gauge("tutordesk_change_log_bytes", "Size of the change log", multiprocess_mode="mostrecent")
CHANGE_LOG_ALARM = Gauge(
    "tutordesk_change_log_alarm", "1 while the change log cannot be written", multiprocess_mode="mostrecent"
)
DATABASE_UP = Gauge("tutordesk_database_up", "1 while the database accepts writes", multiprocess_mode="mostrecent")


@contextlib.contextmanager
def shared_by_workers(data_dir: Path) -> Iterator[None]:
    """Let the processes that are spawned inside share their figures. Removes those that a killed server left."""
    folder = data_dir / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[FOLDER_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def forget_worker(pid: int) -> None:
    """Drop the gauges of a worker that has ended, such as its open streams. Its counters stay."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def figures(is_shared: bool) -> CollectorRegistry:
    """Return the figures of this process, or if they are shared, of all workers."""
    if not is_shared:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class MetricsSnapshot:
    """The figures of this moment, as sums and quantiles for people."""

    def __init__(self, is_shared: bool) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for family in figures(is_shared).collect():
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append(sample)

    def sum(self, name: str) -> float:
        """Return the sum of a metric over all its labels."""
        return sum(sample.value for sample in self._samples.get(name, ()))

    def by(self, name: str, label: str) -> dict[str, int]:
        """Return a metric's sums by the values of one label."""
        sums: dict[str, int] = {}
        for sample in self._samples.get(name, ()):
            sums[sample.labels[label]] = sums.get(sample.labels[label], 0) + int(sample.value)
        return sums

    def quantiles(self, name: str, *labels: str) -> list[tuple[tuple[str, ...], tuple[float, float], int]]:
        """Return p50 and p95 in milliseconds and the count of a histogram of seconds, by the values of `labels`."""
        buckets: dict[tuple[str, ...], dict[float, float]] = {}
        for sample in self._samples.get(f"{name}_bucket", ()):
            key, bound = tuple(sample.labels[label] for label in labels), float(sample.labels["le"])
            counts = buckets.setdefault(key, {})
            counts[bound] = counts.get(bound, 0) + sample.value
        return [
            (key, (_quantile(counts, 0.5) * 1000, _quantile(counts, 0.95) * 1000), int(counts[math.inf]))
            for key, counts in sorted(buckets.items())
            if counts[math.inf]
        ]


def _quantile(counts: dict[float, float], share: float) -> float:
    """Return a quantile as Prometheus does: interpolated between the bounds of its bucket."""
    rank, below, start = share * counts[math.inf], 0.0, 0.0
    for bound in sorted(counts):
        if counts[bound] >= rank:
            width = bound - start if bound < math.inf else 0.0
            return start + width * (rank - below) / (counts[bound] - below)
        below, start = counts[bound], bound
    return start
