"""Makes what comes from the code: pages of `docs/`, the drawing of the imports, and the client's rules for text.

`python -m testing.pages` writes `settings.md`, `cli.md`, the newer drawing of `architecture.md`, and `TEXT_RULES`.
`python -m testing.pages drawing FOLDER PACKAGE` prints the imports between the top rooms of any package as a Mermaid
graph.
"""

import ast
import re
import sys
from pathlib import Path
from typing import Any

import typer

from tutordesk.cli.main import app
from tutordesk.ground.settings import Settings
from tutordesk.ground.words import DECORATION, STROKES, UNSPACED
from tutordesk.rooms.mentions import AFTER, BEFORE

DOCS = Path(__file__).parents[2] / "docs"
TEXT_RULES = DOCS.parent / "web" / "src" / "lib" / "text" / "rules.ts"


def settings_page() -> str:
    """Return the page of all settings, from the fields of `Settings`."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f" Default: `{field.default}`."
        rows.append(f"| `{variable_of(name)}` | {field.description}{default} |")
    return "\n".join(
        [
            "# Settings",
            "",
            "Set them in the environment or in `.env`. The server refuses a bad one at its start and names it.",
            "`python -m testing.pages` in `api/` makes this page from the code.",
            "",
            "| setting | meaning |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def variable_of(name: str) -> str:
    """Return the environment variable of a field of `Settings`."""
    alias = Settings.model_fields[name].validation_alias
    choices = getattr(alias, "choices", None)
    return str(choices[0] if choices else alias or f"TUTORDESK_{name.upper()}")


def cli_page() -> str:
    """Return the page of all commands, from their help."""
    parts = [
        "# Commands",
        "",
        "`.venv/bin/tutordesk` is the server and all its tools.",
        "`python -m testing.pages` in `api/` makes this page from the code.",
    ]
    for name, command in commands().items():
        parts += ["", f"## `tutordesk {name}`", "", " ".join((command.help or "").split())]
        options = [parameter for parameter in command.params if parameter.name != "help"]
        if options:
            parts += ["", "| argument | meaning |", "|---|---|"]
            parts += [f"| `{_spelling(option)}` | {_meaning(option)} |" for option in options]
    return "\n".join([*parts, ""])


def commands() -> dict[str, Any]:
    """Return every command by its full name, such as `log show`."""
    group: Any = typer.main.get_command(app)
    named: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", {})
        named |= {f"{name} {part}": child for part, child in inner.items()} or {name: command}
    return named


def _spelling(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    return parameter.name.upper() if is_argument else ", ".join([*parameter.opts, *parameter.secondary_opts])


def _meaning(parameter: Any) -> str:
    return " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")


def text_rules() -> str:
    """Return the client's module with the patterns that it shares with the server."""
    patterns = {"UNSPACED": UNSPACED, "DECORATION": DECORATION, "BEFORE_MENTION": BEFORE, "AFTER_MENTION": AFTER}
    return "\n".join(
        [
            "// What the client shares with the server's ground/words.py and rooms/mentions.py, made from them by",
            "// `python -m testing.pages`. `UNSPACED` is the inside of a class of letters, the others are patterns.",
            *(f"export const {name} = String.raw`{pattern}`;" for name, pattern in patterns.items()),
            "export const STROKES: Record<string, string> = {",
            *(f'  {letter}: "{plain}",' for letter, plain in STROKES.items()),
            "};",
            "",
        ]
    )


def drawing(folder: Path, package: str) -> str:
    """Return the imports between the rooms on a package's top floor, as a Mermaid graph. Tests are no rooms."""
    top = folder / package
    rooms = {path.stem for path in top.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    rooms -= {"__init__", "__main__", "tests", "benchmarks"}
    arrows: set[tuple[str, str]] = set()
    for file in top.rglob("*.py"):
        room = file.relative_to(top).parts[0].removesuffix(".py")
        targets = {name.split(".")[1] for name in _imports(file) if name.startswith(f"{package}.")}
        arrows |= {(room, target) for target in targets & rooms - {room} if room in rooms}
    used = {room for arrow in arrows for room in arrow}
    title = f"%% {len(used)} rooms, {len(arrows)} arrows"
    return "\n".join(["graph TD", f"  {title}", *(f"  {room} --> {target}" for room, target in sorted(arrows)), ""])


def _imports(file: Path) -> set[str]:
    """Return the full names that a file imports, of `from a import b` also `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


if __name__ == "__main__":
    if sys.argv[1:2] == ["drawing"]:
        sys.stdout.write(drawing(Path(sys.argv[2]), sys.argv[3]))
    else:
        (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
        (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
        TEXT_RULES.write_text(text_rules(), encoding="utf-8")
        page = (DOCS / "architecture.md").read_text(encoding="utf-8")
        drawn = f"```mermaid\n{drawing(DOCS.parent / 'api', 'tutordesk')}```"
        (DOCS / "architecture.md").write_text(re.sub(r"```mermaid.*?```", drawn, page, count=1, flags=re.S), "utf-8")
