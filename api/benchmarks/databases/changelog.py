"""Measures the change log: lag and CPU at 1,000 writes a second, replay, dump and restore.

The lag is from an entry's time in MongoDB's oplog to its record being on the disk, seen by polling the file's size
every 5 ms. Dump and restore are of 500 MB; the restore is with its checks, and indexes are built.
"""

import contextlib
import time
from datetime import UTC
from pathlib import Path
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern

from benchmarks.harness import cpu_ns, running_database, running_helper
from testing.figures import Figure
from tutordesk.operations.catalog import RAW
from tutordesk.operations.changelog.bases import list_bases
from tutordesk.operations.changelog.files import segments
from tutordesk.operations.changelog.records import ADDED, Damage, scan
from tutordesk.operations.dumps.dump import dump_database
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.restores.restore import restore
from tutordesk.operations.restores.rewind import rewind_to

PER_SECOND, SECONDS = 1_000, 15
MEGABYTES, DOCUMENT_BYTES = 500, 1_000
MB = 1_000_000


def measure(folder: Path) -> list[Figure]:
    with running_database(folder / "database") as url:
        return [*_lag_and_replay(folder, url), *_dump_and_restore(folder, url)]


def _lag_and_replay(folder: Path, url: str) -> list[Figure]:
    log = folder / "log"
    with pymongo.MongoClient[Any](url) as client, running_helper("databases.log_writer", url, str(log)) as writer:
        database = client["tutordesk"]
        database["tickets"].insert_many({"_id": number, "n": 0, "text": "x" * 300} for number in range(5_000))
        while not list_bases(log):
            time.sleep(0.05)
        time.sleep(2)
        tickets = database.get_collection("tickets", write_concern=WriteConcern(w=1))
        used, started, lags = cpu_ns(writer.pid), time.monotonic(), _Lags(segments(log)[0])
        for tick in range(SECONDS * 100):
            for number in range(PER_SECOND // 100):
                place = (tick * 7 + number) % 5_000
                tickets.update_one({"_id": place}, {"$set": {"n": tick}, "$push": {"rows": tick}})
            while time.monotonic() < started + tick / 100:
                lags.look()
                time.sleep(0.005)
            lags.look()
        seconds = time.monotonic() - started
        share = (cpu_ns(writer.pid) - used) / 1e9 / seconds
        time.sleep(1)
    with pymongo.MongoClient[Any](url) as client:
        dump, rewind = rewind_to(log, "tutordesk", None)
        plain = restore(client, dump, "plain", None, lambda step, total, done: None)
        again = restore(client, open_dump(dump.folder, ""), "back", None, lambda step, total, done: None, rewind)
    replay = again.operations / max(0.001, again.seconds - plain.seconds)
    return [
        Figure(f"change log: lag at {SECONDS * PER_SECOND / seconds:,.0f} writes/s, p99", lags.p99(), "s", 1, 3),
        Figure("change log: CPU meanwhile", share * 100, "% of a core", 10),
        Figure("change log: replay, time of 10,000 operations", 10_000 / replay, "s", 1, 2),
    ]


class _Lags:
    """Compares the times in a file's records with the times when they appeared on the disk."""

    def __init__(self, file: Path) -> None:
        self._file, self._offset, self._lags = file, file.stat().st_size, list[float]()

    def look(self) -> None:
        if (size := self._file.stat().st_size) == self._offset:
            return
        now = time.time()
        with self._file.open("rb") as file:
            file.seek(self._offset)
            data = file.read(size - self._offset)
        base = self._offset
        with contextlib.suppress(Damage):  # the end of what is being written just now
            for start, entry, _ in scan(data, None):
                self._offset = base + start + len(entry) + ADDED
                record = RawBSONDocument(entry, RAW)
                if "wall" in record:
                    self._lags.append(now - record["wall"].replace(tzinfo=UTC).timestamp())

    def p99(self) -> float:
        return sorted(self._lags)[int(len(self._lags) * 0.99)]


def _dump_and_restore(folder: Path, url: str) -> list[Figure]:
    with pymongo.MongoClient[Any](url.replace("/tutordesk?", "/large?")) as client:
        rows = client["large"]["tickets"]
        for first in range(0, MEGABYTES * MB // DOCUMENT_BYTES, 10_000):
            batch = ({"_id": first + n, "n": n, "text": f"{first + n} " * (DOCUMENT_BYTES // 8)} for n in range(10_000))
            rows.insert_many(batch, ordered=False)
        rows.create_index([("n", 1)])
        size = client["large"].command("dbStats")["dataSize"] / MB
        started = time.monotonic()
        dump_database(client, folder / "dump")
        dumped = size / (time.monotonic() - started)
        dump = open_dump(folder / "dump", "large")
        restored = size / restore(client, dump, "copy", None, lambda step, total, done: None).seconds
    return [
        Figure(f"dump of {size:.0f} MB: time of 87 MB ({dumped:.0f} MB/s)", 87 / dumped, "s", 1, 2),
        Figure(
            f"restore of {size:.0f} MB with its checks: time of 40 MB ({restored:.0f} MB/s)", 40 / restored, "s", 1, 2
        ),
    ]
