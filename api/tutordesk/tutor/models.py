"""The tutor's input and output: a `Prompt` in, text and `Thinking` and a last `Usage` out, or one `TutorError`.

| class of error | meaning | a retry helps |
|---|---|---|
| busy | overloaded, or too many requests | yes |
| quota | the account is used up | no |
| auth | key missing or refused | no |
| blocked | the model declined | no |
| timeout | nothing received for too long | yes |
| offline | cannot be reached, or the connection broke | yes |
| too_long | more than the model reads or writes | no |
| unknown | anything else | yes |
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

ErrorType = Literal["busy", "quota", "auth", "blocked", "timeout", "offline", "too_long", "unknown"]
FinishReason = Literal["stop", "length"]

SENTENCES: dict[ErrorType, str] = {
    "busy": "The model is busy right now. Try again in a moment.",
    "quota": "The model's quota is used up. Try again later, or ask the operator of this Tutordesk to raise it.",
    "auth": "The model refuses this Tutordesk's key. Ask the operator of this Tutordesk to set a valid one.",
    "blocked": "The model declined to answer this. Rephrase your question.",
    "timeout": "The model stopped sending. The text so far is saved; try again.",
    "offline": "The model cannot be reached. The text so far is saved; try again in a moment.",
    "too_long": "This is too long for the model. Start a new chat or shorten the question.",
    "unknown": "The rest of the model's answer could not be read. The text so far is saved; try again.",
}
NO_ANSWER = "The model sent an empty answer. Try again."
ONLY_THOUGHT = "The model reached its maximum length while it was thinking. Ask a shorter question."
BROKE_OFF = "The model's answer broke off. The text so far is saved; try again."
NOT_A_MODEL = "The address of the model answers with something else. Ask the operator of this Tutordesk to check it."
NO_MODEL = "The model does not exist. Ask the operator of this Tutordesk to choose another one."
RETRYABLE = frozenset({"busy", "timeout", "offline", "unknown"})


class TutorError(Exception):
    """The reason for a missing or incomplete answer. `retry_after` is the wait in seconds that the provider wants."""

    def __init__(self, type: ErrorType, sentence: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(sentence or SENTENCES[type])
        self.type: ErrorType = type
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Return whether a retry may help."""
        return self.type in RETRYABLE


@dataclass(frozen=True, slots=True)
class Turn:
    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Source:
    """A ticket as the tutor sees it: data, never instructions."""

    id: str
    title: str
    category: str
    tags: tuple[str, ...]
    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request to a provider.

    - `system`: the rules.
    - `turns`: oldest first. The last one is the question, with its sources fenced into it.
    - `question`, `sources`: the same as plain values, for the provider `offline`, which has no model.
    - `left_out`: the number of earlier messages that did not fit.
    """

    system: str
    turns: tuple[Turn, ...]
    question: str
    sources: tuple[Source, ...] = ()
    left_out: int = 0
    kind: Literal["ticket", "global", "summary", "title"] = "global"

    @property
    def tokens(self) -> int:
        """Return an estimate of the prompt's tokens."""
        return count_tokens(self.system) + sum(count_tokens(turn.content) for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Thinking:
    """A part of the model's thinking, or an empty one as a sign that the model is alive.

    `is_loading`: the server is still loading the model.
    """

    text: str = ""
    is_loading: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens so far, and the `provider:name` of the model that answers, empty if it did not change.

    `finish_reason`: `length` if the model ended at its maximum length.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    finish_reason: FinishReason = "stop"


Part = str | Thinking | Usage


class Provider(Protocol):
    """A connection to one model. `stream` yields text, Thinking and a last Usage. Raises TutorError.

    Every sign of life is yielded, at least as an empty Thinking, because voice.py ends the answer of a silent model.
    To stop a stream, cancel the task while it awaits the next part. The upstream connection then closes immediately.
    """

    model: str

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def stream(self, prompt: Prompt) -> AsyncIterator[Part]: ...


def count_tokens(text: str) -> int:
    """Return an estimate of a text's tokens, rather too high for English: one for every four bytes of UTF-8."""
    return len(text.encode("utf-8", "replace")) // 4 + 1
