"""Names of people: cleaned for display, and refused if they could be taken for the tutor or staff.

A name is judged by its looks: look-alikes, marks, styled letters and digits used as letters become plain Latin. This
follows Unicode UTS 39, with the tables of confusable-homoglyphs (17 MB, loaded with the first name) and Unicode's
names of styled letters. `check_name` takes a typed name; `name_key` compares two names.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby

from tutordesk.ground.errors import FieldError, Invalid
from tutordesk.ground.words import NEEDED, UNSEEN_LETTERS

MAX_CHARACTERS, MAX_MARKS = 40, 4
# Refused as any word of a name, however it is spelled.
RESERVED = ("tutor", "tutordesk", "admin", "administrator", "agent", "assistant", "moderator", "system", "support")
# Refused as the whole name only: Ai Weiwei and Alison are people. So is Ai, if it is written as a name.
RESERVED_ALONE = ("everyone", "here", "all", "bot", "ai")
GIVEN_NAMES = ("Ai",)

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
UNSEEN_LETTER = re.compile(f"[{UNSEEN_LETTERS}]")
PICTURE_STYLE = re.compile("[\ufe0e\ufe0f]")  # shows the character before it as text or as an emoji; keyboards add it
WRITTEN_TOGETHER = {"LATIN", "HAN", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"}  # in one word, in East Asia
ANY_SCRIPT = {"COMMON", "INHERITED"}
STYLED = re.compile(r"\b(?:LATIN|REGIONAL INDICATOR|SQUARED) .*LETTER (?:[A-Z]+ ){0,2}([A-Z])(?: WITH .*)?$")
SYMBOLS_AS_LETTERS = "@$€!|"
AS_LETTERS = str.maketrans("0345789@$€!|", "oeastbgase11")  # 1 is i or l


def check_name(text: str) -> str:
    """Return the name for display: NFC, trimmed, single spaces, 1 to 40 characters. Raises Invalid with a sentence."""
    typed = PICTURE_STYLE.sub("", unicodedata.normalize("NFC", text.strip()))
    seen = NEEDED.sub("", typed)
    if any(unicodedata.category(char) in UNSEEN for char in seen) or UNSEEN_LETTER.search(seen):
        raise _invalid("This name contains an invisible character. Type it again without it.")
    name = " ".join(typed.split())
    if not 1 <= len(name) <= MAX_CHARACTERS:
        raise _invalid(f"Choose a name of 1 to {MAX_CHARACTERS} characters.")
    if not any(unicodedata.category(char)[0] in "LN" for char in name):
        raise _invalid("Choose a name with at least one letter or digit.")
    if _has_tower_of_marks(name):
        raise _invalid("This name has too many marks on one letter. Remove some.")
    if any(_mixes_scripts(word) for word in re.findall(r"\w+", name)):
        raise _invalid("This name mixes letters that look alike from different scripts. Use one script in each word.")
    if is_reserved(name):
        raise _invalid("This name could be taken for the tutor or for staff. Choose another one.")
    return name


def name_key(name: str) -> str:
    """Return one spelling of the name's looks. Names with the same key could be taken for each other."""
    return _look_of(_words(_plain(name), SYMBOLS_AS_LETTERS))


def is_reserved(name: str) -> bool:
    """Return whether a name claims, or seems to claim, to be the tutor, staff or everybody."""
    if name in GIVEN_NAMES:
        return False
    plain = _plain(name)
    words = _words(plain, "")
    readings = [_words(plain, SYMBOLS_AS_LETTERS), words, [word.strip("0123456789") for word in words]]
    return any(_is_reserved_alone(reading) or _holds_reserved(reading) for reading in readings)


def _is_reserved_alone(words: list[str]) -> bool:
    whole = "".join(words).translate(AS_LETTERS)
    return any(whole.replace("1", letter) in RESERVED_ALONE for letter in "il")


def _holds_reserved(words: list[str]) -> bool:
    """Return whether a word, or several joined, are reserved: `ad min`, `t.u.t.o.r Ann`."""
    runs = (words[start:end] for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return any(_look_of(run) in _reserved() for run in runs)


@cache
def _reserved() -> frozenset[str]:
    return frozenset(_look_of([word]) for word in RESERVED)


def _look_of(words: list[str]) -> str:
    """Return the words joined, with letters that the eye confuses made equal."""
    text = "".join(words).translate(AS_LETTERS).replace("1", "l").replace("i", "l")
    return text.replace("rn", "m").replace("vv", "w")


def _words(plain: str, symbols: str) -> list[str]:
    """Return the words of a plain name in lower case, split also at `aB`. `symbols` count as letters."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower()
    runs = groupby(spaced, lambda char: char.isalnum() or char in symbols)
    return ["".join(run) for is_word, run in runs if is_word]


def _plain(name: str) -> str:
    """Return the name without marks, and with Latin letters in place of those that look like them."""
    unmarked = (char for char in unicodedata.normalize("NFKD", name) if unicodedata.category(char) != "Mn")
    return "".join(_latin(char) for char in "".join(_latin(char) for char in unmarked))


@lru_cache(4096)
def _latin(char: str) -> str:
    """Return the Latin letter that `char` looks like, or else `char`."""
    if char.isascii():
        return char
    return _styled(char) or next(_looks_of(char), None) or next(_looks_of(char.lower()), None) or char


def _styled(char: str) -> str | None:
    """Return the letter that a character's Unicode name holds, or None.

    Such names are `LATIN LETTER SMALL CAPITAL T`, `SQUARED LATIN CAPITAL LETTER A` and `O WITH STROKE`.
    """
    name = unicodedata.name(char, "")
    match = STYLED.search(name)
    if not match:
        return None
    return match[1] if "CAPITAL LETTER" in name else match[1].lower()


def _looks_of(char: str) -> Iterator[str]:
    from confusable_homoglyphs.confusables import confusables_data

    for look in confusables_data.get(char, ()):
        glyph = look["c"]
        if glyph.isascii() and glyph.isalnum():
            yield glyph
        elif len(glyph) == 1 and (letter := _styled(glyph)):
            yield letter


def _has_tower_of_marks(name: str) -> bool:
    marks = 0
    for char in name:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks > MAX_MARKS:
            return True
    return False


def _mixes_scripts(word: str) -> bool:
    from confusable_homoglyphs.categories import alias
    from confusable_homoglyphs.confusables import is_dangerous

    scripts = {alias(char) for char in word} - ANY_SCRIPT
    return not scripts <= WRITTEN_TOGETHER and bool(is_dangerous(word))


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, [FieldError(field="name", message=sentence)])
