"""Words of every script: how search, tags, names and mentions split, compare and clean what people type.

- Words are runs of letters and digits with their combining marks. Default word boundaries (UAX 29) would keep
  `nginx.conf` in one word, which nobody could find by `conf`.
- Scripts without spaces between words are split into overlapping pairs of graphemes (UAX 29), so that any part of two
  graphemes is found without a dictionary.
- Comparing ignores case, width, and the marks and strokes of letters, but not the vowel signs of Indic scripts and of
  Thai, which make another word.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

import regex

_SCRIPTS = ("Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
# The scripts without spaces between words, as the inside of a character class, and the long vowel that several share.
UNSPACED = "".join(rf"\p{{Script={script}}}" for script in _SCRIPTS) + "\u30fc"
_WORD = regex.compile(
    rf"(?V1)[{UNSPACED}][{UNSPACED}\p{{M}}]*|[\p{{L}}\p{{N}}--{UNSPACED}][\p{{L}}\p{{N}}\p{{M}}--{UNSPACED}]*"
)
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_UNSPACED_WORD = regex.compile(rf"[{UNSPACED}]")
_GRAPHEME = regex.compile(r"\X")
# Marks that only decorate a letter: accents, Hebrew and Arabic points, Tatweel; and characters that show nothing.
DECORATION = (
    r"[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc"
    r"\u06df-\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200c\u200d\u2060\ufeff]"
)
_DECORATION = re.compile(DECORATION)
STROKES = dict(zip("łđøħŧıɨʉƀɓɗƙɠɖʈ", "ldohtiiubbdkgdt", strict=True)) | {"æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
_STROKES = str.maketrans(STROKES)

# Characters that show nothing but are letters or marks: Default_Ignorable_Code_Point, and the blank Braille pattern.
UNSEEN_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_UNSEEN = regex.compile(rf"[\p{{Cc}}\p{{Cf}}\p{{Cs}}\p{{Z}}\s{UNSEEN_LETTERS}]+")
# Invisible characters that a script or an emoji needs: joiners between joining letters, after a virama and in emoji,
# the choice between text and emoji, and the letters in flags of regions.
_JOINING = r"[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}]"
NEEDED = regex.compile(
    rf"(?<={_JOINING}\p{{M}}*)\u200c(?={_JOINING})|(?<=\p{{Canonical_Combining_Class=9}})[\u200c\u200d](?=\p{{L}})"
    r"|(?<=\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]?)\u200d(?=\p{Extended_Pictographic})"
    r"|(?<=[\p{S}\p{N}#*])[\ufe0e\ufe0f]"
    r"|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
)

PREFIX = 3
MAX_TERMS, MAX_TERM_CHARACTERS = 4_000, 40


def fold(text: str) -> str:
    """Return the text without differences of case, width, accents and strokes: `Łódź` and `LODZ` become the same."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _DECORATION.sub("", decomposed).translate(_STROKES))


def words(text: str) -> Iterator[str]:
    """Yield the folded words in order, and scripts without spaces as overlapping pairs of graphemes."""
    for word in _runs(text):
        if not is_unspaced(word):
            yield word
            continue
        graphemes = _GRAPHEME.findall(word)
        if len(graphemes) == 1:
            yield word
        yield from map("".join, itertools.pairwise(graphemes))


def placed_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield (place in the text, folded word), and of scripts without spaces the rest of the run from each grapheme."""
    for match in _WORD.finditer(text):
        run = match.group()
        if is_unspaced(run):
            yield from ((match.start() + part.start(), fold(run[part.start() :])) for part in _GRAPHEME.finditer(run))
        else:
            yield match.start(), fold(run)


def is_unspaced(word: str) -> bool:
    """Return whether the word is of a script without spaces between words."""
    return not word.isascii() and bool(_UNSPACED_WORD.match(word))


def is_pair(word: str) -> bool:
    """Return whether the word is a pair of graphemes."""
    return is_unspaced(word) and len(_GRAPHEME.findall(word)) > 1


def search_terms(text: str) -> Iterator[str]:
    """Yield the terms by which a text is found, in order, some more than once.

    They are its words, after each the beginning by which it is found as one types, and the last grapheme of each run
    without spaces: so each of its graphemes begins a term.
    """
    for run in _runs(text):
        if is_unspaced(run):
            graphemes = _GRAPHEME.findall(run)
            yield from map("".join, itertools.pairwise(graphemes))
            yield graphemes[-1]
        else:
            yield run[:MAX_TERM_CHARACTERS]
            if len(run) >= PREFIX:
                yield f"{run[:PREFIX]}*"


def terms_of(title: str, description: str, category: str, tags: Sequence[str], summary: str | None) -> list[str]:
    """Return a ticket's terms, those of the title and tags first, at most MAX_TERMS."""
    first = dict.fromkeys(search_terms(f"{title} {' '.join(tags)}"))
    rest = dict.fromkeys(search_terms(f"{category} {summary or ''} {description}"))
    return [*(f"={term}" for term in first), *{**first, **rest}][:MAX_TERMS]


def one_spelling(text: str) -> str:
    """Return the text composed (NFC), in lower case and one line, without invisible characters that nothing needs."""
    lower = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).replace("i\u0307", "i")
    return " ".join(without_unseen(lower).split())


def without_unseen(text: str) -> str:
    """Return the text without invisible characters, but with those that a script or an emoji needs."""
    needed = {place for match in NEEDED.finditer(text) for place in range(*match.span())}
    return "".join(
        char for place, char in enumerate(text) if char.isspace() or place in needed or not _UNSEEN.match(char)
    )


def is_blank(text: str) -> bool:
    """Return whether the text shows nothing: no character but white space and invisible ones."""
    return not text or bool(_UNSEEN.fullmatch(text))


def _runs(text: str) -> Iterator[str]:
    folded = fold(text)
    pattern = _ASCII_WORD if folded.isascii() else _WORD
    return (match.group() for match in pattern.finditer(folded))
