"""docs/operating.md is true: its commands for one machine are run, in their order; those for containers checked."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from testing.deploy.compose import PASSWORDS, ROOT, compose_config
from testing.processes import free_port
from tutordesk.cli.main import app
from tutordesk.operations.dumps.opening import open_dump

TEXT = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
LOCAL, CONTAINERS = TEXT.split("\n## In containers\n")
BASE_IS_MADE = "until tutordesk log bases | grep -q :; do sleep 0.2; done"
COMMANDS: Any = typer.main.get_command(app)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


@contextlib.contextmanager
def running(script: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """bash in a session of its own, all of which is ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MONGODB_", "TUTORDESK_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}
    environment |= {"TUTORDESK_DATA_DIR": str(folder / "data"), "TUTORDESK_MODEL": "offline"}
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
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


def test_commands_for_one_machine_do_what_the_page_says(tmp_path: Path) -> None:
    first, *rest = blocks(LOCAL)
    script = "\n".join([first, BASE_IS_MADE, *rest]).replace("127.0.0.1:8000", "127.0.0.1:$TUTORDESK_PORT")
    with running(script, tmp_path) as process:
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
