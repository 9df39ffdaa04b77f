"""The offline tutor answers with the best passages, says that it is offline, and summarises by itself."""

import httpx
import pytest

from testing.steps import TICKET, create_ticket
from tutordesk.ground.text import first_words, plain_text
from tutordesk.ground.words import words
from tutordesk.tickets.models import Ticket
from tutordesk.tutor.models import Source
from tutordesk.tutor.prompt import fence, summary_prompt, tutor_prompt
from tutordesk.tutor.providers.offline import NOTE, answer, split_blocks, summarise

PROXY = Source(
    "1",
    "Image upload error",
    "troubleshooting",
    ("upload",),
    "",
    "Sending a photo fails.\n\n## Cause\n\nThe proxy has a body limit of 4 MB.\n\n## Fix\n\nRaise the limit:\n\n"
    "```nginx\nclient_max_body_size 20m;\n\n# comment\n```\n\nThen reload it.",
)
CELLS = Source("2", "Cells", "article", (), "", "A cell is the unit of life.\n\nMitochondria make energy.")


def test_best_passages_are_quoted_unchanged() -> None:
    text = answer(tutor_prompt([], "What is the body limit of the proxy?", [CELLS, PROXY], about_ticket=False))
    assert text.startswith(NOTE)
    assert "**Image upload error**" in text
    assert "The proxy has a body limit of 4 MB." in text
    assert "Mitochondria" not in text


def test_code_stays_whole() -> None:
    text = answer(tutor_prompt([], "How do I raise client_max_body_size?", [PROXY], about_ticket=True))
    assert "```nginx\nclient_max_body_size 20m;\n\n# comment\n```" in text
    assert split_blocks("```\nopen fence")[-1].endswith("```")


def test_one_chosen_ticket_always_says_something() -> None:
    assert "Sending a photo fails." in answer(tutor_prompt([], "Why?", [PROXY], about_ticket=True))


def test_offline_tutor_says_when_nothing_is_relevant() -> None:
    text = answer(tutor_prompt([], "zeppelin", [PROXY], about_ticket=False))
    assert "I found nothing about that in the tickets." in text
    assert "photo" not in text


def test_summary_is_the_first_sentences() -> None:
    assert summarise(CELLS) == "A cell is the unit of life. Mitochondria make energy."
    assert summarise(Source("3", "Only a title", "x", (), "", "```\n```")) == "Only a title"
    assert summary_prompt(CELLS).kind == "summary"


def test_fence_changes_each_time() -> None:
    assert fence([PROXY]) != fence([PROXY])


def test_words_and_plain_text_are_found_in_markdown() -> None:
    assert list(words("Größe, CAFÉ: 東京都 a_b x2")) == ["grosse", "cafe", "東京", "京都", "a", "b", "x2"]
    markdown = "# Title\n\n- [x] **bold** and *it* `code`\n\n> quote [text](https://x.example)"
    markdown += "\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert plain_text(markdown) == "Title bold and it code quote text a b 1 2"
    assert first_words("One two. Three four five. Six.", 4) == "One two."
    assert len(first_words("word " * 500, 60).split()) == 60


async def test_offline_is_the_default_and_works_end_to_end(mock: httpx.AsyncClient) -> None:
    """The summary, without key and network."""
    ticket = await create_ticket(mock)
    (task,) = mock.app.state.summaries._tasks.values()  # type: ignore[attr-defined]
    await task
    saved = await Ticket.get(ticket["id"])
    assert saved
    assert saved.summary_status == "ready"
    assert saved.summary_model == "offline"
    assert saved.ai_summary == "Sending a photo above 4 MB ends with 413. The proxy refuses the body first."
    rows = (await mock.get("/tickets", params={"q": TICKET["title"]})).json()
    assert rows[0]["ai_summary"] == saved.ai_summary


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("See [docs][d] and [D].\n\n[d]: https://example.com/x 'T'\n", "See docs and D."),
        ("Text[^1] more[^two].\n\n[^1]: The note.\n[^two]: Another.", "Text more. The note. Another."),
        ("`rows[i][j]` and `[^a-z]`, [x] of [y][z]", "rows[i][j] and [^a-z], [x] of [y][z]"),
        ("| a |\n|---|\n| x<br>y<BR />z |", "a x y z"),
        ("[" * 5_000 + "]: x", "[" * 5_000 + "]: x"),
    ],
)
def test_links_and_notes_are_plain_text(markdown: str, text: str) -> None:
    assert plain_text(markdown) == text
