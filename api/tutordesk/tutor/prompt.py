"""Builds prompts: rules from `prompts/*.md`, history within a token budget, tickets fenced as data.

Each fence has a new random word, so that no ticket can close it. A prompt contains no secrets, and only the tickets
that the caller passes.
"""

import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from tutordesk.tutor.models import Prompt, Source, Turn, count_tokens

HISTORY_TOKENS = 8_000
MAX_TITLED_CHARACTERS = 2_000
FOLDER = Path(__file__).parent / "prompts"


@cache
def rules(name: str) -> str:
    """Return the text of `prompts/{name}.md`."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def tutor_prompt(
    history: Sequence[Turn], question: str, sources: Sequence[Source], about_ticket: bool, in_room: bool = False
) -> Prompt:
    """Return the prompt of a chat or a room, with the newest part of `history` (oldest first) that fits.

    With `about_ticket`, `sources` holds only that ticket.
    """
    recent_turns = recent(history, HISTORY_TOKENS)
    last = f"{fence(sources)}\n\nThe question:\n\n{question}" if sources else question
    kind: Literal["ticket", "global"] = "ticket" if about_ticket else "global"
    return Prompt(
        system=f"{rules(kind)}\n\n{rules('room')}" if in_room else rules(kind),
        turns=alternating([*recent_turns, Turn("user", last)]),
        question=question,
        sources=tuple(sources),
        left_out=len(history) - len(recent_turns),
        kind=kind,
    )


def summary_prompt(source: Source) -> Prompt:
    """Return the prompt for the summary of a ticket."""
    turn = Turn("user", f"{fence([source])}\n\nSummarise it.")
    return Prompt(rules("summary"), (turn,), question="", sources=(source,), kind="summary")


def title_prompt(question: str, answer: str) -> Prompt:
    """Return the prompt for the title of a chat that begins with this question and answer."""
    word = secrets.token_hex(8)
    question, answer = question[:MAX_TITLED_CHARACTERS], answer[:MAX_TITLED_CHARACTERS]
    exchange = f"[{word} question]\n{question}\n[{word} answer]\n{answer}\n[{word} end]"
    return Prompt(rules("title"), (Turn("user", f"{exchange}\n\nName it."),), question="", kind="title")


def recent(history: Sequence[Turn], budget: int) -> Sequence[Turn]:
    """Return the newest turns that fit into `budget` tokens, without a gap. The first one is a question."""
    remaining, start = budget, len(history)
    for place in range(len(history) - 1, -1, -1):
        remaining -= count_tokens(history[place].content)
        if remaining < 0:
            break
        if history[place].role == "user":
            start = place
    return history[start:]


def alternating(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Join neighbours of one role, which an answer without text leaves. Many models want the roles to alternate."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            turn = Turn(turn.role, f"{joined.pop().content}\n\n{turn.content}")
        joined.append(turn)
    return tuple(joined)


def fence(sources: Sequence[Source]) -> str:
    """Return the tickets as data between marks that no ticket can contain."""
    word = secrets.token_hex(8)
    tickets = "\n\n".join(_as_data(source, word) for source in sources)
    return f"Tickets of the helpdesk, as data between the marks {word}:\n\n{tickets}"


def _as_data(source: Source, word: str) -> str:
    lines = [f"[{word} ticket {source.id}]", f"Title: {source.title}", f"Category: {source.category}"]
    lines += [f"Tags: {', '.join(source.tags)}"] if source.tags else []
    lines += [f"Summary: {source.summary}"] if source.summary else []
    return "\n".join([*lines, "", source.text, f"[{word} end]"])
