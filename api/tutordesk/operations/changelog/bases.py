"""Bases: the dumps in the change log's folder that a replay begins with.

    changelog/bases/<S>-<I>/{<database>/…, oplog.bson, base.json}

base.json is written last and has the SHA-256 of every file. Bases older than a week are removed, together with the
files of the log that only they needed.
"""

import hashlib
import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Client, Spec, version
from tutordesk.operations.changelog.files import NAME, name_of, segments, ts_of
from tutordesk.operations.dumps.dump import dump_database, sync

BASE = "base.json"
DAY = 86_400
KEEP_DAYS = 7


@dataclass(frozen=True, slots=True)
class Base:
    """A base: its folder, its instant, and the content of its base.json."""

    path: Path
    ts: Timestamp
    facts: Spec


def list_bases(folder: Path) -> list[Base]:
    """Return the complete bases, oldest first. Raises OperatorError for one that cannot be read."""
    paths = sorted(path for path in (folder / "bases").glob("*") if NAME.fullmatch(path.name))
    return [Base(path, ts_of(path), _facts(path)) for path in paths if (path / BASE).is_file()]


def _facts(path: Path) -> Spec:
    try:
        facts = json.loads((path / BASE).read_text())
        if isinstance(facts, dict) and isinstance(facts["sha256"], dict):
            return facts
    except (OSError, ValueError, KeyError):
        pass
    raise OperatorError(f"{path / BASE} cannot be read.")


def make_base(client: Client, folder: Path, reason: str) -> Base:
    """Dump the database into the log's folder. Raises OperatorError, OSError, pymongo.errors.PyMongoError."""
    bases = folder / "bases"
    bases.mkdir(mode=0o700, exist_ok=True)
    part = bases / "new"
    shutil.rmtree(part, ignore_errors=True)
    at = dump_database(client, part, is_packed=True)
    sums = {str(path.relative_to(part)): _sha256(path) for path in sorted(part.rglob("*")) if path.is_file()}
    facts = {"ts": [at.time, at.inc], "server": version(client), "reason": reason, "sha256": sums}
    file = part / BASE
    file.touch(mode=0o600)
    file.write_text(json.dumps(facts, indent=1))
    sync(file)
    sync(part)
    path = bases / name_of(at)
    shutil.rmtree(path, ignore_errors=True)
    part.rename(path)
    sync(bases)
    return Base(path, at, facts)


def check_base(base: Base) -> None:
    """Raise OperatorError when a file of the base has changed since it was written."""
    for name, expected in base.facts["sha256"].items():
        path = base.path / name
        if not path.is_file() or _sha256(path) != expected:
            raise OperatorError(f"The base {base.path} is damaged: {name} is not as it was written.")


def prune(folder: Path, now: Timestamp) -> None:
    """Remove bases and files of the log that no instant of the last week needs."""
    old = [base for base in list_bases(folder) if base.ts.time <= now.time - KEEP_DAYS * DAY]
    if not old:
        return
    for base in old[:-1]:
        shutil.rmtree(base.path)
    files = segments(folder)
    for path, after in itertools.pairwise(files):
        if ts_of(after) <= old[-1].ts:
            path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
