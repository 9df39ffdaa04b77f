"""Background work survives: every loop of the server is broken once and continues, and nothing else starts tasks."""

import ast
import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pymongo.errors
import pytest

from testing.serving import make_settings, serving
from testing.steps import until
from tutordesk.ground.background import Background, LoopThread, start_thread
from tutordesk.main import create_app
from tutordesk.operations.embedded.mongod import find_mongod, running_mongod, start_mongod

PACKAGE = Path(__file__).parents[2] / "tutordesk"
FILES = sorted(PACKAGE.rglob("*.py"))
# Ollama awaits its task in the function that starts it, and the tutor must not know MongoDB, as background.py does.
STARTS_TASKS = {"ground/background.py", "tutor/providers/ollama.py"}
STARTERS = {"create_task", "ensure_future", "Thread", "TaskGroup", "Timer"}
FAILURES = [
    pymongo.errors.AutoReconnect("away"),
    OSError("disk"),
    KeyError("a bug"),
    asyncio.CancelledError(),
    ExceptionGroup("several", [ValueError("a bug")]),
]


def _calls(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if (ast.unparse(call.func).rpartition(".")[2]) in names]


def _is_endless(loop: ast.AST) -> bool:
    """Return whether `loop` is a `while True` that nothing in it ends and no consumer drives."""
    if not (isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and loop.test.value):
        return False
    return not any(isinstance(node, ast.Return | ast.Break | ast.Raise | ast.Yield) for node in ast.walk(loop))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_tasks_threads_and_endless_loops_have_one_place(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if str(file.relative_to(PACKAGE)) not in STARTS_TASKS:
        assert [ast.unparse(call) for call in _calls(tree, STARTERS)] == []
    assert [loop.lineno for loop in ast.walk(tree) if isinstance(loop, ast.While) and _is_endless(loop)] == []


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
async def test_loop_continues_after_any_failure(failure: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    calls, again = Counter[str](), asyncio.Event()

    async def act() -> None:
        calls["loop"] += 1
        if calls["loop"] <= 2:
            raise failure
        again.set()

    async with Background() as background:
        background.every(0, act, "a loop", at_once=True)
        await asyncio.wait_for(again.wait(), 5)
    assert [record.getMessage() for record in caplog.records] == [f"a loop failed, retrying: {type(failure).__name__}"]
    counted = calls["loop"]
    await asyncio.sleep(0.05)
    assert calls["loop"] == counted, "a closed loop calls no more"


async def test_loop_that_swallows_its_cancellation_ends() -> None:
    entered = asyncio.Event()

    async def act() -> None:
        try:
            entered.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return

    async with asyncio.timeout(5), Background() as background:
        background.every(0, act, "a loop", at_once=True)
        await entered.wait()


async def test_task_that_a_closing_task_starts_is_closed_too() -> None:
    background, late = Background(), asyncio.Event()

    async def start_another() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            background.start(asyncio.sleep(60), "another").add_done_callback(lambda _: late.set())

    background.start(start_another(), "a task")
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await background.close()
        await late.wait()


@pytest.mark.parametrize("failure", [failure for failure in FAILURES if isinstance(failure, Exception)], ids=repr)
def test_thread_continues_after_any_failure(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    calls, again = Counter[str](), threading.Event()

    def act() -> None:
        calls["thread"] += 1
        if calls["thread"] <= 2:
            raise failure
        again.set()

    with LoopThread(0.01, act, "a thread"):
        assert again.wait(5)
    assert [record.getMessage() for record in caplog.records] == [
        f"a thread failed, retrying: {type(failure).__name__}"
    ]


def test_failure_of_a_thread_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    start_thread(lambda: int("no number"), "a thread").join(5)
    assert caplog.record_tuples == [("tutordesk.ground.background", logging.ERROR, "a thread failed")]


async def test_every_loop_of_the_server_is_broken_once_and_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loops are those that the server really starts. Each fails in its first call, as by a bug, and acts again."""
    broken, acted = Counter[str](), Counter[str]()
    every, new_thread = Background.every, LoopThread.__init__

    def every_broken(
        self: Background, seconds: float, act: Callable[[], Awaitable[object]], name: str, **how: Any
    ) -> None:
        async def break_once() -> None:
            if not broken[name]:
                broken[name] += 1
                raise KeyError(name)
            acted[name] += 1
            await act()

        every(self, min(seconds, 0.1), break_once, name, **how)

    def new_broken_thread(self: LoopThread, seconds: float, act: Callable[[], object], name: str) -> None:
        def break_once() -> None:
            if not broken[name]:
                broken[name] += 1
                raise KeyError(name)
            acted[name] += 1
            act()

        new_thread(self, min(seconds, 0.1), break_once, name)

    monkeypatch.setattr(Background, "every", every_broken)
    monkeypatch.setattr(LoopThread, "__init__", new_broken_thread)
    settings, binary = make_settings(tmp_path, model="offline"), find_mongod(None)
    app = create_app(settings, running_mongod(tmp_path, binary, start_mongod(tmp_path, binary)))
    async with serving(app):

        async def all_act_again() -> bool:
            return _names_of_loops() | {"change log"} <= set(acted)

        await until(all_act_again)
    assert set(broken) >= set(acted)


def _names_of_loops() -> set[str]:
    """Return the names of all loops in the code."""
    calls = [call for file in FILES for call in _calls(ast.parse(file.read_text(encoding="utf-8")), {"every"})]
    names = {ast.literal_eval(call.args[2]) for call in calls}
    assert names
    return names
