"""Messages of a chat stay apart in its Markdown file, whatever they leave open or define."""

from itertools import pairwise

import httpx
import pytest
from markdown_it import MarkdownIt

from testing.serving import Live
from testing.steps import follow, start_asking
from tutordesk.chat.self_contained import self_contained

FENCE = "```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{FENCE}py\na", f"{FENCE}py\na\n{FENCE}", id="an open fence"),
        pytest.param(f"{FENCE}py\na\n{FENCE}", f"{FENCE}py\na\n{FENCE}", id="a closed fence"),
        pytest.param(FENCE, f"{FENCE}\n{FENCE}", id="a fence that just begins"),
        pytest.param(f"~~~~\n{FENCE}\na\n~~~", f"~~~~\n{FENCE}\na\n~~~\n~~~~", id="a longer fence of tildes"),
        pytest.param(f"{FENCE}\n    {FENCE}", f"{FENCE}\n    {FENCE}\n{FENCE}", id="an indented line closes nothing"),
        pytest.param(f"- x\n  {FENCE}js\n  a", f"- x\n  {FENCE}js\n  a\n  {FENCE}", id="a fence in a list"),
        pytest.param("1. a\n   - ~~~\n     b", "1. a\n   - ~~~\n     b\n     ~~~", id="a fence in a list in a list"),
        pytest.param(f"> {FENCE}\n> a", f"> {FENCE}\n> a\n> {FENCE}", id="a fence in a quote"),
        pytest.param(f"{FENCE}\na\n{FENCE}\n\nb", f"{FENCE}\na\n{FENCE}\n\nb", id="text after a closed fence"),
        pytest.param("So:\n\n$$\na + b", "So:\n\n$$\na + b\n$$", id="an open formula"),
        pytest.param("- a\n\n  \\[x", "- a\n\n  \\[x\n  \\]", id="an open formula with brackets in a list"),
        pytest.param("$$x$$ and `$$`, \\[y\\]", "$$x$$ and `$$`, \\[y\\]", id="closed formulas"),
        pytest.param(f"{FENCE}\n$$\n{FENCE}\na", f"{FENCE}\n$$\n{FENCE}\na", id="dollars in code"),
        pytest.param("# A\n\n#### B", "### A\n\n###### B", id="headings"),
        pytest.param("A\nb\n===\n\nC\n---", "### A b\n\n#### C", id="underlined headings"),
        pytest.param("> # A\n\n- B\n  ---", "> ### A\n\n- #### B", id="headings in quotes and lists"),
        pytest.param(f"{FENCE}\n# a\n{FENCE}", f"{FENCE}\n# a\n{FENCE}", id="comments in code"),
        pytest.param("<details>\na <b>x</b>", "\\<details>\na \\<b>x\\</b>", id="HTML that is open"),
        pytest.param("<!-- a\n\n<script", "\\<!-- a\n\n\\<script", id="a comment and half a tag"),
        pytest.param("`<i>` <https://a.b> x<br>y, 1 < 2", "`<i>` <https://a.b> x<br>y, 1 < 2", id="what is no HTML"),
        pytest.param("a[^1] [^2]\n\n[^1]: b", "a[^7-1] [^2]\n\n[^7-1]: b", id="a footnote, and one without a note"),
        pytest.param(
            "a[^n]\n\n[^n]: b\n\n    c[^n] <i>",
            "a[^7-n]\n\n[^7-n]: b\n\n    c[^7-n] \\<i>",
            id="paragraphs of a footnote",
        ),
        pytest.param(
            "[a][d], [D][], [d], ![i][d], [no], [d](x), `[d]`\n\n[d]: https://a.b 'T'",
            "[a][7-d], [D][7-D], [d][7-d], ![i][7-d], [no], [d](x), `[d]`\n\n[7-d]: https://a.b 'T'",
            id="reference links",
        ),
        pytest.param("[![i][d]][d]\n\n[d]: /x", "[![i][7-d]][7-d]\n\n[7-d]: /x", id="an image in a reference link"),
        pytest.param("[文][注]\n\n[注]: https://a.b", "[文][7-注]\n\n[7-注]: https://a.b", id="Chinese labels"),
        pytest.param("a\r\nb \n\n", "a\nb", id="lines of Windows, and blank ones at the end"),
    ],
)
def test_what_a_message_opens_ends_with_it(text: str, expected: str) -> None:
    assert self_contained(text, "7-", level=2) == expected
    assert self_contained(expected, "", level=0) == expected, "it needs nothing more"


async def test_stopped_answer_leaves_the_rest_of_the_file_alone(live: Live, visitor: httpx.AsyncClient) -> None:
    texts = [
        f"# First\n\nA[^1] and [d].\n\n[^1]: Note one.\n\n[d]: https://example.com/1\n\n{FENCE}py\nprint(1)\n",
        f"# Second\n\nB[^1] and [d].\n\n[^1]: Note two.\n\n[d]: https://example.com/2\n\n<!-- open\n\n- ~~~\n  {FENCE}",
        "# Third\n\n[d] is text here.",
    ]
    live.fake.script, live.fake.chunk = "stall@1", 10_000
    chat: dict[str, str] = {}
    for text in texts:
        live.fake.text = text
        start = (await start_asking(visitor, f"{FENCE} Why?", **chat)).data
        assert (await visitor.post(f"/chat/replies/{start['id']}/stop")).status_code == 202
        await follow(visitor, start["id"])
        chat = {"session_id": start["session_id"]}
    exported = (await visitor.get(f"/chat/sessions/{chat['session_id']}/export")).text
    tokens = MarkdownIt("commonmark").parse(exported)
    headings = [
        content.content
        for opening, content in pairwise(tokens)
        if opening.type == "heading_open" and opening.level == 0
    ][1:]
    turns = [heading for heading in headings if heading.startswith(("You", "Tutor"))]
    assert len(turns) == 2 * len(texts)
    assert exported.count("*Stopped.*") == len(texts)
    assert [heading for heading in headings if heading not in turns] == ["First", "Second", "Third"]
    assert not [token for token in tokens if token.type.startswith("html")]
    links = [child.attrs["href"] for token in tokens for child in token.children or [] if child.type == "link_open"]
    assert links == ["https://example.com/1", "https://example.com/2"]
    assert exported.count("[^2-1]") == exported.count("[^4-1]") == 2
