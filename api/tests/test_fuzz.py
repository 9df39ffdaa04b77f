"""Calls made up from the OpenAPI description, good and bad, never give a 500, an exit or a look inside.

`make test` makes 4,000 calls, `make bench` 20,000 (FUZZ_CALLS). Four tests share the operations, so that they run side
by side; each makes its calls in rounds over all of its operations.
"""

import asyncio
import contextlib
import itertools
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from testing.fake_gemini import FakeModels
from testing.processes import Serving
from testing.serving import make_settings
from tutordesk.main import create_app

CALLS = int(os.environ.get("FUZZ_CALLS", "4000"))
PARTS, MAX_EXAMPLES = 4, 250
INSIDE = re.compile(rb"Traceback|File \"/|pymongo|site-packages|Error\(")


@pytest.fixture(scope="module")
async def server(fake_server: FakeModels, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    off = ("MAX_RUNNING_REPLIES", "MAX_MESSAGES_PER_MINUTE", "MAX_MESSAGES_PER_MINUTE_PER_IP", "MAX_TICKETS_PER_HOUR")
    model = {"TUTORDESK_MODEL": "openai:fake", "OPENAI_BASE_URL": fake_server.openai_url}
    limits = {f"TUTORDESK_{name}": "0" for name in off}
    serving = await Serving(tmp_path_factory.mktemp("data"), **model, **limits).start()
    yield serving
    await serving.end()


@pytest.mark.process
@pytest.mark.parametrize("part", range(PARTS))
async def test_made_up_calls_never_break_the_server(
    server: Serving, fake: FakeModels, tmp_path: Path, part: int
) -> None:
    description = create_app(make_settings(tmp_path)).openapi()
    results = schemathesis.openapi.from_dict(description).get_all_operations()
    operations = [result.ok() for result in results if isinstance(result, Ok)][part::PARTS]
    statuses = await asyncio.to_thread(_fuzz, operations, server.url)
    assert server.is_running
    assert sum(statuses.values()) >= CALLS // PARTS
    creates = {201} if any("201" in operation.definition.raw["responses"] for operation in operations) else set()
    assert {200, 404, 422} | creates <= statuses.keys()
    async with server.client() as client:
        assert (await client.get("/health/ready")).status_code == 200


def _fuzz(operations: list[APIOperation[Any, Any, Any, Any]], url: str) -> dict[int, int]:
    """Make this part's calls, in rounds over its operations. Returns how many had which status."""
    statuses: dict[int, int] = {}
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    examples = min(CALLS // PARTS // len(operations) // len(modes), MAX_EXAMPLES)
    with requests.Session() as session:
        session.patch(f"{url}/me", json={"name": "Fuzz"}).raise_for_status()  # only people with a name create rooms
        for number in itertools.count():
            for operation, mode in itertools.product(operations, modes):
                cases = operation.as_strategy(generation_mode=mode)
                _fuzz_operation(cases, number, examples, url, session, statuses)
                if sum(statuses.values()) >= CALLS // PARTS:
                    return statuses
    raise AssertionError("the rounds have no end")


def _fuzz_operation(
    cases: SearchStrategy[Any],
    number: int,
    examples: int,
    url: str,
    session: requests.Session,
    statuses: dict[int, int],
) -> None:
    @seed(number)
    @given(case=cases)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def call(case: Any) -> None:
        request = case.as_transport_kwargs(base_url=url)
        with session.request(**request, stream=True, timeout=10) as answer:
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, (request, answer.text)
            if answer.status_code >= 400:
                assert not INSIDE.search(answer.content), (request, answer.text)
                assert answer.headers.get("x-request-id") or answer.status_code == 400

    with contextlib.suppress(Unsatisfiable):  # a call without parameters cannot be made wrong
        call()
