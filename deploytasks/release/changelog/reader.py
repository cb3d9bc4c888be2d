"""What each line of a changelog is, as CommonMark sees it (https://spec.commonmark.org/0.31.2/), in one pass.

Only what decides where sections begin is told apart: headings, code fences, HTML comments, link definitions, and the
list items that a line belongs to. Three readings differ on purpose, as their authors meant them: a definition counts
right below text as well, HTML other than comments and verbatim blocks hides nothing, and an underline makes a heading
of one line only.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import NamedTuple

from .page import Definition, Heading, Kind, Page, normal

BOM = b"\xef\xbb\xbf"
_LONGEST = 2000
"""Bytes. A longer heading or definition is none: it keeps patterns from looking at megabytes."""
_DEEPEST = 8
"""List markers on one line that are looked at."""

_ATX = re.compile(rb"(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(rb"(`{3,})[^`]*$|(~{3,})")
_VERBATIM = re.compile(rb"<(pre|script|style|textarea)(?:[\s>]|$)", re.IGNORECASE)
_ITEM = re.compile(rb"(?:[-*+]|[0-9]{1,9}[.)])(?:([ \t]+)|$)")
_INTERRUPTS = re.compile(rb"(?:[-*+]|1[.)])[ \t]+[^ \t]")
"""Items that may follow a paragraph without a blank line."""
_CHECKBOX = re.compile(rb"\[[ xX]?\]$")
_UNDERLINE = re.compile(rb"=+|-+")
_BULLETS = b"=-*_+"
"""What an underline, a rule or a bullet begins with."""
_RULE = re.compile(rb"(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}")
_DEFINITION = re.compile(
    rb"\[((?!\^)(?:[^\[\]\\]|\\.){1,500})\]:[ \t]*(?:<([^<>]*)>|([^\s<]\S*))?"
    rb"""(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?$"""
)


def read(document: bytes) -> Page:
    """Every line of a changelog, told apart. Takes time in proportion to its length, whatever it holds."""
    lines = document.split(b"\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))[:-1]
    if lines[0].startswith(BOM):
        lines[0], starts[0] = lines[0][len(BOM) :], len(BOM)
    reader = _Reader(lines)
    return Page(document, lines, starts, reader.kinds, tuple(reader.headings), tuple(reader.definitions))


class _Fence(NamedTuple):
    mark: bytes
    length: int
    column: int
    """Where the list item begins that it stands in: a line further left ends both."""


class _Reader:
    """Where the reading of a page stands."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.kinds = bytearray(len(lines))
        self.headings: list[Heading] = []
        self.definitions: list[Definition] = []
        self.fence: _Fence | None = None
        self.until = b""
        """What ends the comment or verbatim HTML that we are in."""
        self.kind_inside = Kind.COMMENT
        self.items: list[int] = []
        """The columns where the content of the open list items begins."""
        self.bare = False
        """Whether the line before was a list marker and nothing else: a blank line ends such an item."""
        self.flowing = False
        """Whether the line before was text that this one may continue."""
        self.paragraph: int | None = None
        """The first line of the paragraph at the top level that we are in."""
        self.label: bytes | None = None
        """The label of a definition whose address comes on the next line."""
        for number, line in enumerate(lines):
            if text := line.strip(b" \t\r"):
                self.kinds[number] = self._kind(number, line, text)
            else:
                self._blank(number)

    def _blank(self, number: int) -> None:
        if self.bare and not self.fence and not self.until:
            self.items.pop()
        self.flowing, self.paragraph, self.label, self.bare = False, None, None, False
        if self.fence:
            self.kinds[number] = Kind.CODE
        elif self.until:
            self.kinds[number] = self.kind_inside

    def _kind(self, number: int, line: bytes, text: bytes) -> Kind:
        if self.until:
            return self._inside(text)
        lead = line[: len(line) - len(line.lstrip(b" \t"))]
        indent = len(lead.expandtabs(4)) if b"\t" in lead else len(lead)
        if self.fence and not indent < self.fence.column:
            return self._fenced(text, indent, self.fence)
        self.fence, self.bare = None, False
        return self._block(number, text, indent)

    def _inside(self, text: bytes) -> Kind:
        if self.until not in text.lower():
            return self.kind_inside
        after = text[text.lower().rindex(self.until) + len(self.until) :]
        kind, self.until = self.kind_inside, b""
        return Kind.TEXT if kind is Kind.COMMENT and after.strip() else kind

    def _fenced(self, text: bytes, indent: int, fence: _Fence) -> Kind:
        closes = len(text) >= fence.length and not text.strip(fence.mark) and indent - fence.column < 4
        if closes:
            self.fence = None
        return Kind.CODE

    def _block(self, number: int, text: bytes, indent: int) -> Kind:
        depth = len(self.items)
        while depth and indent < self.items[depth - 1]:
            depth -= 1
        column = self.items[depth - 1] if depth else 0
        if indent - column >= 4:  # code, or a line that goes on
            del self.items[depth:]
            return Kind.TEXT
        if self.label is not None and depth == 0 and self._address(number, text):
            return Kind.DEFINITION
        self.label = None
        kind = self._marked(number, text, depth)
        if kind is not None:
            return kind
        lazy = self.flowing and self.paragraph is None  # it continues an item or a quotation that it is not indented to
        if not lazy:
            del self.items[depth:]
            if self.paragraph is None and not self.items:
                self.paragraph = number
        self.flowing = True
        return Kind.TEXT

    def _marked(self, number: int, text: bytes, depth: int) -> Kind | None:
        """The kind of a line that begins with a mark; ``None`` for plain text."""
        first = text[:1]
        if first == b">":
            self._begin(depth)
            quoted = text.lstrip(b"> \t")
            self.flowing = bool(quoted) and not _FENCE.match(quoted) and not _ATX.match(quoted)
            return Kind.TEXT
        if first in _BULLETS:
            return self._underline(number, text, depth) or self._rule(text, depth) or self._item(number, text, depth)
        if first.isdigit():
            return self._item(number, text, depth)
        if first in b"`~<":
            return self._html(text, depth) if first == b"<" else self._opens_fence(text, depth)
        return self._atx_or_definition(number, text, depth)

    def _atx_or_definition(self, number: int, text: bytes, depth: int) -> Kind | None:
        match text[:1]:
            case b"#":
                return self._atx(number, text, depth)
            case b"[":
                return self._definition(number, text, depth)
        return None

    def _begin(self, depth: int) -> None:
        """Something new begins in the innermost of ``depth`` items."""
        del self.items[depth:]
        self.flowing, self.paragraph = False, None

    def _atx(self, number: int, text: bytes, depth: int) -> Kind | None:
        found = _ATX.match(text)
        if found is None:
            return None
        self._begin(depth)
        bare = text.rstrip(b"#")
        closed = len(bare) < len(text) and bare[-1:] in {b" ", b"\t", b""}
        content = bare.rstrip() if closed else text
        if not depth and len(text) <= _LONGEST:
            hashes = text[len(content) :] if len(content) >= found.end() else b""
            content = content[found.end() :].strip()
            self.headings.append(Heading(number, number, len(found[1]), content, hashes, b""))
        return Kind.HEADING

    def _underline(self, number: int, text: bytes, depth: int) -> Kind | None:
        if self.paragraph is None or depth or not _UNDERLINE.fullmatch(text):
            return None
        first = self.paragraph
        self._begin(0)
        self.kinds[first:number] = bytes([Kind.HEADING]) * (number - first)
        content = self.lines[first].strip()
        if first == number - 1 and len(content) <= _LONGEST:
            self.headings.append(Heading(first, number, 1 if text[:1] == b"=" else 2, content, b"", text))
        return Kind.HEADING

    def _rule(self, text: bytes, depth: int) -> Kind | None:
        if not _RULE.fullmatch(text):
            return None
        self._begin(depth)
        return Kind.RULE

    def _opens_fence(self, text: bytes, depth: int) -> Kind | None:
        found = _FENCE.match(text)
        if found is None:
            return None
        self._begin(depth)
        mark = found[1] or found[2]
        self.fence = _Fence(mark[:1], len(mark), self.items[-1] if self.items else 0)
        return Kind.CODE

    def _html(self, text: bytes, depth: int) -> Kind | None:
        if text.startswith(b"<!--"):
            self._begin(depth)
            if b"-->" not in text[4:] and text not in {b"<!-->", b"<!--->"}:
                self.until, self.kind_inside = b"-->", Kind.COMMENT
                return Kind.COMMENT
            return Kind.TEXT if text[text.rindex(b"-->") + 3 :].strip() else Kind.COMMENT
        if found := _VERBATIM.match(text):
            self._begin(depth)
            closing = b"</" + found[1].lower() + b">"
            if closing not in text.lower():
                self.until, self.kind_inside = closing, Kind.CODE
            return Kind.CODE
        return None

    def _definition(self, number: int, text: bytes, depth: int) -> Kind | None:
        found = _DEFINITION.match(text) if not depth and len(text) <= _LONGEST else None
        if found is None:
            return None
        self._begin(0)
        group = 2 if found[2] is not None else 3
        if found[group] is None:
            self.label = found[1]
            return Kind.DEFINITION
        lead = self.lines[number].index(b"[")
        span = (lead + found.start(group), lead + found.end(group))
        self.definitions.append(Definition(number, normal(found[1]), found[1], number, *span))
        return Kind.DEFINITION

    def _address(self, number: int, text: bytes) -> bool:
        """Take the address of a definition that began on the line before."""
        label, self.label = self.label, None
        if label is None or b" " in text or b"\t" in text or text[:1] in b"#[-*`>":
            return False
        begin = self.lines[number].index(text)
        trim = 1 if text.startswith(b"<") and text.endswith(b">") else 0
        span = (begin + trim, begin + len(text) - trim)
        self.definitions.append(Definition(number - 1, normal(label), label, number, *span))
        return True

    def _item(self, number: int, text: bytes, depth: int) -> Kind | None:
        column = self.items[depth - 1] if depth else 0
        lead = self.lines[number].lstrip(b" \t")
        indent = max(column, len(self.lines[number]) - len(lead))
        rest = text
        for _ in range(_DEEPEST):
            found = _ITEM.match(rest)
            if found is None or _RULE.fullmatch(rest):
                break
            if self.paragraph is not None and not _INTERRUPTS.match(rest):
                return None
            self._begin(depth)
            gap = len(found[1] or b"")
            width = found.end() if 1 <= gap <= 4 else found.end() - gap + 1
            indent, depth, rest = indent + width, depth + 1, rest[found.end() :]
            self.items.append(indent)
            if gap > 4:  # code
                return Kind.TEXT
        return None if rest is text else self._in_item(number, rest, depth)

    def _in_item(self, number: int, rest: bytes, depth: int) -> Kind:
        """The kind of a line by what stands behind its list markers."""
        self.bare = not rest
        if not rest or _CHECKBOX.match(rest):
            return Kind.EMPTY_ITEM
        if rest[:1] in b"`~<" and (kind := self._marked(number, rest, depth)) is not None:
            return kind
        self.flowing = not _RULE.fullmatch(rest) and not _ATX.match(rest)
        return Kind.TEXT
