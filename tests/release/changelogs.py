"""Changelogs for tests: made of traits that are seen in the wild, with what a release must make of each.

Nothing here uses the code under test. A changelog is a list of marked lines, as in a diff: a line that stays begins
with a space, one that goes with ``-`` and one that comes with ``+``. What goes in is all but the lines that come, and
what must come out is all but the lines that go.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

DATE = dt.date(2026, 11, 23)
VERSION, BEFORE, FIRST = "1.2.0", "1.1.0", "1.0.0"

Lines = list[str]


class Case(NamedTuple):
    """A changelog, what a release makes of it, and what stands in the new section."""

    name: str
    before: bytes
    after: bytes
    body: bytes
    tag: str = f"v{VERSION}"
    previous_tag: str | None = f"v{BEFORE}"
    version: str = VERSION


# --- how what is unreleased is headed ---------------------------------------------------------------------

UNRELEASED: dict[str, Lines] = {
    "brackets": ["## [Unreleased]"],
    "plain": ["## Unreleased"],
    "upper": ["## [UNRELEASED]"],
    "lower": ["## [unreleased]"],
    "label": ["## [Unreleased][unreleased]"],
    "collapsed": ["## [Unreleased][]"],
    "release date": ["## [Unreleased] - ReleaseDate"],
    "to be announced": ["## [Unreleased] – TBD"],
    "remark": ["## [Unreleased] (develop)"],
    "closed": ["## [Unreleased] ##"],
    "bold": ["## **[Unreleased]**"],
    "slanted": ["## _Unreleased_"],
    "picture": ["## 🚧 Unreleased"],
    "short code": ["## :construction: [Unreleased]"],
    "comment": ["## [Unreleased] <!-- next -->"],
    "colon": ["## Unreleased:"],
    "indented": ["  ## [Unreleased]"],
    "escaped": ["## \\[Unreleased\\]"],
    "spaces": ["##   [Unreleased]  "],
    "tab": ["##\t[Unreleased]"],
    "changes": ["## Unreleased changes"],
    "underlined": ["Unreleased", "----------"],
    "underlined in brackets": ["[Unreleased]", "---"],
}


# --- how a version is headed ------------------------------------------------------------------------------


class Style(NamedTuple):
    """How a version is headed, and what its link is called where it has one."""

    heading: str
    label: str = "{v}"
    underline: bool = False

    def lines(self, version: str, date: str, more: str = "") -> Lines:
        text = self.heading.format(v=version, d=date)
        return [text + more, "-" * len(text + more)] if self.underline else [text + more]


STYLES: dict[str, Style] = {
    "brackets": Style("## [{v}] - {d}"),
    "plain": Style("## {v} - {d}"),
    "v": Style("## v{v} - {d}", "v{v}"),
    "v in brackets": Style("## [v{v}] - {d}", "v{v}"),
    "parentheses": Style("## {v} ({d})"),
    "brackets, parentheses": Style("## [{v}] ({d})"),
    "en dash": Style("## [{v}] – {d}"),
    "em dash": Style("## [{v}] — {d}"),
    "slash": Style("## {v} / {d}"),
    "date in brackets": Style("## {v} [{d}]"),
    "space": Style("## [{v}] {d}"),
    "comma": Style("## {v}, {d}"),
    "equals": Style("## [{v}] = {d}"),
    "released": Style("## {v} - released {d}"),
    "word": Style("## Version {v} - {d}"),
    "name": Style("## app-{v} ({d})"),
    "name and v": Style("## [@team/app@v{v}] - {d}", "@team/app@v{v}"),
    "bold": Style("## **[{v}]** - _{d}_"),
    "code": Style("## [`{v}`][{v}] - {d}"),
    "label": Style("## [{v}][{v}] - {d}"),
    "collapsed": Style("## [{v}][] - {d}"),
    "escaped": Style("## \\[{v}\\] - {d}"),
    "all in brackets": Style("## [{v} - {d}]"),
    "underlined": Style("{v} ({d})", underline=True),
    "underlined in brackets": Style("[{v}] - {d}", underline=True),
}


# --- links ------------------------------------------------------------------------------------------------

Foot = Callable[[str], Lines]
"""Marked lines at the foot; the argument is how labels are written."""


def _foot(
    unreleased: str, version: str, first: str = "", *, link: str = "[{label}]: {to}", own: str = "Unreleased"
) -> Foot:
    """Newest first; ``unreleased`` and ``version`` are formats of addresses, of tags ``a`` and ``b``."""

    def lines(label: str) -> Lines:
        def named(of: str, to: str) -> str:
            return link.format(label=label.format(v=of), to=to)

        made = [
            "-" + link.format(label=own, to=unreleased.format(a=f"v{BEFORE}")),
            "+" + link.format(label=own, to=unreleased.format(a=f"v{VERSION}")),
            "+" + named(VERSION, version.format(a=f"v{BEFORE}", b=f"v{VERSION}")),
            " " + named(BEFORE, version.format(a=f"v{FIRST}", b=f"v{BEFORE}")),
        ]
        return made + ([" " + named(FIRST, first.format(b=f"v{FIRST}"))] if first else [])

    return lines


_HUB = "https://github.com/o/r"
_LAB = "https://gitlab.com/o/r"
_BUCKET = "https://bitbucket.org/o/r"
_STASH = "https://stash.example.org/projects/P/repos/r/compare/diff"
_AZURE = "https://dev.azure.com/o/p/_git/r/branchCompare"
_TAG = _HUB + "/releases/tag/{b}"


def _compared(base: str, head: str = "HEAD", dots: str = "...") -> tuple[str, str]:
    return f"{base}/compare/{{a}}{dots}{head}", f"{base}/compare/{{a}}{dots}{{b}}"


def _rising(label: str) -> Lines:
    one = label.format
    return [
        f" [{one(v=FIRST)}]: {_HUB}/releases/tag/v{FIRST}",
        f" [{one(v=BEFORE)}]: {_HUB}/compare/v{FIRST}...v{BEFORE}",
        f"+[{one(v=VERSION)}]: {_HUB}/compare/v{BEFORE}...v{VERSION}",
        f"-[Unreleased]: {_HUB}/compare/v{BEFORE}...HEAD",
        f"+[Unreleased]: {_HUB}/compare/v{VERSION}...HEAD",
    ]


def _last(label: str) -> Lines:
    one = label.format
    return [
        f"+[{one(v=VERSION)}]: {_HUB}/compare/v{BEFORE}...v{VERSION}",
        f" [{one(v=BEFORE)}]: {_HUB}/compare/v{FIRST}...v{BEFORE}",
        f" [{one(v=FIRST)}]: {_HUB}/releases/tag/v{FIRST}",
        f"-[Unreleased]: {_HUB}/compare/v{BEFORE}...HEAD",
        f"+[Unreleased]: {_HUB}/compare/v{VERSION}...HEAD",
    ]


def _only(version: str, unreleased: str = "") -> Foot:
    def lines(label: str) -> Lines:
        made = [f" [Unreleased]: {unreleased}"] if unreleased else []
        versions = [(VERSION, BEFORE), (BEFORE, FIRST), (FIRST, "0.9.0")]
        for mark, (new, old) in zip("+  ", versions, strict=True):
            made.append(f"{mark}[{label.format(v=new)}]: {version.format(a=f'v{old}', b=f'v{new}')}")
        return made

    return lines


def _two_lines(label: str) -> Lines:
    return [
        " [Unreleased]:",
        f"-  {_HUB}/compare/v{BEFORE}...HEAD",
        f"+  {_HUB}/compare/v{VERSION}...HEAD",
        f"+[{label.format(v=VERSION)}]: {_HUB}/compare/v{BEFORE}...v{VERSION}",
        f" [{label.format(v=BEFORE)}]:",
        f"   {_HUB}/compare/v{FIRST}...v{BEFORE}",
    ]


def _titles(label: str) -> Lines:
    return [
        f'-[Unreleased]: {_HUB}/compare/v{BEFORE}...HEAD "What is new"',
        f'+[Unreleased]: {_HUB}/compare/v{VERSION}...HEAD "What is new"',
        f"+[{label.format(v=VERSION)}]: {_HUB}/compare/v{BEFORE}...v{VERSION}",
        f" [{label.format(v=BEFORE)}]: {_HUB}/compare/v{FIRST}...v{BEFORE} (What was new)",
    ]


LINKS: dict[str, Foot] = {
    "none": lambda _label: [],
    "others": lambda _label: [" [semver]: https://semver.org", " [#12]: https://github.com/o/r/issues/12"],
    "github": _foot(*_compared(_HUB), _TAG),
    "lower": _foot(*_compared(_HUB, "main"), _TAG, own="unreleased"),
    "two dots": _foot(*_compared(_HUB, dots=".."), _TAG),
    "angles": _foot(*_compared(_HUB), _TAG, link="[{label}]: <{to}>"),
    "aligned": _foot(*_compared(_HUB), _TAG, link="  [{label}]:    {to}"),
    "titles": _titles,
    "gitlab": _foot(*_compared(f"{_LAB}/-", "main"), _LAB + "/-/tags/{b}"),
    "gitlab, a query": _foot(f"{_LAB}/-/compare?from={{a}}&to=main", f"{_LAB}/-/compare?from={{a}}&to={{b}}"),
    "gitlab, more": _foot(f"{_LAB}/-/compare/{{a}}...main?x=1", f"{_LAB}/-/compare/{{a}}...{{b}}?x=1"),
    "bitbucket": _foot(f"{_BUCKET}/branches/compare/HEAD..{{a}}", f"{_BUCKET}/branches/compare/{{b}}..{{a}}"),
    "bitbucket, CR": _foot(
        f"{_BUCKET}/branches/compare/main%0D{{a}}#diff", f"{_BUCKET}/branches/compare/{{b}}%0D{{a}}#diff"
    ),
    "bitbucket, as people do": _foot(f"{_BUCKET}/compare/{{a}}..HEAD", f"{_BUCKET}/compare/{{a}}..{{b}}"),
    "bitbucket server": _foot(
        f"{_STASH}?targetBranch=refs%2Ftags%2F{{a}}&sourceBranch=refs%2Fheads%2Fmain&targetRepoId=9",
        f"{_STASH}?targetBranch=refs%2Ftags%2F{{a}}&sourceBranch=refs%2Ftags%2F{{b}}&targetRepoId=9",
    ),
    "azure": _foot(
        f"{_AZURE}?baseVersion=GT{{a}}&targetVersion=GBmain", f"{_AZURE}?baseVersion=GT{{a}}&targetVersion=GT{{b}}"
    ),
    "codeberg": _foot(*_compared("https://codeberg.org/o/r", "trunk"), "https://codeberg.org/o/r/src/tag/{b}"),
    "relative": _foot(*_compared("../.."), "../../releases/tag/{b}"),
    "a repository called compare": _foot(*_compared("https://github.com/compare/compare"), _TAG),
    "a version in the name": _foot(*_compared("https://github.com/o/app-v1.1.0"), _TAG),
    "main in the name": _foot(*_compared("https://github.com/o/mainframe", "main"), _TAG),
    "a branch with a slash": _foot(*_compared(_HUB, "release/1.x"), _TAG),
    "oldest first": _rising,
    "unreleased last": _last,
    "on two lines": _two_lines,
    "versions only": _only(_HUB + "/compare/{a}...{b}"),
    "tags only": _only(_HUB + "/releases/tag/{b}"),
    "trees only": _only(_LAB + "/-/tree/{b}"),
    "unreleased compares nothing": _only(_HUB + "/compare/{a}...{b}", f"{_HUB}/tree/main"),
}


# --- what stands there ------------------------------------------------------------------------------------

BODIES: dict[str, Lines] = {
    "bullets": ["### Added", "", "- A door.", "- A window,", "  which opens.", "", "### Fixed", "", "* A hole."],
    "no blank lines": ["### Added", "- A door."],
    "text": ["A *quiet* release.", "", "It has [a link](https://example.org/1.1.0) and `## [Unreleased]` in code."],
    "fence": [
        "- Write it so:",
        "",
        "```markdown",
        "## [Unreleased]",
        "",
        "## [1.2.0] - 2020-01-01",
        "```",
        "",
        "- Well.",
    ],
    "tildes": [
        "~~~~",
        "```",
        "## [1.1.0] - 2020-01-01",
        "~~~",
        "[Unreleased]: https://example.org/compare/a...b",
        "~~~~~",
    ],
    "fence in a list": [
        "- Run:",
        "  ```sh",
        "  ## [Unreleased]",
        "  # 1.2.0",
        "  ```",
        "- ```",
        "  ## 1.2.0",
        "  ```",
        "- x",
    ],
    "fence that its item ends": ["1. Look:", "   ```", "   ## [1.2.0]", "", "### Fixed", "", "- x"],
    "comment": [
        "<!--",
        "## [Unreleased]",
        "## [1.2.0] - 2020-01-01",
        "[1.2.0]: https://example.org",
        "-->",
        "- A door.",
    ],
    "comment on one line": ["<!-- ## [Unreleased] -->", "### Added", "<!-- add here -->", "- A door."],
    "verbatim": ["<pre>", "## [Unreleased]", "</pre>", "", "- A door."],
    "folded": ["<details>", "<summary>More</summary>", "", "- A door.", "", "</details>"],
    "headings in an item": ["- An item", "", "  ## [Unreleased]", "", "  ## 1.2.0 - 2020-01-01", "", "- Another"],
    "indented code": ["Look:", "", "    ## [Unreleased]", "    ## [1.2.0]", "", "So."],
    "quotation": ["> ## [Unreleased]", "> ## [1.2.0] - 2020-01-01", "", "- A door."],
    "stray headings": ["## Added", "", "- A door.", "", "## Fixed", "", "- A hole."],
    "numbers in headings": [
        "### 2 new doors",
        "",
        "- Two.",
        "",
        "### 3.8 is gone",
        "",
        "- Python.",
        "",
        "#### Python 3.9",
        "- In.",
    ],
    "links": ["- A door ([#12]).", "", "[#12]: https://github.com/o/r/issues/12", "", "- A hole ([#13][]).", "", "- x"],
    "tasks": ["- [x] A door", "- [ ] ", "-", "1. One", "10) Ten"],
    "a table": ["| a | b |", "| --- | --- |", "| 1.2.0 | x |", "", "- A door."],
    "rules": ["- A door.", "", "***", "", "- A hole.", "", "---"],
    "other letters": ["- Ein Türchen, 一扇门, дверь 🚪", "- naïve"],
    "breaks": ["- **Breaking:** the door is gone.", "- Spaces at the end  ", "\t- A tab"],
    "many blank lines": ["", "", "- A door.", "", "", "", "- A hole.", "", ""],
    "a codename": ["_Codename “Door”_", "", "- A door."],
}

# --- bytes ------------------------------------------------------------------------------------------------

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "LF": lambda text: text,
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "BOM": lambda text: b"\xef\xbb\xbf" + text,
    "BOM, CRLF": lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
    "no end": lambda text: text.removesuffix(b"\n"),
    "CRLF, no end": lambda text: text.removesuffix(b"\n").replace(b"\n", b"\r\n"),
    "Latin-1": lambda text: text.replace(b"All notable", "Alle Änderungen, größer".encode("latin-1")),
    "no UTF-8": lambda text: text.replace(b"All notable", b"All \xff\xfe\x80 \xc3( \xed\xa0\x80 notable"),
    "NUL and CR": lambda text: text.replace(b"All notable", b"All \x00 \r no\x0btable\x0c \xe2\x80\xa8 \xc2\x85"),
    "CRLF below": lambda text: text[: text.index(b"# O\n")] + text[text.index(b"# O\n") :].replace(b"\n", b"\r\n"),
    "more lines at the end": lambda text: text + b"\n\n \t\n",
}


def case(name: str, lines: Sequence[str], encoding: str = "LF", body: Lines | None = None, **more: object) -> Case:
    """A case of marked lines. ``body``: what the new section holds, else what stands below the second new line."""
    text = ["".join(f"{line[1:]}\n" for line in lines if line[0] != gone).encode() for gone in "+-"]
    before, after = (ENCODINGS[encoding](one) for one in text)
    held = "".join(f"{line}\n" for line in _without_blanks(body or [])).encode()
    if "CRLF" in encoding and encoding != "CRLF below":
        held = held.replace(b"\n", b"\r\n")
    return Case(f"{name}; {encoding}", before, after, held, **more)  # type: ignore[arg-type]  # checked where it is given


def _without_blanks(lines: Lines) -> Lines:
    lines = list(lines)
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def composed(unreleased: str, style: str, links: str, body: str, encoding: str) -> Case:
    """A changelog of five traits."""
    how = STYLES[style]
    lines = [" # Our changelog", " ", " All notable changes. See [Keep a Changelog](https://keepachangelog.com).", " "]
    lines += [f" {line}" for line in UNRELEASED[unreleased]]
    lines += ["+", *(f"+{line}" for line in how.lines(VERSION, DATE.isoformat())), " "]
    lines += [f" {line}" for line in BODIES[body]]
    lines += [" ", *(f" {line}" for line in how.lines(BEFORE, "2026-05-04")), " ", " - Old.", " "]
    lines += [
        *(f" {line}" for line in how.lines(FIRST, "2025-01-02", "" if how.underline else " [YANKED]")),
        " ",
        " # O",
        " ",
    ]
    lines += LINKS[links](how.label)
    name = f"{unreleased} / {style} / {links} / {body}"
    return case(name, lines, encoding, BODIES[body])


def corpus() -> Iterator[Case]:
    """Every heading of what is unreleased with every body, every style of a version with every kind of links, each of
    the rest in turn."""
    unreleased, styles, links, bodies, encodings = (
        list(axis) for axis in (UNRELEASED, STYLES, LINKS, BODIES, ENCODINGS)
    )
    for first, one in enumerate(unreleased):
        for second, body in enumerate(bodies):
            turn = first + 7 * second
            yield composed(
                one, styles[turn % len(styles)], links[(3 * turn) % len(links)], body, encodings[turn % len(encodings)]
            )
    for first, style in enumerate(styles):
        for second, link in enumerate(links):
            turn = 5 * first + second
            yield composed(
                unreleased[turn % len(unreleased)],
                style,
                link,
                bodies[turn % len(bodies)],
                encodings[turn % len(encodings)],
            )
