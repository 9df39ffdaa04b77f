"""Text for the tutor and the search: words in any language, sentences, and Markdown without its markup.

Both split words here, so that the search finds a word wherever the offline tutor does.
"""

import re
import unicodedata
from collections.abc import Iterator

import regex

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
    """Return the text without differences of case, width and accents: `Café` and `CAFE` become the same."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if not unicodedata.combining(char)))


def words(text: str) -> Iterator[str]:
    """Yield the folded words in order, and Chinese, Japanese or Korean as overlapping pairs of characters."""
    for match in WORD.finditer(fold(text)):
        run = match.group()
        if len(run) > 1 and IS_CJK.match(run):
            yield from (run[place : place + 2] for place in range(len(run) - 1))
        else:
            yield run


def plain_text(markdown: str, limit: int = 20_000) -> str:
    """Return the text of the first `limit` characters of Markdown, in one line and without markup."""
    text = markdown[:limit]
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


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
    at = next((place for place, word in _placed_words(text) if word.startswith(prefixes)), 0)
    if at < limit // 2:
        return shorten(text, limit)
    start = text.find(" ", at - limit // 2, at) + 1 or at
    return "…" + shorten(text[start:], limit - 1)


def _placed_words(text: str) -> Iterator[tuple[int, str]]:
    for match in WORD.finditer(text):
        run = fold(match.group())
        is_cjk = len(run) > 1 and IS_CJK.match(run)
        yield from ((match.start() + place, run[place:]) for place in range(len(run) if is_cjk else 1))


def first_words(text: str, limit: int) -> str:
    """Return at most `limit` words, as whole sentences if possible. Two unseparated characters count as a word."""
    sentences: list[str] = []
    count = 0
    for sentence in SENTENCE_END.split(text):
        size = max(len(sentence.split()), len(IS_CJK.findall(sentence)) // 2)
        if sentences and count + size > limit:
            break
        sentences.append(sentence)
        count += size
    beginning = " ".join(sentences)
    pieces = beginning.split()
    if len(pieces) > limit:
        return " ".join(pieces[:limit]) + "…"
    return shorten(beginning, limit * 12)


# Characters that show nothing but are letters or marks: Default_Ignorable_Code_Point, and the blank Braille pattern.
UNSEEN_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
UNSEEN = regex.compile(rf"[\p{{Cc}}\p{{Cf}}\p{{Cs}}\p{{Z}}\s{UNSEEN_LETTERS}]+")
# Invisible characters that a script or an emoji needs: joiners between joining letters, after a virama and in emoji,
# the choice between text and emoji, and the letters in flags of regions.
JOINING = r"[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}]"
NEEDED = regex.compile(
    rf"(?<={JOINING}\p{{M}}*)\u200c(?={JOINING})|(?<=\p{{Canonical_Combining_Class=9}})[\u200c\u200d](?=\p{{L}})"
    r"|(?<=\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]?)\u200d(?=\p{Extended_Pictographic})"
    r"|(?<=[\p{S}\p{N}#*])[\ufe0e\ufe0f]"
    r"|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
)


def is_blank(text: str) -> bool:
    """Return whether the text shows nothing: no character but white space and invisible ones."""
    return bool(UNSEEN.fullmatch(text)) if text else True


def one_spelling(text: str) -> str:
    """Return the text composed (NFC), in lower case and one line, without invisible characters that nothing needs."""
    lower = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).replace("i\u0307", "i")
    return " ".join(without_unseen(lower).split())


def without_unseen(text: str) -> str:
    """Return the text without invisible characters, but with those that a script or an emoji needs."""
    needed = {place for match in NEEDED.finditer(text) for place in range(*match.span())}
    return "".join(
        char for place, char in enumerate(text) if char.isspace() or place in needed or not UNSEEN.match(char)
    )


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
