"""What stands in a section: cut out of the bytes, and told whether it says anything."""

from __future__ import annotations

from collections.abc import Sequence

from .headings import Section
from .page import Heading, Kind, Page, text_of

_SAYS_NOTHING = frozenset({Kind.BLANK, Kind.COMMENT, Kind.HEADING, Kind.RULE, Kind.DEFINITION, Kind.EMPTY_ITEM})
_NOTHING = frozenset(
    {"no changes", "no changes yet", "nothing", "nothing yet", "none", "none yet", "n/a", "tbd", "-", ""}
)
_FOOT = frozenset({Kind.BLANK, Kind.COMMENT, Kind.DEFINITION})


def lines_of(page: Page, found: Sequence[Section], section: Section) -> range:
    """The lines of a section below its heading, up to the next section, or up to the links at the document's foot."""
    first = section.heading.last + 1
    after = [one.heading.line for one in found if one.heading.line > section.heading.line]
    last = min(after, default=len(page.lines))
    if not after and any(one.line >= first for one in page.definitions):
        foot = last
        while foot > first and page.kinds[foot - 1] in _FOOT:
            foot -= 1
        last = _first_definition(page, foot, last)
    return range(first, last)


def _first_definition(page: Page, first: int, last: int) -> int:
    return next((line for line in range(first, last) if page.kinds[line] == Kind.DEFINITION), last)


def cut(page: Page, lines: range) -> bytes:
    """The bytes of some lines, without the blank ones before and after them."""
    first, last = lines.start, lines.stop
    while first < last and page.kinds[first] == Kind.BLANK:
        first += 1
    while last > first and page.kinds[last - 1] == Kind.BLANK:
        last -= 1
    return whole(page, range(first, last))


def whole(page: Page, lines: range) -> bytes:
    """The bytes of some lines."""
    if not lines:
        return b""
    end = page.starts[lines.stop] if lines.stop < len(page.lines) else len(page.document)
    return page.document[page.starts[lines.start] : end]


def says_nothing(page: Page, lines: range) -> bool:
    """Whether some lines hold nothing but headings, comments, rules, links and empty bullets."""
    return all(kind in _SAYS_NOTHING for kind in page.kinds[lines.start : lines.stop])


def _is_removed(page: Page, heading: Heading, lines: range) -> bool:
    """Whether a heading in some lines is ``Removed`` or ``Breaking …``, and something stands under it."""
    if heading.line not in lines or not heading.content.strip(b"*_: ").lower().startswith((b"removed", b"breaking")):
        return False
    after = (one.line for one in page.headings if one.line > heading.last)
    return not says_nothing(page, range(heading.last + 1, min(next(after, lines.stop), lines.stop)))


def _words(line: bytes) -> str:
    return " ".join(text_of(line).strip(" \t\r*-+_.:()").casefold().split())


def placeholder(page: Page, lines: range) -> str:
    """The only line of text among some lines, when it says that there is nothing to say; else empty."""
    texts = [page.lines[line] for line in lines if page.kinds[line] not in _SAYS_NOTHING]
    return text_of(texts[0].strip()) if len(texts) == 1 and _words(texts[0]) in _NOTHING else ""


def breaking(page: Page, lines: range) -> list[int]:
    """The lines, counted from 1, that say that something breaks: ``**Breaking``, or begin what was removed."""
    removed = {one.line for one in page.headings if _is_removed(page, one, lines)}
    said = {
        line
        for line in lines
        if page.kinds[line] == Kind.TEXT and b"**breaking" in page.lines[line].lower().replace(b"__", b"**")
    }
    return sorted(line + 1 for line in said | removed)
