"""Finds what a restore to an instant needs: a base before it, and the whole log from there on.

Refuses an instant before the first base, inside a gap, or after the log's end, and a damaged log or base: a state that
is not known exactly is never built.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.changelog.bases import check_base, list_bases
from tutordesk.operations.changelog.reading import Record, read_log
from tutordesk.operations.changelog.records import MARK, mark_of
from tutordesk.operations.dumps.opening import open_dump
from tutordesk.operations.dumps.reader import Dump
from tutordesk.operations.instants import Instant, show


@dataclass(frozen=True, slots=True)
class Rewind:
    """The log of `folder` from `after`, the instant of the base, to `until`, or to its end."""

    folder: Path
    after: Timestamp
    until: Instant | None = None

    def records(self) -> Iterator[Record]:
        """Yield the records to replay. Raises OperatorError where the log is not known to be complete."""
        last = self.after
        for record in read_log(self.folder, self.after):
            mark = mark_of(record.document)
            if mark and mark[MARK] == "gap" and (not self.until or self.until.latest() > mark["since"]):
                raise OperatorError(
                    f"The change log has a gap from {show(mark['since'])} to {show(mark['to'])} ({mark['reason']}), "
                    "so nothing in it and behind it is known until the next base."
                )
            if self.until and not self.until.is_after(record.document):
                return
            last = record.ts
            yield record
        if self.until and self.until.earliest() > last:
            raise OperatorError(f"The change log ends at {show(last)}; what was at {self.until} is not known.")

    def check(self) -> int:
        """Read all records before anything is built. Returns their number. Raises OperatorError."""
        return sum(1 for _ in self.records())


def rewind_to(folder: Path, database: str, until: Instant | None) -> tuple[Dump, Rewind]:
    """Return the newest base before the instant, and the log to replay on it. Raises OperatorError."""
    bases = list_bases(folder)
    if not bases:
        raise OperatorError(f"There is no base in {folder} to begin with.")
    earlier = [base for base in bases if not until or base.ts <= until.earliest()]
    if not earlier:
        raise OperatorError(f"The first base is of {show(bases[0].ts)}; what was at {until} is not known.")
    check_base(earlier[-1])
    return open_dump(earlier[-1].path, database), Rewind(folder, earlier[-1].ts, until)


def rewind_from(dump: Dump, folder: Path, until: Instant) -> Rewind:
    """Return the log to replay on a dump that is no base of it. Raises OperatorError."""
    at = dump.at()
    if not at:
        raise OperatorError(
            "The dump does not tell its instant, as those of `tutordesk dump` do; no log can follow on it."
        )
    if at > until.earliest():
        raise OperatorError(f"The dump is of {show(at)}, which is after {until}.")
    return Rewind(folder, at, until)
