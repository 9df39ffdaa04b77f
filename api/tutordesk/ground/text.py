"""Text as the tutor and the search read it: words in any language, sentences, Markdown without its marks."""

import re
import unicodedata
from collections.abc import Iterator

CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003134f"
WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
IS_CJK = re.compile(rf"[{CJK}]")
SENTENCE_END = re.compile(r"(?<=[.!?。！？])(?:\s+|(?<=[。！？]))")
_MARKS = (
    (re.compile(r"^(```|~~~)[^\n]*$", re.M), ""),
    (re.compile(r"!\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)"), r"\1"),
    (re.compile(r"\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)"), r"\1"),
    (re.compile(r"^[ \t]{0,3}(?:#{1,6}[ \t]+|>+[ \t]?|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?)", re.M), ""),
    (re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t:|-]*)?$", re.M), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), " "),
    (re.compile(r"(\*\*|__|~~|`+)"), ""),
    (re.compile(r"(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])"), ""),
)


def fold(text: str) -> str:
    """Case, width and accents folded away: `Café` and `CAFE` are the same."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def words(text: str) -> Iterator[str]:
    """Folded words in order. A run of Chinese, Japanese or Korean signs comes as its overlapping pairs."""
    for match in WORD.finditer(fold(text)):
        run = match.group()
        if len(run) > 1 and IS_CJK.match(run):
            yield from (run[place : place + 2] for place in range(len(run) - 1))
        else:
            yield run


def plain_text(markdown: str, most: int = 20_000) -> str:
    """The text of the first `most` characters of Markdown, in one line, without headings', lists' and links' marks."""
    text = markdown[:most]
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def shorten(text: str, most: int) -> str:
    """At most `most` characters, cut between words where there are words, with an ellipsis."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > most // 2 else cut).rstrip(" ,;:") + "…"


def excerpt_around(text: str, query: str, most: int) -> str:
    """About `most` characters of a line of text, around the first word that begins like one of the query's."""
    asked = list(words(query))
    at = next((place for place, word in _placed_words(text) if any(word.startswith(one) for one in asked)), 0)
    if at < most // 2:
        return shorten(text, most)
    start = text.find(" ", at - most // 2, at) + 1 or at
    return "…" + shorten(text[start:], most - 1)


def _placed_words(text: str) -> Iterator[tuple[int, str]]:
    for match in WORD.finditer(text):
        run = fold(match.group())
        is_cjk = len(run) > 1 and IS_CJK.match(run)
        yield from ((match.start() + place, run[place:]) for place in range(len(run) if is_cjk else 1))


def first_words(text: str, most: int) -> str:
    """At most `most` words (signs count as words where nothing separates them), ended at a sentence if there is one."""
    taken: list[str] = []
    count = 0
    for sentence in SENTENCE_END.split(text):
        size = max(len(sentence.split()), len(IS_CJK.findall(sentence)) // 2)
        if taken and count + size > most:
            break
        taken.append(sentence)
        count += size
    joined = " ".join(taken)
    pieces = joined.split()
    if len(pieces) > most:
        return " ".join(pieces[:most]) + "…"
    return shorten(joined, most * 12)
