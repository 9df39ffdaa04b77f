"""The README is true: its settings, commands, map and documents are those of the code."""

import re
import subprocess
from pathlib import Path
from typing import Any

import typer

from tutordesk.cli.main import app
from tutordesk.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    choices = getattr(alias, "choices", None)
    return str(choices[0] if choices else alias or f"TUTORDESK_{name.upper()}")


def test_every_setting_is_listed_as_it_is() -> None:
    """D7: the table is made from the class, so that neither can drift."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|$", README, re.M))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f" Default: `{field.default}`."
        expected[_variable(name)] = f"{field.description}{default}"
    assert rows == expected


def test_every_command_is_listed() -> None:
    group = typer.main.get_command(app)
    commands: dict[str, Any] = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        commands |= {f"{name} {part}": one for part, one in getattr(command, "commands", {}).items()} or {name: command}
    rows = "\n".join(re.findall(r"^\| (`tutordesk .*?`) \|", README, re.M))
    listed = re.findall(r"`tutordesk ([\w-]+(?: [a-z][\w-]*)?)([^`]*)`", rows)
    assert sorted(name for name, _ in listed) == sorted(commands)
    for name, options in listed:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(options.split()) <= known


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`?make ([a-z]+)\b", README)) <= targets


def test_map_names_what_is_there() -> None:
    tree = README.split("## Map")[1].split("```")[1]
    for name in re.findall(r"^ +(\w+(?:\.py|/))", tree, re.M):
        assert (ROOT / "api" / "tutordesk" / name).exists(), name
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_what_happens_to_an_answer_is_tested() -> None:
    """Every row of the table names a test that is there."""
    table = README.split("### What happens to an answer when…")[1].split("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ") and not row.startswith("| … |")]
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "api" / "tests").rglob("test_*.py"))
    assert len(rows) >= 24
    for row in rows:
        named = re.search(r"\| `(test_\w+)` \|$", row)
        assert named, row
        assert f"def {named[1]}(" in tests, row


def test_no_lock_file_holds_an_address() -> None:
    packages = ROOT / "web" / "package-lock.json", ROOT / "api" / "tests" / "deploy" / "package-lock.json"
    for lock in (*ROOT.glob("requirements*.lock"), *packages):
        text = lock.read_text()
        assert not re.search(r"index-url|find-links|file:/| @ http|\"resolved\"", text), lock


def test_bundle_holds_no_secret_and_no_path() -> None:
    """S-33."""
    dist = ROOT / "api" / "tutordesk" / "web"
    for file in (file for file in dist.rglob("*") if file.suffix in (".js", ".css", ".html")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"API_KEY|SECRET_KEY|sourceMappingURL", text), file
        assert str(ROOT) not in text, file


def test_every_module_says_what_it_is_for() -> None:
    files = subprocess.run(["git", "ls-files", "api/*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for file in files.split():
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not text or text.startswith('"""'), file
