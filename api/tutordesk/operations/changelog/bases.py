"""The dumps in the change log's folder that its replay begins with.

    changelog/bases/<S>-<I>/{<database>/…, oplog.bson, base.json}

One is made when there is none, after a gap, and after a day; those older than a week are removed with the
files of the log that only they needed. base.json is written last and holds the SHA-256 of every file.
"""

import hashlib
import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson import Timestamp

from tutordesk.ground.operator_error import OperatorError
from tutordesk.operations.catalog import Client, version
from tutordesk.operations.changelog.files import NAME, name_of, segments, ts_of
from tutordesk.operations.dumps.dump import dump_database, sync

BASE = "base.json"
DAY = 86_400
KEEP_DAYS = 7


@dataclass(frozen=True, slots=True)
class Base:
    path: Path
    ts: Timestamp
    facts: dict[str, Any]


def list_bases(folder: Path) -> list[Base]:
    """The whole ones, the oldest first."""
    found = sorted(path for path in (folder / "bases").glob("*") if NAME.fullmatch(path.name))
    return [Base(path, ts_of(path), _facts(path)) for path in found if (path / BASE).is_file()]


def _facts(path: Path) -> dict[str, Any]:
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
    fresh = bases / "new"
    shutil.rmtree(fresh, ignore_errors=True)
    at = dump_database(client, fresh, is_packed=True)
    sums = {str(path.relative_to(fresh)): _sha256(path) for path in sorted(fresh.rglob("*")) if path.is_file()}
    facts = {"ts": [at.time, at.inc], "server": version(client), "reason": reason, "sha256": sums}
    file = fresh / BASE
    file.touch(mode=0o600)
    file.write_text(json.dumps(facts, indent=1))
    sync(file)
    sync(fresh)
    path = bases / name_of(at)
    shutil.rmtree(path, ignore_errors=True)
    fresh.rename(path)
    sync(bases)
    return Base(path, at, facts)


def check_base(base: Base) -> None:
    """Raises OperatorError when a file of it is not as it was written."""
    for name, expected in base.facts["sha256"].items():
        path = base.path / name
        if not path.is_file() or _sha256(path) != expected:
            raise OperatorError(f"The base {base.path} is damaged: {name} is not as it was written.")


def prune(folder: Path, now: Timestamp) -> None:
    """Remove what is not needed to reach any instant of the last week."""
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
