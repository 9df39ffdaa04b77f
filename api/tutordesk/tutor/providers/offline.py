"""The tutor without a model: it answers with the best passages of the tickets, and says so.

It needs no key and no network. The question's rarer words score higher. Passages are quoted unchanged, under the title
of their ticket.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from tutordesk.ground.text import first_words, plain_text
from tutordesk.ground.words import words
from tutordesk.tutor.models import Part, Prompt, Source, Usage, count_tokens

SUMMARY_WORDS = 45
MAX_PASSAGES = 4
MAX_CHARACTERS = 2_400
PIECE = re.compile(r"\S+\s*|\s+")
WORDS_AT_ONCE, SECONDS_BETWEEN = 3, 0.02
NOTE = "*I am the offline tutor: no language model is set up, so I quote the tickets that fit best.*"


class Offline:
    model = "offline"

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def stream(self, prompt: Prompt) -> AsyncIterator[Part]:
        text = summarise(prompt.sources[0]) if prompt.kind == "summary" else answer(prompt)
        pieces = PIECE.findall(text)
        for place in range(0, len(pieces), WORDS_AT_ONCE):
            yield "".join(pieces[place : place + WORDS_AT_ONCE])
            if prompt.kind != "summary":
                await asyncio.sleep(SECONDS_BETWEEN)
        yield Usage(prompt.tokens, count_tokens(text))


@dataclass(frozen=True, slots=True)
class Passage:
    source: Source
    place: int
    text: str
    score: float


def summarise(source: Source) -> str:
    """Return the first sentences of the ticket's paragraphs, or its title if it has none."""
    blocks = [re.sub(r"^#.*$", "", block, flags=re.M) for block in split_blocks(source.text)]
    paragraphs = "\n".join(block for block in blocks if "```" not in block and "~~~" not in block and "|-" not in block)
    return first_words(plain_text(paragraphs), SUMMARY_WORDS) or source.title


def answer(prompt: Prompt) -> str:
    """Return the answer in Markdown: the note, then the best passages under their tickets' titles."""
    passages = best_passages(prompt.question, prompt.sources, is_one_ticket=prompt.kind == "ticket")
    if not passages:
        about = "this ticket" if prompt.kind == "ticket" else "the tickets"
        return f"{NOTE}\n\nI found nothing about that in {about}. Try other words, or choose a ticket and ask about it."
    parts = [NOTE]
    last_id: str | None = None
    for passage in passages:
        if passage.source.id != last_id:
            last_id = passage.source.id
            parts.append(f"**{_escape(passage.source.title)}**")
        parts.append(passage.text)
    return "\n\n".join(parts)


def best_passages(question: str, sources: Sequence[Source], is_one_ticket: bool) -> list[Passage]:
    """Return at most four passages, best ticket first, each ticket's in reading order.

    With `is_one_ticket`, returns at least one passage of it, however little it fits.
    """
    query = {word for word in words(question) if len(word) > 1}
    blocks = [(source, place, block) for source in sources for place, block in enumerate(split_blocks(source.text))]
    counts_of_blocks = [Counter(words(block)) for _, _, block in blocks]
    rarity = {
        word: math.log(1 + len(blocks) / (1 + sum(word in counts for counts in counts_of_blocks))) for word in query
    }
    scored: list[Passage] = []
    for (source, place, block), counts in zip(blocks, counts_of_blocks, strict=True):
        title = set(words(f"{source.title} {source.summary} {' '.join(source.tags)}"))
        score = sum(rarity[word] * (min(counts[word], 3) + (0.7 if word in title else 0)) for word in query)
        if score > 0 or is_one_ticket:
            scored.append(Passage(source, place, block, score - place * 1e-6))
    best = sorted(scored, key=lambda passage: -passage.score)[:MAX_PASSAGES]
    if not is_one_ticket and best:
        best = [passage for passage in best if passage.score >= best[0].score / 3]
    rank = {ticket_id: place for place, ticket_id in enumerate(dict.fromkeys(passage.source.id for passage in best))}
    chosen: list[Passage] = []
    for passage in best:
        if not chosen or sum(len(other.text) for other in chosen) + len(passage.text) <= MAX_CHARACTERS:
            chosen.append(passage)
    return sorted(chosen, key=lambda passage: (rank[passage.source.id], passage.place))


def split_blocks(markdown: str) -> list[str]:
    """Return the paragraphs, lists and fences. A heading stays with the next block, and a fence is never split."""
    blocks: list[str] = []
    lines: list[str] = []
    is_fenced = False

    def close() -> None:
        if text := "\n".join(lines).strip("\n"):
            blocks.append(text)
        lines.clear()

    for line in markdown.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            is_fenced = not is_fenced
        elif not is_fenced and line.startswith("#"):
            close()
        elif not is_fenced and not line.strip() and lines and not _leads_on(lines):
            close()
            continue
        lines.append(line)
    if is_fenced:
        lines.append("```")
    close()
    return blocks


def _leads_on(lines: list[str]) -> bool:
    """Return whether the lines belong to the next block: a heading, or a paragraph that ends with a colon."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last.startswith("#") or last.rstrip().endswith(":")


def _escape(title: str) -> str:
    """Return the title in one line, with Markdown's characters escaped."""
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", " ".join(title.split()))
