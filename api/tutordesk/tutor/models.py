"""What goes into the tutor and comes out: `Prompt` in, text deltas and a last `Usage` out, or one `TutorError`.

| class of error | means | trying again helps |
|---|---|---|
| busy | overloaded, or too many requests | yes |
| quota | the account is used up | no |
| auth | key missing or refused | no |
| blocked | the model declined | no |
| timeout | nothing arrived for too long | yes |
| offline | cannot be reached, or the connection broke | yes |
| too_long | more than the model takes or gives | no |
| unknown | anything else | yes |
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

ErrorType = Literal["busy", "quota", "auth", "blocked", "timeout", "offline", "too_long", "unknown"]

SENTENCES: dict[ErrorType, str] = {
    "busy": "The model is busy just now. Try again in a moment.",
    "quota": "The model's quota is used up. Try again later, or ask whoever runs this Tutordesk to raise it.",
    "auth": "The model refuses this Tutordesk's key. Whoever runs it has to set a valid one.",
    "blocked": "The model declined to answer this. Try to ask in another way.",
    "timeout": "The model stopped sending. What had arrived is kept; try again.",
    "offline": "The model cannot be reached. What had arrived is kept; try again in a moment.",
    "too_long": "This is more than the model can take. Start a new chat or shorten the question.",
    "unknown": "The model's answer could not be read to its end. What had arrived is kept; try again.",
}
CUT = "The answer ended at the model's longest length. Ask the tutor to go on."
BROKE_OFF = "The model's answer broke off. What had arrived is kept; try again."
RETRYABLE = frozenset({"busy", "timeout", "offline", "unknown"})


class TutorError(Exception):
    """Why there is no answer, or not all of it. `retry_after`: seconds that the provider asked to wait."""

    def __init__(self, type: ErrorType, sentence: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(sentence or SENTENCES[type])
        self.type: ErrorType = type
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
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
    """`system`: the rules. `turns`: oldest first, the last one the question with its sources fenced into it.

    `question` and `sources` are the same once more for a provider that reads by itself (`offline`). `left_out`: how
    many earlier messages did not fit.
    """

    system: str
    turns: tuple[Turn, ...]
    question: str
    sources: tuple[Source, ...] = ()
    left_out: int = 0
    kind: Literal["ticket", "global", "summary", "title"] = "global"

    @property
    def tokens(self) -> int:
        return count_tokens(self.system) + sum(count_tokens(turn.content) for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens so far, and the model that answers (`provider:name`; empty: the same as before)."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""


class Provider(Protocol):
    """One way to a model. `stream` yields text deltas and, last, a Usage with its tokens; raises TutorError.

    To stop it, cancel the task while it awaits the next part: then the connection upstream closes at once.
    """

    model: str

    def stream(self, prompt: Prompt) -> AsyncIterator[str | Usage]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


def count_tokens(text: str) -> int:
    """An estimate that errs on the high side for English: a token for every four bytes of UTF-8, at least one."""
    return len(text.encode("utf-8", "replace")) // 4 + 1
