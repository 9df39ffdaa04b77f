"""Names that people give themselves: cleaned for display, and refused when they could be taken for somebody official.

A name is judged by how it looks: look-alikes, marks, styled letters and digits used as letters become plain Latin.
After Unicode UTS 39, with the tables of confusable-homoglyphs (loaded with the first name: 17 MB) and what Unicode
calls the styled letters. `check_name` is for what a person typed, `name_key` for comparing two names.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby

from tutordesk.ground.errors import FieldError, Invalid

MAX_CHARACTERS, MAX_MARKS = 40, 4
# Refused as any word of a name, however it is spelled.
RESERVED = ("tutor", "tutordesk", "admin", "administrator", "agent", "assistant", "moderator", "system", "support")
# Refused as the whole name only: Ai Weiwei and Alison are people.
RESERVED_ALONE = ("everyone", "here", "all", "bot", "ai")

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters and marks that show nothing (Default_Ignorable_Code_Point that are not Cf), and the blank Braille pattern.
UNSEEN_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)
PICTURE_STYLE = re.compile("[\ufe0e\ufe0f]")  # shows the sign before it as text or as a picture; keyboards add it
WRITTEN_TOGETHER = {"LATIN", "HAN", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"}  # in one word, in East Asia
ANY_SCRIPT = {"COMMON", "INHERITED"}
STYLED = re.compile(r"\b(?:LATIN|REGIONAL INDICATOR|SQUARED) .*LETTER (?:[A-Z]+ ){0,2}([A-Z])(?: WITH .*)?$")
SIGNS_AS_LETTERS = "@$€!|"
AS_LETTERS = str.maketrans("0345789@$€!|", "oeastbgase11")  # 1 is i or l


def check_name(text: str) -> str:
    """The name as it is shown: NFC, trimmed, single spaces, 1 to 40 characters. Raises Invalid with a sentence."""
    typed = PICTURE_STYLE.sub("", unicodedata.normalize("NFC", text.strip()))
    if any(unicodedata.category(sign) in UNSEEN for sign in typed) or UNSEEN_LETTERS.search(typed):
        raise _invalid("That name holds a character that cannot be seen. Type it anew without it.")
    name = " ".join(typed.split())
    if not 1 <= len(name) <= MAX_CHARACTERS:
        raise _invalid(f"A name has 1 to {MAX_CHARACTERS} characters.")
    if not any(unicodedata.category(sign)[0] in "LN" for sign in name):
        raise _invalid("A name needs a letter or a digit.")
    if _has_tower_of_marks(name):
        raise _invalid("That name stacks too many marks on one letter.")
    if any(_mixes_scripts(word) for word in re.findall(r"\w+", name)):
        raise _invalid("That name mixes letters that look alike from different scripts. Keep to one in each word.")
    if is_reserved(name):
        raise _invalid("That name could be taken for the tutor or for staff. Choose another one.")
    return name


def name_key(name: str) -> str:
    """How a name looks, in one spelling. Names with the same key can be taken for each other."""
    return _seen(_words(_plain(name), SIGNS_AS_LETTERS))


def is_reserved(name: str) -> bool:
    """Whether a name says, or looks as if it said, that this is the tutor, staff or everybody."""
    plain = _plain(name)
    words = _words(plain, "")
    readings = [_words(plain, SIGNS_AS_LETTERS), words, [word.strip("0123456789") for word in words]]
    return any(_is_reserved_alone(reading) or _holds_reserved(reading) for reading in readings)


def _is_reserved_alone(words: list[str]) -> bool:
    whole = "".join(words).translate(AS_LETTERS)
    return any(whole.replace("1", letter) in RESERVED_ALONE for letter in "il")


def _holds_reserved(words: list[str]) -> bool:
    """As one word, or as a word with gaps: `ad min`, `t.u.t.o.r Ann`."""
    runs = (words[start:end] for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return any(_seen(run) in _reserved() for run in runs)


@cache
def _reserved() -> frozenset[str]:
    return frozenset(_seen([word]) for word in RESERVED)


def _seen(words: list[str]) -> str:
    """Words as one, with the letters that the eye confuses made the same."""
    text = "".join(words).translate(AS_LETTERS).replace("1", "l").replace("i", "l")
    return text.replace("rn", "m").replace("vv", "w")


def _words(plain: str, signs: str) -> list[str]:
    """The words of a plain name, small; at `aB` a new one begins. `signs` count as letters."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return ["".join(word) for is_word, word in groupby(parted.lower(), lambda s: s.isalnum() or s in signs) if is_word]


def _plain(name: str) -> str:
    """A name without marks, with every letter that looks like a Latin one as that."""
    bare = (sign for sign in unicodedata.normalize("NFKD", name) if unicodedata.category(sign) != "Mn")
    return "".join(_latin(sign) for sign in "".join(_latin(sign) for sign in bare))


@lru_cache(4096)
def _latin(sign: str) -> str:
    """The Latin letter that `sign` looks like, else `sign`."""
    if sign.isascii():
        return sign
    return _styled(sign) or next(_looks_of(sign), None) or next(_looks_of(sign.lower()), None) or sign


def _styled(sign: str) -> str | None:
    """By its name in Unicode: `LATIN LETTER SMALL CAPITAL T`, `SQUARED LATIN CAPITAL LETTER A`, `O WITH STROKE`."""
    name = unicodedata.name(sign, "")
    found = STYLED.search(name)
    if not found:
        return None
    return found[1] if "CAPITAL LETTER" in name else found[1].lower()


def _looks_of(sign: str) -> Iterator[str]:
    from confusable_homoglyphs.confusables import confusables_data

    for look in confusables_data.get(sign, ()):
        glyph = look["c"]
        if glyph.isascii() and glyph.isalnum():
            yield glyph
        elif len(glyph) == 1 and (letter := _styled(glyph)):
            yield letter


def _has_tower_of_marks(name: str) -> bool:
    marks = 0
    for sign in name:
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        if marks > MAX_MARKS:
            return True
    return False


def _mixes_scripts(word: str) -> bool:
    from confusable_homoglyphs.categories import alias
    from confusable_homoglyphs.confusables import is_dangerous

    scripts = {alias(sign) for sign in word} - ANY_SCRIPT
    return not scripts <= WRITTEN_TOGETHER and bool(is_dangerous(word))


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, [FieldError(field="name", message=sentence)])
