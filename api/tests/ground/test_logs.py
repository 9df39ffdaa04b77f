"""The log: one line an event whatever was sent, the request's id on all it causes, and no secrets."""

import json
import logging
import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from testing.fake_gemini import FakeModels
from testing.processes import COMMAND, ENVIRONMENT, free_port
from testing.serving import SECRET
from testing.steps import ask, create_ticket, until
from tutordesk.ground.logs import describe, formatter

SECRETS = (SECRET, "test-key-of-gemini", "a-password-of-mine", "mona@example.org", "tutordesk=", "Only I may read this")


async def test_log_of_a_server_is_lines_of_json_without_secrets(tmp_path: Path, fake: FakeModels) -> None:
    """A visitor does a little of everything, with a model that fails."""
    port, file = free_port(), tmp_path / "log"
    with file.open("wb") as log:
        environment = {**os.environ, **ENVIRONMENT, "OPENAI_BASE_URL": fake.openai_url}
        command = [*COMMAND, "serve", "--port", str(port), "--data-dir", str(tmp_path / "data")]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment)  # noqa: ASYNC220
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:

            async def is_ready() -> bool:
                try:
                    return (await client.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready, 30)
            await create_ticket(client, title="Only I may read this")
            await client.post("/me/account", json={"email": "mona@example.org", "password": "a-password-of-mine"})
            fake.script = "badkey"
            answer = await client.post("/chat/global/stream", json={"message": "Only I may read this"})
            await client.get("/tickets/%0d%0aERROR%20forged%1b[2J", headers={"User-Agent": "x" * 10_000})
            await ask(client, "Only I may read this")
    finally:
        server.terminate()
        server.wait(20)
    text = file.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"at", "level", "logger", "message"} <= set(line) for line in lines)
    assert not [secret for secret in SECRETS if secret in text]
    assert "x" * 100 not in text
    forged = [line for line in lines if "forged" in line.get("path", "")]
    assert [line["status"] for line in forged] == [404]
    caused = [line for line in lines if line.get("request_id") == answer.headers["x-request-id"]]
    assert any("did not answer: auth" in line["message"] for line in caused)
    assert any(line["message"] == "request" and line["path"] == "/chat/global/stream" for line in caused)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_line_breaks_and_terminal_codes_are_escaped(is_terminal: bool) -> None:
    """A line break in what was sent cannot begin a line of the log."""
    record = logging.LogRecord("tutordesk.x", logging.WARNING, "x.py", 1, "%s", ("a\r\nb\x1b[31m\u2028\u202e",), None)
    line = formatter(is_terminal).format(record)
    assert len(line.splitlines()) == 1
    assert not is_terminal or line.isprintable()


def test_times_are_utc_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        before = datetime.now(UTC)
        record = logging.LogRecord("tutordesk.x", logging.WARNING, "x.py", 1, "%s", ("a",), None)
        line = formatter(True).format(record)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert any(f"{moment:%H:%M:%S}Z" in line for moment in (before, datetime.now(UTC)))


def test_exception_is_logged_without_what_was_written() -> None:
    class Shape(BaseModel):
        number: int

    written = SECRETS[-1]
    try:
        try:
            Shape.model_validate({"number": written})
        except ValidationError as error:
            raise RuntimeError("it failed") from error
    except RuntimeError as error:
        told = describe(error)
    assert written not in told
    assert "ValidationError\nthen\n" in told
    assert told.endswith("RuntimeError: it failed")
    assert 'File "' in told
