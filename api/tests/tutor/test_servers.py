"""Answers of real model servers. Each case is one line of a table: the bytes of the server, and the answer to expect.

The sentences and fields are those that the servers use, read in public reports and in their sources.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from testing.fake_gemini import FakeModels, Says
from testing.serving import make_settings
from testing.steps import until
from tutordesk.tutor.models import Prompt, Thinking, Turn, TutorError, Usage
from tutordesk.tutor.prompt import tutor_prompt
from tutordesk.tutor.voice import Tutor

PROMPT = tutor_prompt([], "Why?", [], about_ticket=False)
DONE = "data: [DONE]\n\n"
USED = {"prompt_tokens": 7, "completion_tokens": 3}


def sse(*events: Any) -> str:
    return "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)


def delta(content: Any = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk of an OpenAI-compatible stream."""
    return {"choices": [{"index": 0, "delta": {"content": content, **fields}, "finish_reason": finish}]}


def parts(*parts: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """A chunk of a Gemini stream."""
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}]}


def lines(*events: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(event)}\n" for event in events)


def message(content: str = "", done: bool = False, **fields: Any) -> dict[str, Any]:
    """A line of Ollama's stream."""
    inside = {name: fields.pop(name) for name in ("thinking",) if name in fields}
    return {"message": {"role": "assistant", "content": content, **inside}, "done": done, **fields}


def refusal(status: int, body: Any, **headers: str) -> Says:
    return Says(json.dumps(body), status=status, type="application/json", headers=headers)


def google_quota(quota_id: str, delay: str) -> dict[str, Any]:
    sentence = "You exceeded your current quota, please check your plan and billing details."
    failure = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]}
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    return {"error": {"code": 429, "message": sentence, "status": "RESOURCE_EXHAUSTED", "details": [failure, retry]}}


PER_MINUTE = google_quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "0.1s")
PER_DAY = google_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "0.1s")
OK = Says(sse(delta("A proxy.", "stop")) + DONE)
GEMINI_OK = Says(sse(parts({"text": "A proxy."}, finish="STOP")))


class Ends:
    """The expected answer: its text, its thinking, and its finish reason or the class of its error."""

    def __init__(self, ending: str, text: str = "A proxy.", thinking: str = "", requests: int = 1) -> None:
        self.ending, self.text, self.thinking, self.requests = ending, text, thinking, requests


COMPLETE = [
    ("stop", Says(sse(delta("A "), delta("proxy.", "stop"), {"choices": [], "usage": USED}) + DONE), Ends("stop")),
    ("no reason, but done", Says(sse(delta("A "), delta("proxy.")) + DONE), Ends("stop")),
    ("done, and the connection stays open", Says(sse(delta("A proxy.", "stop")) + DONE, stays_open=True), Ends("stop")),
    ("a reason, no done, and it stays open", Says(sse(delta("A proxy.", "stop")), stays_open=True), Ends("stop")),
    ("CRLF and no space after the colon", Says('data:{"choices":[{"delta":{"content":"A proxy."}}]}\r\n\r\ndata:[DONE]\r\n\r\n'), Ends("stop")),
    ("tool calls", Says(sse(delta("A proxy.", "tool_calls")) + DONE), Ends("stop")),
    ("eos of text-generation-inference", Says(sse(delta("A proxy.", "eos_token")) + DONE), Ends("stop")),
    ("length", Says(sse(delta("A proxy.", "length")) + DONE), Ends("length")),
    ("length as Mistral calls it", Says(sse(delta("A proxy.", "model_length")) + DONE), Ends("length")),
    ("choices that are null", Says(sse({"choices": None}, delta("A proxy.", "stop")) + DONE), Ends("stop")),
    ("legacy text", Says(sse({"choices": [{"text": "A "}]}, {"choices": [{"text": "proxy.", "finish_reason": "stop"}]}) + DONE), Ends("stop")),
    ("one object", Says(json.dumps({"choices": [{"message": {"content": "A proxy."}, "finish_reason": "stop"}]}), type="application/json"), Ends("stop")),
    ("one object on many lines", Says(json.dumps({"choices": [{"message": {"content": "A proxy."}, "finish_reason": "length"}]}, indent=2), type="application/json"), Ends("length")),
    ("one object with legacy text", Says(json.dumps({"choices": [{"text": "A proxy.", "finish_reason": "stop"}]}), type="application/json"), Ends("stop")),
    ("parts of Mistral", Says(sse(delta([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]), delta([{"type": "text", "text": "A proxy."}], "stop")) + DONE), Ends("stop", thinking="Hm.")),
    ("parts as one object", Says(sse(delta({"type": "text", "text": "A proxy."}, "stop")) + DONE), Ends("stop")),
    ("thinking of DeepSeek", Says(sse(delta(reasoning_content="Hm. "), delta(reasoning_content="So."), delta("A proxy.", "stop")) + DONE), Ends("stop", thinking="Hm. So.")),
    ("thinking of OpenRouter", Says(sse(delta("", reasoning="Hm."), delta("A proxy.", "stop")) + DONE), Ends("stop", thinking="Hm.")),
    ("think tags", Says(sse(delta("<think>\nHm.\n</think>\n\nA proxy.", "stop")) + DONE), Ends("stop", thinking="Hm.\n")),
    ("think tags in pieces", Says(sse(*(delta(char) for char in "\n<think>Hm. 1 < 2</think> A proxy."), delta(None, "stop")) + DONE), Ends("stop", thinking="Hm. 1 < 2")),
    ("thought tags in capitals", Says(sse(delta("<THINKING>Hm.</Thinking>A proxy.", "stop")) + DONE), Ends("stop", thinking="Hm.")),
    ("a tag later in the text is text", Says(sse(delta("A <think> tag.", "stop")) + DONE), Ends("stop", text="A <think> tag.")),
    ("a text that begins like a tag", Says(sse(delta("<th"), delta("ead>", "stop")) + DONE), Ends("stop", text="<thead>")),
    ("a text that is the beginning of a tag", Says(sse(delta("<thi", "stop")) + DONE), Ends("stop", text="<thi")),
    ("stream_options refused by name", [refusal(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"]}]}), OK], Ends("stop", requests=2)),
    ("stream_options refused in words", [refusal(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}), OK], Ends("stop", requests=2)),
    ("system role refused by a template", [refusal(500, {"error": {"message": "System role not supported"}}), OK], Ends("stop", requests=2)),
    ("roles that must alternate", [refusal(400, {"error": {"message": "Conversation roles must alternate user/assistant/user/assistant/..."}}), OK], Ends("stop", requests=2)),
    ("both refused", [refusal(400, {"detail": "Only user and assistant roles are supported!"}), refusal(422, {"detail": "stream_options"}), OK], Ends("stop", requests=3)),
]  # fmt: skip
FAILING = [
    ("error as a reason", Says(sse(delta("A proxy."), delta(None, "error")) + DONE), Ends("unknown")),
    ("no resources, of DeepSeek", Says(sse(delta("A proxy.", "insufficient_system_resource")) + DONE), Ends("busy")),
    ("a filter", Says(sse(delta("A proxy.", "content_filter")) + DONE), Ends("blocked")),
    ("an end without a reason", Says(sse(delta("A proxy."))), Ends("unknown")),
    ("only thinking until the length", Says(sse(delta("<think>Hm.", "length")) + DONE), Ends("too_long", text="", thinking="Hm.")),
    ("402", refusal(402, {"error": {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}}), Ends("quota", text="")),
    ("429 without money", refusal(429, {"error": {"message": "…", "code": "insufficient_quota"}}), Ends("quota", text="")),
    ("429 of a gateway without a code", refusal(429, {"message": "You have insufficient credits"}), Ends("quota", text="")),
    ("400 of llama.cpp", refusal(400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}), Ends("too_long", text="")),
    ("500 of LM Studio", refusal(500, {"error": "Context size has been exceeded."}), Ends("too_long", text="")),
    ("400 of vLLM", refusal(400, {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400}), Ends("too_long", text="")),
    ("400 of Azure's filter", refusal(400, {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}), Ends("blocked", text="")),
    ("401 as text", Says("Unauthorized", status=401, type="text/plain"), Ends("auth", text="")),
    ("404 with a reason", refusal(404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}), Ends("unknown", text="")),
    ("a login page", Says("<!DOCTYPE html><html>Sign in</html>", type="text/html"), Ends("unknown", text="")),
    ("plain words", Says("It works!", type="text/plain"), Ends("unknown", text="")),
    ("an error in an object with 200", Says(json.dumps({"error": {"message": "No credits", "code": 402}}), type="application/json"), Ends("quota", text="")),
    ("an error in the stream: too long", Says(sse({"error": {"message": "maximum context length is 8192 tokens", "code": "context_length_exceeded"}})), Ends("too_long", text="")),
    ("an error in the stream: no money", Says(sse({"error": {"message": "x", "type": "insufficient_quota"}})), Ends("quota", text="")),
    ("an error in the stream, after text", Says(sse(delta("A proxy."), {"error": {"message": "Overloaded", "code": 529}})), Ends("busy")),
    ("an error as a line", Says(sse(delta("A proxy.")) + 'error: {"code": 500, "message": "context size exceeded"}\n\n'), Ends("too_long")),
    ("an error as an event", Says(sse(delta("A proxy.")) + 'event: error\ndata: {"message": "Insufficient balance"}\n\n'), Ends("quota")),
    ("an error that is a string", Says(sse(delta("A proxy."), {"error": "rate limit exceeded"})), Ends("busy")),
]  # fmt: skip
GEMINI = [
    ("thoughts", Says(sse(parts({"text": "Hm.", "thought": True}), parts({"text": "A proxy."}, finish="STOP"))), Ends("stop", thinking="Hm.")),
    ("the maximum length", Says(sse(parts({"text": "A proxy."}, finish="MAX_TOKENS"))), Ends("length")),
    ("a limit per minute", [refusal(429, PER_MINUTE), GEMINI_OK], Ends("stop", requests=2)),
    ("a limit per day", refusal(429, PER_DAY), Ends("quota", text="")),
    ("a limit without details", [refusal(429, {"error": {"code": 429, "message": "Resource exhausted", "status": "RESOURCE_EXHAUSTED"}})] * 3, Ends("busy", text="", requests=3)),
    ("a model without thoughts", [refusal(400, {"error": {"code": 400, "message": "Thinking is not enabled for models/x", "status": "INVALID_ARGUMENT"}}), GEMINI_OK], Ends("stop", requests=2)),
    ("a key that is wrong", refusal(400, {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}), Ends("auth", text="")),
    ("too many tokens", refusal(400, {"error": {"code": 400, "message": "The input token count (9) exceeds the maximum number of tokens allowed (8).", "status": "INVALID_ARGUMENT"}}), Ends("too_long", text="")),
]  # fmt: skip
OLLAMA = [
    ("thinking", Says(lines(message(thinking="Hm."), message("A proxy."), message(done=True, done_reason="stop")), type="application/x-ndjson"), Ends("stop", thinking="Hm.")),
    ("think tags", Says(lines(message("<think>Hm.</think>"), message("A proxy."), message(done=True)), type="application/x-ndjson"), Ends("stop", thinking="Hm.")),
    ("the maximum length", Says(lines(message("A proxy."), message(done=True, done_reason="length")), type="application/x-ndjson"), Ends("length")),
    ("done, and the connection stays open", Says(lines(message("A proxy."), message(done=True)), type="application/x-ndjson", stays_open=True), Ends("stop")),
    ("an error in the stream", Says(lines(message("A proxy."), {"error": "an error was encountered: context size exceeded"}), type="application/x-ndjson"), Ends("too_long")),
    ("a model that is not there", refusal(404, {"error": "model 'x' not found, try pulling it first"}), Ends("unknown", text="")),
    ("an end without done", Says(lines(message("A proxy.")), type="application/x-ndjson"), Ends("unknown")),
]  # fmt: skip
CASES = [
    *(("openai", *case) for case in [*COMPLETE, *FAILING]),
    *(("gemini", *case) for case in GEMINI),
    *(("ollama", *case) for case in OLLAMA),
]


def tutor_of(wire: str, fake: FakeModels, folder: Path, idle_seconds: float = 30.0) -> Tutor:
    urls = {"OPENAI_BASE_URL": fake.openai_url, "OLLAMA_BASE_URL": fake.url, "GEMINI_BASE_URL": fake.url}
    settings = make_settings(folder, model=f"{wire}:some", GEMINI_API_KEY="k" * 20, **urls)
    return Tutor(settings, idle_seconds)


async def listen(tutor: Tutor, prompt: Prompt = PROMPT) -> tuple[str, str, str]:
    """Return the text, the thinking, and the finish reason or the class of the error."""
    text = thinking = ""
    usage = Usage()
    try:
        async for part in tutor.stream_reply(prompt):
            if isinstance(part, str):
                text += part
            elif isinstance(part, Thinking):
                thinking += part.text
            else:
                usage = part
    except TutorError as error:
        return text, thinking, error.type
    return text, thinking, usage.finish_reason


@pytest.mark.parametrize(("wire", "situation", "says", "ends"), CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES])
async def test_server_is_read(
    fake: FakeModels, tmp_path: Path, wire: str, situation: str, says: Says | list[Says], ends: Ends
) -> None:
    fake.says = list(says) if isinstance(says, list) else [says]
    async with tutor_of(wire, fake, tmp_path) as tutor:
        assert await listen(tutor) == (ends.text, ends.thinking, ends.ending)
    assert fake.requests == ends.requests

    async def is_closed() -> bool:
        return fake.open == 0

    await until(is_closed, 2)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_model_that_thinks_for_longer_than_the_watchdog_waits_lives(
    fake: FakeModels, tmp_path: Path, field: str
) -> None:
    thoughts: list[str | float] = [sse(delta(**{field: "Hm. "})), 0.1] * 15
    fake.says = [Says(*thoughts, sse(delta("A proxy.", "stop")) + DONE)]
    async with tutor_of("openai", fake, tmp_path, idle_seconds=1) as tutor:
        assert await listen(tutor) == ("A proxy.", "Hm. " * 15, "stop")


async def test_comments_before_the_first_word_show_life(fake: FakeModels, tmp_path: Path) -> None:
    comments: list[str | float] = [": OPENROUTER PROCESSING\n\n", 0.1] * 15
    fake.says = [Says(*comments, sse(delta("A proxy.", "stop")) + DONE)]
    async with tutor_of("openai", fake, tmp_path, idle_seconds=1) as tutor:
        assert await listen(tutor) == ("A proxy.", "", "stop")


async def test_ollama_that_loads_a_model_is_waited_for(
    fake: FakeModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutordesk.tutor.providers.ollama.LOOK_SECONDS", 0.1)
    fake.says = [Says(1.5, lines(message("A proxy."), message(done=True)), type="application/x-ndjson")]
    async with tutor_of("ollama", fake, tmp_path, idle_seconds=1) as tutor:
        signs = [part async for part in tutor.stream_reply(PROMPT) if isinstance(part, Thinking)]
    assert Thinking(is_loading=True) in signs


async def test_failure_while_thinking_is_tried_again(fake: FakeModels, tmp_path: Path) -> None:
    """Only text makes a failure final."""
    broken = Says(sse(delta(reasoning_content="Hm. "), {"error": {"code": 503, "message": "overloaded"}}))
    fake.says = [broken, OK]
    async with tutor_of("openai", fake, tmp_path) as tutor:
        assert await listen(tutor) == ("A proxy.", "Hm. ", "stop")


async def test_refused_option_is_left_out_from_then_on(fake: FakeModels, tmp_path: Path) -> None:
    fake.says = [refusal(422, {"detail": "extra_forbidden: stream_options"}), OK, OK]
    async with tutor_of("openai", fake, tmp_path) as tutor:
        await listen(tutor)
        await listen(tutor)
    assert ["stream_options" in body for body in fake.bodies] == [True, False, False]


async def test_refused_system_message_begins_the_first_question(fake: FakeModels, tmp_path: Path) -> None:
    fake.says = [refusal(400, {"error": {"message": "System role not supported"}}), OK]
    async with tutor_of("openai", fake, tmp_path) as tutor:
        await listen(tutor)
    first, second = (body["messages"] for body in fake.bodies)
    assert [line["role"] for line in first] == ["system", "user"]
    assert [line["role"] for line in second] == ["user"]
    assert second[0]["content"] == f"{first[0]['content']}\n\n{first[1]['content']}"


@pytest.mark.parametrize("wire", ["openai", "ollama", "gemini"])
async def test_roles_alternate_after_an_answer_without_text(fake: FakeModels, tmp_path: Path, wire: str) -> None:
    history = [Turn("user", "One?"), Turn("user", "Two?"), Turn("assistant", "Two."), Turn("assistant", "More.")]
    async with tutor_of(wire, fake, tmp_path) as tutor:
        await listen(tutor, tutor_prompt(history, "Three?", [], about_ticket=False))
    sent = fake.bodies[-1].get("messages") or fake.bodies[-1]["contents"]
    assert [line["role"] for line in sent if line["role"] != "system"] == ["user", sent[-2]["role"], "user"]
    assert "One?\\n\\nTwo?" in json.dumps(sent[-3])
    assert "Two.\\n\\nMore." in json.dumps(sent[-2])


async def test_history_that_is_cut_begins_with_a_question() -> None:
    history = [Turn("user", "One? " + "x" * 40_000), Turn("assistant", "One."), Turn("user", "Two?")]
    prompt = tutor_prompt([*history, Turn("assistant", "Two.")], "Three?", [], about_ticket=False)
    assert [turn.content for turn in prompt.turns] == ["Two?", "Two.", "Three?"]
    assert prompt.left_out == 2
