"""Reading the documentation as tests need it: tables, headings, code, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = tuple(sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]))

_FENCE = re.compile(r"^(```|~~~)")


class Row(NamedTuple):
    """One row of a table: the heading it stands under, and its cells."""

    heading: str
    cells: tuple[str, ...]


def name(page: Path) -> str:
    """A page's path in the repository, for the names of tests."""
    return page.relative_to(ROOT).as_posix()


def rows(page: Path) -> Iterator[Row]:
    """All rows of a page's tables, but for their heads."""
    heading, is_body = "", False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ").strip()
        if not line.startswith("|"):
            is_body = False
        elif re.fullmatch(r"\|[\s:|-]+\|", line):
            is_body = True
        elif is_body:
            yield Row(heading, tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]))


def table(page: Path, *heads: str) -> list[tuple[str, ...]]:
    """The rows of every table of a page whose head is ``heads``, each a tuple of cells."""
    found, is_wanted = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        if not line.startswith("|"):
            is_wanted = False
        elif cells == heads:
            is_wanted = True
        elif is_wanted and not re.fullmatch(r"\|[\s:|-]+\|", line):
            found.append(cells)
    return found


def headings(page: Path) -> list[str]:
    """The texts of all headings, outside of code."""
    return [line.lstrip("# ").strip() for line in _prose(page) if line.startswith("#")]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def links(page: Path) -> list[str]:
    """The targets of all links, outside of code."""
    text = re.sub(r"`[^`]*`", "", "\n".join(_prose(page)))
    return re.findall(r"\]\(([^)\s]+)\)", text)


def blocks(page: Path) -> list[str]:
    """The lines of code blocks, indented or fenced."""
    return [line for line, is_code in _lines(page) if is_code]


def spans(page: Path) -> list[str]:
    """What stands in backquotes in the prose, line breaks inside made blanks."""
    return [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", "\n".join(_prose(page)))]


def _prose(page: Path) -> list[str]:
    return [line for line, is_code in _lines(page) if not is_code]


def _lines(page: Path) -> Iterator[tuple[str, bool]]:
    is_fenced, is_item = False, False
    for line in page.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            is_fenced = not is_fenced
            continue
        if line.strip() and not line.startswith(" "):
            is_item = bool(re.match(r"([-*]|\d+\.) ", line))
        yield line, is_fenced or (line.startswith("    ") and not is_item)
