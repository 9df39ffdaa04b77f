"""The documents are true: settings, commands, map, links and named tests are those of the code."""

import re
import subprocess
from pathlib import Path

import pytest

from testing.figures import Figure, with_section
from testing.pages import cli_page, commands, drawing, settings_page

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_settings_page_is_made_from_the_code() -> None:
    assert _page("settings.md") == settings_page()


def test_commands_page_is_made_from_the_code() -> None:
    assert _page("cli.md") == cli_page()
    for name, command in commands().items():
        assert command.help, f"{name} has no help"


def test_drawing_is_of_this_code() -> None:
    assert drawing(ROOT / "api", "tutordesk").strip() in _page("architecture.md"), "draw it again, see the page"


def test_readme_is_one_page() -> None:
    assert len(README.splitlines()) <= 110
    assert len(README.encode()) <= 7_000


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert "run" in targets
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z]+)\b", page.read_text(encoding="utf-8"))) <= targets, page


def test_map_names_existing_rooms() -> None:
    tree = README.split("## Map")[1].split("```")[1]
    names = re.findall(r"^ +(\w+(?:\.py|/))", tree, re.M)
    assert len(names) >= 10
    for name in names:
        assert (ROOT / "api" / "tutordesk" / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_exist(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_every_picture_is_shown() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert f"pictures/{picture.name})" in text, picture


def test_every_fate_of_an_answer_is_tested() -> None:
    """Every row of the table names a test that is there."""
    table = _page("guide.md").split("### What happens to an answer when…")[1].split("\n## You")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ") and not row.startswith("| … |")]
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "api" / "tests").rglob("test_*.py"))
    assert len(rows) >= 24
    for row in rows:
        named = re.search(r"\| `(test_\w+)` \|$", row)
        assert named, row
        assert f"def {named[1]}(" in tests, row


def test_no_lock_file_holds_an_address() -> None:
    packages = ROOT / "web" / "package-lock.json", ROOT / "api" / "testing" / "deploy" / "package-lock.json"
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock", *packages):
        text = lock.read_text()
        assert not re.search(r"index-url|find-links|file:/| @ http|\"resolved\"", text), lock


def test_bundle_holds_no_secret_and_no_path() -> None:
    dist = ROOT / "api" / "tutordesk" / "web"
    files = [file for file in dist.rglob("*") if file.suffix in (".js", ".css", ".html")]
    assert {file.suffix for file in files} == {".js", ".css", ".html"}, "the client is not built: make setup"
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"API_KEY|SECRET_KEY|sourceMappingURL", text), file
        assert str(ROOT) not in text, file


def test_every_module_says_what_it_is_for() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "api/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = listed.split()
    assert len(files) > 200
    for file in files:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not text or text.startswith('"""'), file


def test_figures_page_has_a_section_for_each_group() -> None:
    groups = re.findall(r'^    "(\w+)": "', (ROOT / "api/benchmarks/__main__.py").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"^## (\w+)$", _page("figures.md"), re.MULTILINE) == groups


def test_measured_group_replaces_only_its_own_section() -> None:
    page = "# Figures\n\nIntroduction.\n\n## a\n\nold\n\n## ab\n\nkept\n"
    page = with_section(page, "a", [Figure("time", 2.0, "ms", limit=1.0)])
    assert "old" not in page
    assert page.endswith("\n## ab\n\nkept\n")
    assert "\n## a\n\n| figure | measured | limit | |\n|---|---|---|---|\n| time | 2.0 ms | ≤ 1 ms | MISSED |\n" in page
    page = with_section(page, "c", [Figure("count", 0, digits=0)])
    assert page.index("## ab") < page.index("## c")
