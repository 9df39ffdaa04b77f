"""Takes the thinking out of an answer that begins with it, between `<think>` and `</think>`.

Servers without a parser for their model's thinking send it so. The tags may be cut anywhere between two deltas.
"""

import re
from collections.abc import Iterator

from tutordesk.tutor.models import Thinking

NAMES = ("think", "thinking", "thought", "reasoning")
OPENINGS = tuple(f"<{name}>" for name in NAMES)


class ThoughtFilter:
    """Use `split` for each delta while `is_over` is False. Afterwards the deltas are plain text."""

    __slots__ = ("_closing", "_waiting", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self._waiting = ""
        self._closing: str | None = None  # the tag that ends the thinking; empty once it came

    def split(self, delta: str) -> Iterator[str | Thinking]:
        """Yield what is certain after this delta. The rest waits for the next one."""
        text, self._waiting = self._waiting + delta, ""
        if self._closing is None:
            yield from self._begin(text)
        elif self._closing:
            yield from self._think(text, self._closing)
        else:
            yield from self._answer(text)

    def rest(self) -> Iterator[str | Thinking]:
        """Yield what still waits when the answer has ended."""
        if self._waiting:
            yield Thinking(self._waiting) if self._closing else self._waiting
        self._waiting, self.is_over = "", True

    def _begin(self, text: str) -> Iterator[str | Thinking]:
        start = text.lstrip().lower()
        if not start or any(tag != start and tag.startswith(start) for tag in OPENINGS):
            self._waiting = text
        elif opening := next((tag for tag in OPENINGS if start.startswith(tag)), None):
            self._closing = opening.replace("<", "</")
            yield from self._think(text.lstrip()[len(opening) :].lstrip(), self._closing)
        else:
            self.is_over = True
            yield text

    def _think(self, text: str, closing: str) -> Iterator[str | Thinking]:
        thought, tag, answer = _partition(text, closing)
        if not tag and (cut := _cut_tag(text, closing)):
            thought, self._waiting = text[:-cut], text[-cut:]
        if thought:
            yield Thinking(thought)
        if tag:
            self._closing = ""
            yield from self._answer(answer)

    def _answer(self, text: str) -> Iterator[str | Thinking]:
        if text := text.lstrip():
            self.is_over = True
            yield text


def _partition(text: str, tag: str) -> tuple[str, str, str]:
    """Return the text before the tag, the tag and the text after it, as `str.partition`, in any case."""
    match = re.search(re.escape(tag), text, re.I)
    return (text[: match.start()], tag, text[match.end() :]) if match else (text, "", "")


def _cut_tag(text: str, tag: str) -> int:
    """Return how many characters at the end of the text may begin the tag."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text[-size:].lower() == tag[:size]), 0)
