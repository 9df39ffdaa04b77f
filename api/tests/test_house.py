"""The house keeps its rules: where FastAPI and the app's state are touched, and that two apps live in one process."""

import ast
import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from testing.fake_gemini import FakeModels
from testing.serving import JSON, make_settings, serving
from testing.steps import ask, text_of
from tutordesk.ground.database import field_name
from tutordesk.identity.counts import Count
from tutordesk.main import create_app
from tutordesk.operations import names
from tutordesk.replies.liveness import Owner
from tutordesk.replies.models import Reply
from tutordesk.rooms.relay.bus import RoomSignal

PACKAGE = Path(__file__).parents[1] / "tutordesk"
FILES = sorted(PACKAGE.rglob("*.py"))
MEETS_FASTAPI = {"routes", "access", "sockets", "errors", "main"}
HOLDS_STATE = {"access", "main"}


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_fastapi_and_state_have_their_places(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.stem not in MEETS_FASTAPI and _room(file) != "edge":
        assert not re.search(r"^ *(?:from|import) fastapi", text, re.M)
    if file.stem not in HOLDS_STATE and _room(file) not in ("edge", "serving"):
        assert "app.state" not in text


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_module_variable_changes(file: Path) -> None:
    """No function declares a global, and no module holds an empty container that something would fill."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            assert value.func.id not in ("dict", "list", "set", "WeakValueDictionary"), ast.unparse(statement)
        assert not (isinstance(value, ast.Dict) and not value.keys), ast.unparse(statement)
        assert not (isinstance(value, ast.List | ast.Set) and not value.elts), ast.unparse(statement)


def test_operations_name_the_collections_that_documents_have() -> None:
    assert Owner.Settings.name == names.OWNERS
    assert RoomSignal.Settings.name == names.ROOM_SIGNALS
    assert Reply.Settings.name == names.REPLIES
    assert Count.Settings.name == names.COUNTS
    assert field_name(Reply, lambda reply: reply.parts) == names.REPLY_PARTS


def test_field_that_a_model_lacks_is_refused() -> None:
    with pytest.raises(AttributeError, match="Reply has no field collection"):
        field_name(Reply, lambda reply: reply.collection)  # type: ignore[attr-defined]


async def test_two_apps_live_in_one_process(mongod_url: str, fake: FakeModels, tmp_path: Path) -> None:
    """Each writes its own answers, and the second continues when the first has ended. They share one database."""
    first, second = (_app(mongod_url, fake, tmp_path / name) for name in ("first", "second"))
    ends = asyncio.Event()

    async def live_until_then(app: FastAPI, started: asyncio.Future[str]) -> None:
        async with serving(app) as url:
            started.set_result(url)
            await ends.wait()

    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    living = asyncio.create_task(live_until_then(first, started))
    first_url = await started
    async with serving(second) as second_url:
        for url in (first_url, second_url):
            assert await _answer(url) == fake.text
        assert len(first.state.replies.running) == len(second.state.replies.running) == 1
        ends.set()
        await living
        assert await _answer(second_url) == fake.text


async def _answer(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, headers=JSON, timeout=20) as visitor:
        return text_of(await ask(visitor, "Why?"))


def _app(mongod_url: str, fake: FakeModels, data_dir: Path) -> FastAPI:
    settings = make_settings(
        data_dir,
        MONGODB_URL=mongod_url.replace("/tutordesk?", "/two_apps?"),
        model="gemini:fake",
        GEMINI_API_KEY="test-key-of-gemini",
        GEMINI_BASE_URL=fake.url,
    )
    return create_app(settings)
