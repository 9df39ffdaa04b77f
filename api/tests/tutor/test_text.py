"""Excerpts show the words of a query in any language, and stay short."""

import pytest

from tutordesk.ground.text import excerpt_around

LONG = "filler " * 80


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("short text", "text", "short text"),
        (LONG + "the Okapi runs " + LONG, "okap", "the Okapi runs"),
        (LONG + "Ein GROẞER Bär " + LONG, "grosser", "GROẞER"),
        (LONG + "東京タワーの高さ " + LONG, "タワ", "タワー"),
        (LONG + "東京タワーの高さ " + LONG, "タワー", "タワー"),
        (LONG + "no such word", "zebra", "filler filler"),
        ("", "zebra", ""),
        ("x" * 1000 + "needle", "needle", "xxx"),
    ],
)
def test_excerpt_shows_the_first_word_that_was_asked_for(text: str, query: str, shown: str) -> None:
    excerpt = excerpt_around(text, query, 160)
    assert shown in excerpt
    assert len(excerpt) <= 161
