r"""What a changelog is made of: lines, each of some kind, headings, and the definitions of links.

Nothing is decoded: a page is bytes. Lines end at ``\n`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What a line is."""

    BLANK = 0
    TEXT = 1
    CODE = 2
    """In a fence or in HTML that is verbatim, the lines that open and close it included."""
    COMMENT = 3
    HEADING = 4
    RULE = 5
    DEFINITION = 6
    EMPTY_ITEM = 7


class Heading(NamedTuple):
    """A heading at the top level, on ``line`` (from 0) until ``last``: two lines when it is underlined."""

    line: int
    last: int
    level: int
    content: bytes
    """Without marks and outer space."""
    hashes: bytes
    """The closing hashes, with the space before them."""
    underline: bytes
    """Empty for a heading of the form ``## …``."""

    @property
    def number(self) -> int:
        """The line as an editor counts it."""
        return self.line + 1


class Definition(NamedTuple):
    """A link definition: where its ``url`` stands on ``url_line``, as columns."""

    line: int
    label: str
    """As it is compared: lower case, single spaces."""
    written: bytes
    url_line: int
    begin: int
    end: int


class Page(NamedTuple):
    """A changelog, read."""

    document: bytes
    lines: Sequence[bytes]
    """Without ``\n``, and the first one without a byte order mark."""
    starts: Sequence[int]
    """Where each line begins in the document."""
    kinds: bytearray
    headings: tuple[Heading, ...]
    definitions: tuple[Definition, ...]

    def end(self, line: int) -> int:
        """Where the content of a line ends, before its line ending."""
        return self.starts[line] + len(self.lines[line].removesuffix(b"\r"))

    def ending(self, line: int) -> bytes:
        """The line ending of a line; that of the line before when the document ends without one."""
        at = line if line < len(self.lines) - 1 else line - 1
        return b"\r\n" if at >= 0 and self.lines[at].endswith(b"\r") else b"\n"

    def url(self, definition: Definition) -> bytes:
        """Where a definition leads."""
        return self.lines[definition.url_line][definition.begin : definition.end]


def normal(label: bytes) -> str:
    """A link label as it is compared."""
    return " ".join(text_of(label).replace("`", "").replace("\\", "").casefold().split())


def text_of(content: bytes) -> str:
    """Bytes as text for looking at: UTF-8, or Latin-1 where they are not."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
