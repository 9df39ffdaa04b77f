"""The wheel holds the package and the built client, and it serves in an environment with the locked libraries only."""

import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from testing.deploy.compose import ROOT
from testing.processes import Serving
from testing.steps import ask, text_of

CLIENT = ROOT / "api" / "tutordesk" / "web"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert (CLIENT / "index.html").exists(), "`make test` builds the client"
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tutordesk` from the wheel, in an environment of its own."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    _link_locked_libraries(packages)
    install = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*install, "--no-index", "--no-deps", str(wheel)], check=True, capture_output=True)
    return folder / "bin" / "tutordesk"


def _link_locked_libraries(packages: Path) -> None:
    """Link what requirements.lock names from this environment, which has it with the same hashes."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in re.findall(r"^([\w.-]+)(?:\[.*\])?==", lock, re.M):
        for path in _top_level_paths(name):
            if not (link := packages / path.name).exists():
                link.symlink_to(path)


def _top_level_paths(name: str) -> Iterator[Path]:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:  # for another system, by its marker
        return
    for top in sorted({file.parts[0] for file in files} - {"..", "__pycache__"}):
        yield Path(str(distribution(name).locate_file(top)))


def test_wheel_holds_the_package_and_the_client_only(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not re.match(r"tutordesk-[^/]+\.dist-info/", name)}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "tutordesk"]
    sources = subprocess.run(command, cwd=ROOT / "api", capture_output=True, text=True, check=True).stdout.split("\n")
    client = {str(file.relative_to(ROOT / "api")) for file in CLIENT.rglob("*") if file.is_file()}
    assert names == {name for name in sources if name} | client


async def test_installed_wheel_serves_the_page_and_answers(program: Path, tmp_path: Path) -> None:
    server = Serving(tmp_path / "data")
    server.command = [str(program)]
    await server.start()
    try:
        async with server.client() as client:
            page = await client.get("/", headers={"Accept": "text/html"})
            assert page.status_code == 200
            scripts = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page.text)
            assert scripts
            for script in scripts:
                assert (await client.get(script)).status_code == 200
            events = await ask(client, "How do I undo a commit in git?")
            assert events[-2].data["status"] == "complete"
            assert text_of(events) == events[-2].data["content"] != ""
    finally:
        await server.end()
