"""A figure and its limit, and the Markdown table of all of them. What is measured lies in the other modules."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """`limit` is the most that is allowed, in the same unit; without one the figure is only told."""

    name: str
    value: float
    unit: str = ""
    limit: float | None = None
    digits: int = 1

    @property
    def is_missed(self) -> bool:
        return self.limit is not None and self.value > self.limit

    def row(self) -> str:
        limit = "" if self.limit is None else f"≤ {self.limit:g} {self.unit}".rstrip()
        verdict = "" if self.limit is None else "MISSED" if self.is_missed else "ok"
        value = f"{self.value:.{self.digits}f} {self.unit}".rstrip()
        return f"| {self.name} | {value} | {limit} | {verdict} |"


def table(figures: Sequence[Figure]) -> str:
    rows = ["| figure | measured | limit | |", "|---|---|---|---|", *(figure.row() for figure in figures)]
    return "\n".join(rows)


def machine() -> str:
    """The processor, cores, Python and date, in one line."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].partition(":")[2].strip() if names else platform.machine()
    today = datetime.now(UTC).date().isoformat()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {today}"
