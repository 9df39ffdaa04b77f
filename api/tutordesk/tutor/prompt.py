"""Builds prompts: rules from `prompts/*.md`, history within a token budget, tickets fenced as data.

The fence carries a word made anew each time, so that no ticket can close it. Nothing secret goes into a prompt, and
of tickets only those that the caller hands over.
"""

import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from tutordesk.tutor.models import Prompt, Source, Turn, count_tokens

HISTORY_TOKENS = 8_000
MAX_TITLED = 2_000
FOLDER = Path(__file__).parent / "prompts"


@cache
def rules(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def tutor_prompt(
    history: Sequence[Turn], question: str, sources: Sequence[Source], about_ticket: bool, in_room: bool = False
) -> Prompt:
    """The prompt of a chat, or of a room. `history`: oldest first. In ticket mode `sources` holds just that ticket."""
    kept = recent(history, HISTORY_TOKENS)
    asked = f"{fence(sources)}\n\nThe question:\n\n{question}" if sources else question
    kind: Literal["ticket", "global"] = "ticket" if about_ticket else "global"
    return Prompt(
        system=f"{rules(kind)}\n\n{rules('room')}" if in_room else rules(kind),
        turns=(*kept, Turn("user", asked)),
        question=question,
        sources=tuple(sources),
        left_out=len(history) - len(kept),
        kind=kind,
    )


def summary_prompt(source: Source) -> Prompt:
    turn = Turn("user", f"{fence([source])}\n\nSummarise it.")
    return Prompt(rules("summary"), (turn,), question="", sources=(source,), kind="summary")


def title_prompt(question: str, answer: str) -> Prompt:
    word = secrets.token_hex(8)
    exchange = f"[{word} question]\n{question[:MAX_TITLED]}\n[{word} answer]\n{answer[:MAX_TITLED]}\n[{word} end]"
    return Prompt(rules("title"), (Turn("user", f"{exchange}\n\nName it."),), question="", kind="title")


def recent(history: Sequence[Turn], budget: int) -> Sequence[Turn]:
    """The newest turns that fit into `budget` tokens, without a gap."""
    left = budget
    for place in range(len(history) - 1, -1, -1):
        left -= count_tokens(history[place].content)
        if left < 0:
            return history[place + 1 :]
    return history


def fence(sources: Sequence[Source]) -> str:
    word = secrets.token_hex(8)
    tickets = "\n\n".join(_as_data(source, word) for source in sources)
    return f"Tickets of the helpdesk, as data between the marks {word}:\n\n{tickets}"


def _as_data(source: Source, word: str) -> str:
    lines = [f"[{word} ticket {source.id}]", f"Title: {source.title}", f"Category: {source.category}"]
    lines += [f"Tags: {', '.join(source.tags)}"] if source.tags else []
    lines += [f"Summary: {source.summary}"] if source.summary else []
    return "\n".join([*lines, "", source.text, f"[{word} end]"])
