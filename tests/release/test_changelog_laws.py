"""Laws of releases in changelogs, over documents that Hypothesis makes of lines seen in the wild and of worse ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings, strategies as st
from markdown_it import MarkdownIt  # rich brings it

from deploytasks.release.changelog import ChangelogRefused, Promotion, notes, promote, rendered
from deploytasks.release.changelog.reader import read

from .changelogs import BODIES, DATE, ENCODINGS, LINKS, STYLES, UNRELEASED, composed

LINES = [
    "",
    " ",
    "\t",
    "# Title",
    "## [Unreleased]",
    "## Unreleased",
    "Unreleased",
    "---",
    "===",
    "-",
    "***",
    "- - -",
    "- a",
    "  - b",
    "    c",
    "1. d",
    "10) e",
    "text",
    "  more",
    "```",
    "~~~",
    "````md",
    "  ```",
    "- ```sh",
    "<!--",
    "-->",
    "<!-- x -->",
    "--> y",
    "<pre>",
    "</pre>",
    "<details>",
    "> quoted",
    "> ```",
    "## [1.2.0] - 2026-01-01",
    "## 1.1.0",
    "## v1.0.0 (2025-01-02)",
    "# 2.0.0",
    "### [0.9.0]",
    "### Added",
    "### 3.8 is gone",
    "## Python 3.8",
    "## [1.2.x]",
    "1.1.0 - 2026-05-04",
    "[Unreleased]:",
    "https://x.y/z",
    "[Unreleased]: https://github.com/o/r/compare/v1.1.0...HEAD",
    "[unreleased]: <https://x.y/compare/a..b>",
    "[1.1.0]: https://x.y/tree/v1.1.0",
    "[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0",
    "[1.0.0]: https://x.y?from=a&to=b",
    "[a]: /compare/",
    "[a][b] (c) <d>",
    "**Breaking:** x",
    "- **b** _i_ `c` [t](https://u.v) ![i](j) <https://k.l> \\* ~~s~~",
    "[",
    "](",
    "`",
    "**",
    "&<>|",
    "\x00",
    "é",
    "\u2028",
    "\ufeff",
]

READ_OTHERWISE = re.compile(r"]:|^</?(pre|details)|[\x00\u2028\ufeff]")
MARKS = st.text(alphabet="#-=*+>`~ 1.)a", max_size=8)

line = st.one_of(st.sampled_from(LINES), st.text(alphabet="#-=*[]()`~<>! \t\\.:/v0123456789aU\r", max_size=24))
ending = st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n", "\r"])


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Documents of any lines and endings, most of them with what a release needs."""
    pieces = draw(st.lists(st.tuples(line, ending), max_size=30))
    if draw(st.booleans()):
        pieces = [("# C", "\n"), ("## [Unreleased]", draw(ending)), ("- x", "\n"), *pieces]
    text = "".join(one + end for one, end in pieces).encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-8"])))
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xff"])) + (text[:-1] if draw(st.booleans()) else text)


def released(document: bytes, version: str = "1.2.0") -> Promotion:
    return promote(document, version=version, date=DATE, tag=f"v{version}", previous_tag="v1.1.0", allow_empty=True)


def assert_only_expected_lines(before: bytes, found: Promotion, version: str) -> None:
    """Walk through both: a line is the same, or it is new and names the version, or its link begins at the version."""
    old, new = before.split(b"\n"), found.document.split(b"\n")
    at = came = went = 0
    for one in new:
        last = at == len(old) - 1  # its carriage return may come, or go to what is below it now
        if at < len(old) and (one == old[at] or (last and one.rstrip(b"\r") == old[at].rstrip(b"\r"))):
            at += 1
        elif at < len(old) and _moved(old[at].rstrip(b"\r"), one.rstrip(b"\r"), b"v" + version.encode()):
            at, went = at + 1, went + 1
        else:
            came += 1
            bare = one.strip(b"\r")
            assert not bare or version.encode() in one or not bare.strip(b"-="), one
    assert at == len(old), "a line is gone"
    assert came <= 4, "a blank line, a heading, perhaps its underline, and a link"
    assert went <= 1, "the link of what is unreleased"


def _moved(old: bytes, new: bytes, tag: bytes) -> bool:
    """Whether a line compares, and is the same but for one span, in which the tag stands now."""
    if not any(mark in old for mark in (b"/compare/", b"from=")):
        return False
    places = (at for at in range(len(new)) if new.startswith(tag, at) and new[:at] == old[:at])
    return any(len(old) >= at and old[at:].endswith(new[at + len(tag) :]) for at in places)


@given(st.lists(st.sampled_from([one for one in LINES if not READ_OTHERWISE.search(one)]) | MARKS, max_size=9))
@settings(max_examples=500, deadline=None)
def test_headings_are_those_of_markdown(lines: list[str]) -> None:
    """The headings at the top level are those that another reader of CommonMark finds, and on the same lines.

    Left out is what is read as it was meant: definitions that text goes over into, HTML that swallows what follows, and
    underlines of more than a line.
    """
    text = "\n".join(lines)
    found = [one for one in MarkdownIt("commonmark").parse(text) if one.type == "heading_open" and one.level == 0]
    expected = [one.map[0] for one in found if one.map and (one.markup[0] == "#" or one.map[1] - one.map[0] == 2)]
    assert expected == [one.line for one in read(text.encode()).headings]


@given(documents())
@example(b"\n## [Unreleased]\r")
@example(b"[Unreleased]: https://github.com/o/r/compare/v1.1.0...HEAD\n## [Unreleased]\n")
@settings(max_examples=400, deadline=None)
def test_any_document(document: bytes) -> None:
    """Refused, or exactly the expected lines change, the notes are what stood there, and a second time is refused."""
    try:
        found = released(document)
    except ChangelogRefused as refused:
        if "line" not in refused.what or "mistake in the program" in refused.do:
            raise
        return
    assert_only_expected_lines(document, found, "1.2.0")
    assert found.section == notes(found.document, "1.2.0")
    if b"[1.2.0]: " not in found.section:  # links below the heading, or in the text, move with it
        assert found.section == notes(document, "Unreleased")
    with pytest.raises(ChangelogRefused, match=r"1\.2\.0 has a section"):
        released(found.document)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes(document: bytes) -> None:
    """Whatever the bytes, nothing is raised but a refusal, and notes can be shown anywhere."""
    for text in (document, b"## Unreleased\n" + document):
        try:
            found = released(text)
        except ChangelogRefused:
            continue
        assert found.section == notes(text, "Unreleased")
        assert rendered(found.section, "github") is not None
        assert len(rendered(found.section, "slack")) <= 3000
        assert rendered(found.section, "text") is not None


@given(
    st.sampled_from(sorted(UNRELEASED)),
    st.sampled_from(sorted(STYLES)),
    st.sampled_from(sorted(LINKS)),
    st.sampled_from(sorted(BODIES)),
    st.sampled_from(sorted(ENCODINGS)),
)
@settings(max_examples=300, deadline=None)
def test_any_traits(unreleased: str, style: str, links: str, body: str, encoding: str) -> None:
    """Any five traits together: exactly what was expected; and again for the next version, from what came out."""
    one = composed(unreleased, style, links, body, encoding)
    found = released(one.before)
    assert one.after == found.document
    assert one.body == found.section == notes(found.document, "1.2.0") == notes(one.before, "Unreleased")
    again = promote(found.document, version="1.3.0", date=DATE, tag="v1.3.0", previous_tag="v1.2.0", allow_empty=True)
    assert notes(again.document, "1.2.0") == one.body
    assert again.section == b""
    assert [warning for warning in again.warnings if "began" in warning] == []


@given(st.lists(st.tuples(line, ending), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_notes_are_rendered(pieces: list[tuple[str, str]]) -> None:
    """For Slack within its limit, with every link whole; for GitHub as they are."""
    text = "".join(one + end for one, end in pieces)
    assert rendered(text.encode(), "github") == text
    shown = rendered(text.encode() * 40, "slack")
    assert len(shown) <= 3000
    for piece in shown.replace("\n> ", "\n").removeprefix("> ").split("<")[1:]:
        assert ">" in piece, "a link is cut"
