"""What is counted and measured, in Prometheus' form, by its own client. Each is written where it happens.

| metric | is | written by |
|---|---|---|
| `tutordesk_request_seconds` | until an answer begins, by `method`, `route` (template), `status` | the gate |
| `tutordesk_open_streams`, `tutordesk_open_sockets` | just now | replies/stream, rooms/sockets |
| `tutordesk_running_replies` | just now | replies/runs |
| `tutordesk_replies_total` | that ended, by `status` | replies/runs |
| `tutordesk_first_token_seconds` | from the question to the first token, by `model` | replies/runs |
| `tutordesk_model_errors_total` | of a model, by `model` and `class`; tries that were repeated too | the tutor |
| `tutordesk_checkpoint_lag_seconds` | age of the oldest text of a running answer that is not saved | the keeper |
| `tutordesk_change_log_lag_seconds`, `…_bytes`, `…_alarm` | of the change log | asked for when read |
| `tutordesk_database_up` | whether the database takes writes | asked for when read |

With several workers the client keeps the figures in files of a folder that all share (`shared_by_workers`), and
whichever worker is asked adds them up.
"""

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.samples import Sample

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the client's own name for it
QUICK = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
PATIENT = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

REQUESTS = Histogram(
    "tutordesk_request_seconds", "Until an answer begins", ("method", "route", "status"), buckets=QUICK
)
OPEN_STREAMS = Gauge("tutordesk_open_streams", "Event streams that are open", multiprocess_mode="livesum")
OPEN_SOCKETS = Gauge("tutordesk_open_sockets", "Sockets of rooms that are open", multiprocess_mode="livesum")
RUNNING_REPLIES = Gauge("tutordesk_running_replies", "Answers being written", multiprocess_mode="livesum")
REPLIES = Counter("tutordesk_replies", "Answers that ended", ("status",))
FIRST_TOKEN = Histogram(
    "tutordesk_first_token_seconds", "From the question to the first token", ("model",), buckets=PATIENT
)
MODEL_ERRORS = Counter("tutordesk_model_errors", "What models did wrong", ("model", "class"))
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
DATABASE_UP = Gauge("tutordesk_database_up", "1 while the database takes writes", multiprocess_mode="mostrecent")


@contextlib.contextmanager
def shared_by_workers() -> Iterator[None]:
    """Let the processes that are spawned meanwhile share their figures."""
    with tempfile.TemporaryDirectory(prefix="tutordesk-metrics-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def forget_worker(pid: int) -> None:
    """What a worker that has ended had open is no longer open. Its counts stay."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def figures(is_shared: bool) -> CollectorRegistry:
    """Of this process, or of all workers."""
    if not is_shared:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class MetricsSnapshot:
    """The figures of now, for people: sums and quantiles."""

    def __init__(self, is_shared: bool) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for family in figures(is_shared).collect():
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append(sample)

    def sum(self, name: str) -> float:
        return sum(sample.value for sample in self._samples.get(name, ()))

    def by(self, name: str, label: str) -> dict[str, int]:
        """Sums by the values of one label."""
        sums: dict[str, int] = {}
        for sample in self._samples.get(name, ()):
            sums[sample.labels[label]] = sums.get(sample.labels[label], 0) + int(sample.value)
        return sums

    def quantiles(self, name: str, *labels: str) -> list[tuple[tuple[str, ...], tuple[float, float], int]]:
        """Of a histogram of seconds, by the values of `labels`: p50 and p95 in milliseconds, and how many."""
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
    """As Prometheus reckons it: on a straight line between the bounds of the bucket that it falls in."""
    wanted, below, start = share * counts[math.inf], 0.0, 0.0
    for bound in sorted(counts):
        if counts[bound] >= wanted:
            width = bound - start if bound < math.inf else 0.0
            return start + width * (wanted - below) / (counts[bound] - below)
        below, start = counts[bound], bound
    return start
