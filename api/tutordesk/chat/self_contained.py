"""Make the Markdown of one message independent of the text around it, so that many messages fit into one file.

What a message leaves open is closed, its headings move below the file's own, its footnotes and definitions get a
prefix, and HTML is escaped, because pages show it as text. The parser finds the blocks; code stays as it was written.
"""

import re
from itertools import groupby, pairwise

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token
from markdown_it.utils import EnvType

_NOTE = re.compile(r"^[ \t>]*\[\^([^\]\s\[]{1,60})\]:")
# One paragraph at a time, so that a mark that is never closed reaches no further than its paragraph.
_SAME_PARAGRAPH = r"(?:(?!\n[ \t>]*\n)[\s\S])*?"
_MARKS = re.compile(
    rf"""(?P<code>(?P<ticks>`+)(?!`){_SAME_PARAGRAPH}(?<!`)(?P=ticks)(?!`)) | `+
    | (?P<display>\$\$ | \\[\[\]])
    | \\[\s\S]
    | (?P<start>^[ \t>*+\-\d.)]*)<(?=/?[A-Za-z][A-Za-z0-9-]*(?:[\s/>]|$)|[!?])(?!br[ \t]*/?>)
    | (?P<html><)(?=/?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>|!(?:--|[A-Za-z]|\[CDATA\[)|\?)(?!br[ \t]*/?>)
    | (?P<label>\[(?P<name>(?:[^\[\]\\]|\\.)+)\])(?P<empty>\[\])?
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


_PARSER = _make_parser()


def self_contained(text: str, prefix: str, level: int) -> str:
    """Return the text as it can stand in a file: `prefix` is unique in it, and headings begin below `level`."""
    text = re.sub(r"\r\n?", "\n", text).rstrip()
    env: EnvType = {}
    tokens = _PARSER.parse(f"{text}\n", env)
    lines: list[str | None] = list(text.split("\n"))
    code = _code_lines(tokens, text.split("\n"))
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            _lower(heading, content, lines, level)
    labels = {label for label in env.get("references", {}) if not label.startswith("^")}
    notes = {match[1].lower() for i, line in enumerate(lines) if i not in code and (match := _NOTE.match(line or ""))}
    marks = _Marks(prefix, labels, notes)
    parts = []
    for is_code, numbers in groupby(range(len(lines)), key=code.__contains__):
        part = "\n".join(line for number in numbers if (line := lines[number]) is not None)
        parts.append(part if is_code else marks.rewrite(part))
    return "\n".join(parts + marks.closers() + _open_fence(tokens, text.split("\n")))


def escape_html(text: str) -> str:
    """Return the text with the beginnings of HTML escaped."""
    return _Marks("", set(), set()).rewrite(text)


def _code_lines(tokens: list[Token], lines: list[str]) -> set[int]:
    """Return the numbers of the lines that are code. Indented paragraphs of a footnote are none."""
    code: set[int] = set()
    for token in tokens:
        if token.map is None or token.type not in {"fence", "code_block"}:
            continue
        first = token.map[0]
        if token.type == "fence" or not _is_in_note(lines, first):
            code.update(range(first, token.map[1]))
    return code


def _is_in_note(lines: list[str], number: int) -> bool:
    while number > 0 and re.match(r"[ \t]*$| {4}|\t", lines[number]):
        number -= 1
    while number > 0 and lines[number].strip() and not _NOTE.match(lines[number]):
        number -= 1
    return _NOTE.match(lines[number]) is not None


def _lower(heading: Token, content: Token, lines: list[str | None], level: int) -> None:
    """Move a heading below `level`. One that is underlined becomes one with signs, which have more levels."""
    if heading.map is None:
        return
    first, end = heading.map
    line = lines[first] or ""
    signs = "#" * min(int(heading.tag[1:]) + level, 6)
    if heading.markup.startswith("#"):
        lines[first] = line.replace(heading.markup, signs, 1)
        return
    container = line[: line.index(content.content.split("\n", 1)[0])]
    lines[first:end] = [f"{container}{signs} {' '.join(content.content.split())}", *[None] * (end - first - 1)]


def _open_fence(tokens: list[Token], lines: list[str]) -> list[str]:
    """Return the line that closes the last block if it is a fence that is open."""
    fence = next((token for token in reversed(tokens) if token.map and token.nesting == 0), None)
    if fence is None or fence.map is None or fence.type != "fence" or fence.map[1] < len(lines):
        return []
    if fence.map[1] - fence.map[0] - 1 > fence.content.count("\n"):
        return []  # its last line closes it
    return [_container(lines[fence.map[0]]) + fence.markup]


def _container(line: str) -> str:
    """Return what continues the quotes and list items that a line is in."""
    return re.sub(r"[^>\s]", " ", re.match(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t>]+)*", line)[0])  # type: ignore[index]


class _Marks:
    """Rewrites marks outside code, and remembers which displayed formula is open."""

    def __init__(self, prefix: str, labels: set[str], notes: set[str]) -> None:
        self._prefix = prefix
        self._labels = labels
        self._notes = notes
        self._opening = ""
        self._container = ""

    def rewrite(self, text: str) -> str:
        return _MARKS.sub(lambda match: self._replace(match, text), text)

    def closers(self) -> list[str]:
        closer = {"$$": "$$", r"\[": r"\]"}.get(self._opening)
        return [self._container + closer] if closer else []

    def _replace(self, match: re.Match[str], text: str) -> str:
        if mark := match["display"]:
            self._note_formula(mark, text[text.rfind("\n", 0, match.start()) + 1 : match.start()])
        elif match["start"] is not None:
            return f"{match['start']}\\<"
        elif match["html"]:
            return r"\<"
        elif match["label"]:
            return self._rename(match, text)
        return match[0]

    def _note_formula(self, mark: str, before: str) -> None:
        if not self._opening and mark != r"\]":
            self._opening, self._container = mark, _container(before)
        elif (self._opening, mark) in {("$$", "$$"), (r"\[", r"\]")}:
            self._opening = ""

    def _rename(self, match: re.Match[str], text: str) -> str:
        label, name = match["label"], match["name"]
        after = text[match.end() : match.end() + 1]
        if name.startswith("^"):
            return (
                f"[^{self._prefix}{name[1:]}]" + (match["empty"] or "") if name[1:].lower() in self._notes else match[0]
            )
        if normalizeReference(name) not in self._labels or after == "(":
            return match[0]
        renamed = f"[{self._prefix}{name}]"
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        is_definition = after == ":" and re.fullmatch(r"[ \t>]*", before)
        if is_definition or before.endswith("]"):
            return renamed
        return match[0] if after == "[" else label + renamed
