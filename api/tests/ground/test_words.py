"""Texts that show nothing are empty, and tags that look the same are one."""

import unicodedata

import pytest

from tutordesk.ground.words import is_blank, one_spelling, without_unseen


@pytest.mark.parametrize(
    "text",
    ["", " \t\n", "\u00a0\u3000", "\u200b", "\u00ad", "\ufeff", "\u2060\u200e", "\u3164", "\u2800", "\u115f", "\ufe0f"],
)
def test_text_that_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["x", "\u200bx", "👩\u200d💻", "-", "あ", "\u0301x", "क\u094d\u200d", "❤\ufe0f"])
def test_text_with_one_visible_character_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("Café", "café"),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("한글", "한글"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("\u200bMath", "math"),
        ("ma\u00adth", "math"),
        ("\ufeffmath\u2060", "math"),
        ("İstanbul", "istanbul"),
        ("ISTANBUL", "istanbul"),
        ("Straße", "strasse"),
        ("ΣΟΦΟΣ", "σοφοσ"),
        (unicodedata.normalize("NFD", "がくしゅう"), "がくしゅう"),
        ("a\n  b", "a b"),
    ],
)
def test_tag_has_one_spelling(typed: str, tag: str) -> None:
    assert one_spelling(typed) == tag
    assert one_spelling(tag) == tag


@pytest.mark.parametrize(
    "text",
    ["علی\u200cرضا", "👩\u200d💻", "❤\ufe0f\u200d🔥", "क\u094d\u200dष", "🏴\U000e0067\U000e0062\U000e007f", "1\ufe0f⃣"],
)
def test_joiners_that_a_script_or_an_emoji_needs_stay(text: str) -> None:
    assert without_unseen(text) == text


@pytest.mark.parametrize("text", ["a\u200db", "\u200ca", "👩\u200d", "علی\u200c"])
def test_joiners_that_nothing_needs_go(text: str) -> None:
    assert without_unseen(text) == text.replace("\u200c", "").replace("\u200d", "")
