"""Figures with their limits, and the page that shows them: docs/figures.md, one section for each group.

The other modules measure. A section stays unchanged until its group is measured again, so each one names its date.
"""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. `limit`: the most that is allowed, in the same unit; None: it is only shown."""

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
    """Return the figures as a Markdown table."""
    rows = ["| figure | measured | limit | |", "|---|---|---|---|", *(figure.row() for figure in figures)]
    return "\n".join(rows)


def machine() -> str:
    """Return the processor, cores, system, Python and date, in one line."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].partition(":")[2].strip() if names else platform.machine()
    today = datetime.now(UTC).date().isoformat()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {today}"


def with_section(page: str, group: str, figures: Sequence[Figure]) -> str:
    """Return the page with the group's section replaced, or appended if it has none."""
    section = f"## {group}\n\n{table(figures)}\n\nMeasured on {machine()}.\n"
    pattern = re.compile(rf"^## {re.escape(group)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    if pattern.search(page):
        return pattern.sub(lambda _: f"{section}\n", page).rstrip("\n") + "\n"
    return f"{page.rstrip()}\n\n{section}"
