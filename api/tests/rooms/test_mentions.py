"""Names are mentioned as the client draws them: both sides read one file of cases."""

import json
from pathlib import Path
from typing import Any

import pytest

import testing
from testing.pages import TEXT_RULES, text_rules
from tutordesk.rooms.mentions import asks_tutor, mentioned_names, without_tutor

FILE = json.loads((Path(testing.__file__).parent / "mentions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FILE["cases"], ids=[case["text"] for case in FILE["cases"]])
def test_names_are_found(case: dict[str, Any]) -> None:
    assert mentioned_names(case["text"], FILE["names"]) == case["mentions"]
    assert asks_tutor(case["text"]) == ("tutor" in case["mentions"])


@pytest.mark.parametrize("text", ["`@tutor`", "```\n@tutor\n```", "~~~\n@tutor", "in `a @tutor b` only"])
def test_code_mentions_nobody(text: str) -> None:
    assert not asks_tutor(text)
    assert mentioned_names(text, ["tutor"]) == []


@pytest.mark.parametrize(
    ("text", "question"), [("@tutor Why?", "Why?"), ("@tutor请解释", "请解释"), ("请问@Tutor 怎么做", "请问 怎么做")]
)
def test_question_is_what_remains_without_the_mention(text: str, question: str) -> None:
    assert without_tutor(text) == question


def test_client_has_the_same_rules() -> None:
    assert TEXT_RULES.read_text(encoding="utf-8") == text_rules(), "run `python -m testing.pages` in api/"
