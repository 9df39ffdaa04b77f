"""The commands of the documents are true: those for one machine are run in order, those for containers checked."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from testing.deploy.compose import PASSWORDS, ROOT, compose_config
from testing.processes import free_port
from tutordesk.cli.main import app
from tutordesk.operations.dumps.opening import open_dump

DOCUMENTS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))}
TEXT = DOCUMENTS["operating.md"]
LOCAL, CONTAINERS = TEXT.split("\n## In containers\n")
BASE_IS_MADE = "until tutordesk log bases | grep -q :; do sleep 0.2; done"
END_SERVER = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"  # it would hold the pipes open
COMMANDS: Any = typer.main.get_command(app)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


@contextlib.contextmanager
def running(script: str, folder: Path, zone: str) -> Iterator[subprocess.Popen[str]]:
    """bash in a session of its own, all of which is ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MONGODB_", "TUTORDESK_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}
    environment |= {"TZ": zone, "TUTORDESK_DATA_DIR": str(folder / "data"), "TUTORDESK_MODEL": "offline"}
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", f"{END_SERVER}\n{script}"],
        cwd=folder,
        env=environment | {"TUTORDESK_PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


def test_commands_of_every_document_are_checked() -> None:
    """A new document with commands gets its check here. Those of contributing.md change the checkout itself."""
    assert {name for name, text in DOCUMENTS.items() if blocks(text)} == {"operating.md", "api.md", "contributing.md"}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_commands_for_one_machine_do_what_the_pages_say(zone: str, tmp_path: Path) -> None:
    """In every time zone, and each time that is printed is UTC or names its zone."""
    first, *rest = blocks(LOCAL)
    stop = next(place for place, block in enumerate(rest) if block.startswith('kill "$server"'))
    steps = [first, BASE_IS_MADE, *rest[:stop], *blocks(DOCUMENTS["api.md"]), *rest[stop:]]
    script = "\n".join(steps).replace("127.0.0.1:8000", "127.0.0.1:$TUTORDESK_PORT")
    with running(script, tmp_path, zone) as process:
        said, wrong = process.communicate(timeout=300)
    assert process.returncode == 0, said + wrong
    in_order = [
        "30 sample tickets added.",
        "backups/monday: the database at 20",
        '{"status":"live"}',
        '{"status":"ready"}',
    ]
    in_order += ['"name":"database","state":"ok"', "\ntutordesk_database_up 1.0\n", "insert   tickets"]
    in_order += ["30 sample tickets added.", "tickets: 0 would appear, 0 change, 30 vanish", "operations replayed"]
    in_order += ["It is whole.", "rehearsal: ", " documents restored", "tutordesk: ", "before-upgrade: the database at"]
    at = 0
    for sentence in in_order:
        assert sentence in said[at:], said
        at = said.index(sentence, at) + len(sentence)
    assert said.count("Tutordesk is ready on ") == 3
    upgraded = open_dump(tmp_path / "backups" / "before-upgrade", "tutordesk")
    upgraded.check()
    assert upgraded.tallies["tickets"].count == 30
    assert len(re.findall(r"^ +\d+  20\S+ .*$", said, re.M)) >= 2  # the migrations, applied
    moments = re.findall(
        r"(20\d\d-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?( UTC|Z|\+00:00)?(?! \w{3,4}\b)", said + wrong
    )
    assert len(moments) > 20
    for day, time, utc in moments:
        assert utc, f"{day} {time} names no zone"
        passed = datetime.now(UTC) - datetime.fromisoformat(f"{day}T{time}+00:00")
        assert timedelta(minutes=-1) < passed < timedelta(hours=1), f"{day} {time}"  # samples are half an hour old


@pytest.mark.parametrize("block", blocks(CONTAINERS))
def test_commands_for_containers_name_existing_services(block: str, services: Any) -> None:
    assert subprocess.run(["bash", "-n"], input=block, text=True).returncode == 0
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] != ["docker", "compose"]:
            continue
        named = [word.split(":")[0] for word in words[3:] if word.split(":")[0] in services]
        assert named or words[2] == "up", line
        if "tutordesk" in words[4:]:
            name, *arguments = words[words.index("tutordesk", 4) + 1 :]
            known = {option for parameter in COMMANDS.commands[name].params for option in parameter.opts}
            assert {word for word in arguments if word.startswith("--")} <= known, line


def test_passwords_made_by_the_page_are_accepted(tmp_path: Path) -> None:
    lines = [line for line in "\n".join(blocks(CONTAINERS)).splitlines() if ">>.env" in line]
    subprocess.run(["bash", "-euc", "\n".join(lines)], cwd=tmp_path, check=True)
    written = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    assert set(PASSWORDS) < set(written)
    assert all(re.fullmatch(r"[0-9a-f]{48}", written[name]) for name in PASSWORDS)
    said = compose_config(**written)
    assert said.returncode == 0, said.stderr
    assert "0.0.0.0:443:8443" in said.stdout


def test_every_variable_of_compose_is_documented() -> None:
    """Those that are no settings of the server are in the document's table."""
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    variables = {name for name in used - set(PASSWORDS) if f"| `{name}` |" not in settings}
    table = "\n".join(re.findall(r"^\| (`[A-Z].*?) \|", CONTAINERS, re.M))
    assert variables == set(re.findall(r"`([A-Z_]+)`", table))
