"""Text for people: sentences, excerpts, Markdown without its markup, and checks of what they type."""

import re

import regex

from tutordesk.ground.words import UNSPACED, is_blank, placed_words, words

UNSPACED_LETTER = regex.compile(rf"[{UNSPACED}]")
SENTENCE_END = re.compile(r"(?<=[.!?。！？])(?:\s+|(?<=[。！？]))")
_MARKS = (
    (re.compile(r"^(```|~~~)[^\n]*$", re.M), ""),
    (re.compile(r"!\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)"), r"\1"),
    (re.compile(r"\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)"), r"\1"),
    (re.compile(r"<br[ \t]*/?>", re.I), " "),
    (re.compile(r"^[ \t]{0,3}(?:#{1,6}[ \t]+|>+[ \t]?|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?)", re.M), ""),
    (re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t:|-]*)?$", re.M), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), " "),
    (re.compile(r"(\*\*|__|~~|`+)"), ""),
    (re.compile(r"(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])"), ""),
)


_DEFINITION = re.compile(r"^[ \t]{0,3}\[(?P<label>[^\]\n]{1,200})\]:[ \t]+(?P<rest>\S[^\n]*)$", re.M)
_REFERENCE = re.compile(r"\[(?P<text>[^\[\]\n]{1,500})\](?:\[(?P<label>[^\[\]\n]{0,200})\])?")


def plain_text(markdown: str, limit: int = 20_000) -> str:
    """Return the text of the first `limit` characters of Markdown, in one line and without markup."""
    text = _without_references(markdown[:limit])
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def _without_references(markdown: str) -> str:
    """Return the Markdown with reference links as their texts and notes without their marks. Code like `a[i][j]` stays.

    Only what has a definition is a link or a note.
    """
    labels = {match["label"].casefold() for match in _DEFINITION.finditer(markdown)}
    if not labels:
        return markdown

    def replace(match: re.Match[str]) -> str:
        text = match["text"]
        if (match["label"] or text).casefold() not in labels:
            return match[0]
        return "" if text.startswith("^") else text

    rest = _DEFINITION.sub(lambda match: match["rest"] if match["label"].startswith("^") else "", markdown)
    return _REFERENCE.sub(replace, rest)


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, cut between words if possible, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip(" ,;:") + "…"


def excerpt_around(text: str, query: str, limit: int) -> str:
    """Return about `limit` characters of a line of text, around the first word that begins like one of the query's."""
    prefixes = tuple(words(query))
    at = next((place for place, word in placed_words(text) if word.startswith(prefixes)), 0)
    if at < limit // 2:
        return shorten(text, limit)
    start = text.find(" ", at - limit // 2, at) + 1 or at
    return "…" + shorten(text[start:], limit - 1)


def first_words(text: str, limit: int) -> str:
    """Return at most `limit` words, as whole sentences if possible. Two unseparated characters count as a word."""
    sentences: list[str] = []
    count = 0
    for sentence in SENTENCE_END.split(text):
        size = max(len(sentence.split()), len(UNSPACED_LETTER.findall(sentence)) // 2)
        if sentences and count + size > limit:
            break
        sentences.append(sentence)
        count += size
    beginning = " ".join(sentences)
    pieces = beginning.split()
    if len(pieces) > limit:
        return " ".join(pieces[:limit]) + "…"
    return shorten(beginning, limit * 12)


def in_one_line(text: str) -> str:
    """Return the text with every run of white space as one space. Raises ValueError for text without a word."""
    line = " ".join(text.split())
    if is_blank(line):
        raise ValueError("must not be empty")
    return line


def not_blank(text: str) -> str:
    """Return the text. Raises ValueError for a text that shows nothing."""
    if is_blank(text):
        raise ValueError("must not be empty")
    return text
