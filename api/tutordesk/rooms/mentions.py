"""Finds the names after an `@` in a message. The client draws and completes them by the same patterns.

`python -m testing.pages` writes the patterns for the client, so both must be valid in Python's `regex` and in
JavaScript. Both are tested by the same file of cases.

- An `@` inside a word, such as in an address, begins no mention, except in scripts without spaces between words.
- A name ends where no letter of a script with spaces follows: `@tutor请解释`, but not `@tutorial`.
- Names are compared in one normal form and in any case. Of two that begin alike, the longer one counts.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

import regex

from tutordesk.ground.words import UNSPACED

BEFORE = rf"(?<![@/.])(?<!(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}_])@"
AFTER = rf"(?!\p{{M}}|[\u200c\u200d]|(?![{UNSPACED}])[\p{{L}}\p{{N}}])"
CODE = re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)|`[^`\n]*`", re.S)
ASKS_TUTOR = regex.compile(rf"{BEFORE}tutor{AFTER}", regex.I)
MAX_MENTIONS = 50


def asks_tutor(content: str) -> bool:
    """Return whether the message mentions the tutor, outside of code."""
    return bool(ASKS_TUTOR.search(_prose(content)))


def without_tutor(content: str) -> str:
    """Return the message without its mentions of the tutor."""
    return str(ASKS_TUTOR.sub("", content)).strip()


def may_mention(content: str) -> bool:
    """Return whether an `@` outside of code may begin a mention."""
    return "@" in _prose(content)


def mentioned_names(content: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that the message mentions outside of code, in their order in it, at most 50 places."""
    by_key = {_key(name): name for name in names}
    if not by_key:
        return []
    longest_first = sorted((regex.escape(_composed(name)) for name in by_key.values()), key=len, reverse=True)
    pattern = regex.compile(f"{BEFORE}({'|'.join(longest_first)}){AFTER}", regex.I)
    matches = islice(pattern.finditer(_prose(content)), MAX_MENTIONS)
    return list(dict.fromkeys(by_key[_key(match[1])] for match in matches))


def _prose(content: str) -> str:
    return _composed(CODE.sub(" ", content))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _key(name: str) -> str:
    """Return what names that differ only in case have in common."""
    return _composed(name).casefold()
