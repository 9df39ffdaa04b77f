"""S-29, S-16: calls made up from the OpenAPI description, good and bad, give no 500, no exit and no inside.

4,000 calls in `make test`; `make bench` makes 20,000 (FUZZ_CALLS).
"""

import asyncio
import contextlib
import itertools
import os
import re
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from testing.fake_gemini import FakeModels
from testing.processes import Serving
from testing.serving import make_settings
from tutordesk.main import create_app

CALLS = int(os.environ.get("FUZZ_CALLS", "4000"))
INSIDE = re.compile(rb"Traceback|File \"/|pymongo|site-packages|Error\(")


async def test_made_up_calls_never_break_the_server(tmp_path: Path, fake: FakeModels) -> None:
    off = ("MAX_RUNNING_REPLIES", "MAX_MESSAGES_PER_MINUTE", "MAX_MESSAGES_PER_MINUTE_PER_IP", "MAX_TICKETS_PER_HOUR")
    model = {"TUTORDESK_MODEL": "gemini:fake", "GEMINI_API_KEY": "k" * 20, "GEMINI_BASE_URL": fake.url}
    server = await Serving(tmp_path / "data", **model, **{f"TUTORDESK_{name}": "0" for name in off}).start()
    try:
        description = create_app(make_settings(tmp_path)).openapi()
        statuses = await asyncio.to_thread(_fuzz, description, server.url)
        assert server.process
        assert server.process.poll() is None
        assert sum(statuses.values()) >= CALLS
        assert {200, 201, 404, 422} <= statuses.keys()
        async with server.client() as client:
            assert (await client.get("/health/ready")).status_code == 200
    finally:
        await server.end()


def _fuzz(description: dict[str, Any], url: str) -> dict[int, int]:
    """Make the calls, in rounds over all operations. Returns how many had which status."""
    results = schemathesis.openapi.from_dict(description).get_all_operations()
    operations = [result.ok() for result in results if isinstance(result, Ok)]
    statuses: dict[int, int] = {}
    with requests.Session() as session:
        for number in itertools.count():
            for operation, mode in itertools.product(operations, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)):
                _fuzz_operation(operation.as_strategy(generation_mode=mode), number, url, session, statuses)
                if sum(statuses.values()) >= CALLS:
                    return statuses
    raise AssertionError("the rounds have no end")


def _fuzz_operation(
    cases: SearchStrategy[Any], number: int, url: str, session: requests.Session, statuses: dict[int, int]
) -> None:
    @seed(number)
    @given(case=cases)
    @settings(
        max_examples=min(CALLS // 30, 250),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def call(case: Any) -> None:
        asked = case.as_transport_kwargs(base_url=url)
        with session.request(**asked, stream=True, timeout=10) as answer:
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, (asked, answer.text)
            if answer.status_code >= 400:
                assert not INSIDE.search(answer.content), (asked, answer.text)
                assert answer.headers.get("x-request-id") or answer.status_code == 400

    with contextlib.suppress(Unsatisfiable):  # a call without parameters cannot be made wrong
        call()
