"""Look through files for secrets: for values that are known, for shapes that are, for names that should not be there.

Content comes in pieces, of which one is held at a time. What is fixed is searched first, at 50 MB in some 20 ms; the
pattern of a shape is tried only where that found something.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from .shapes import REACH, SHAPES, is_dump, matched, never_travels

SHORTEST = 8
"""Characters of a known value that is searched for; a shorter one would be found in ordinary words."""
_LONGEST = 1 << 15
"""Bytes of a known value that are searched for: its beginning is enough."""
_A_FILE_S = 10
"""Findings of one file that are told."""


class Finding(NamedTuple):
    """Something secret: where, and what. Never the thing itself. ``line``: 0 where there are none."""

    path: str
    line: int
    what: str
    is_known: bool = False
    """Whether it is the value of a known secret: that is allowed nowhere."""

    def __str__(self) -> str:
        return f"{self.path}{f':{self.line}' if self.line else ''} {self.what}"


class Needle(NamedTuple):
    """The bytes that a known secret would be, and its name."""

    name: str
    content: bytes


def needles(values: Iterable[tuple[str, str]]) -> list[Needle]:
    """What to search for, from names and values: as they are, as base64, quoted as in URLs and JSON, and as UTF-16."""
    found: dict[bytes, str] = {}
    for name, value in values:
        if len(value) >= SHORTEST:
            for form in _forms(value):
                found.setdefault(form[:_LONGEST], name)
    return [Needle(name, content) for content, name in found.items()]


def _forms(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogateescape")
    yield raw
    yield base64.b64encode(raw)[: len(raw) // 3 * 4]  # what follows it in a larger text changes only its end
    yield quote(value, safe="", errors="surrogateescape").encode()
    yield json.dumps(value)[1:-1].encode()
    yield value.encode("utf-16-le", "surrogatepass")


def scan(path: str, pieces: Iterable[bytes], known: Iterable[Needle]) -> list[Finding]:
    """All that is found in one file, or in its name; the first ten."""
    needles = tuple(known)
    found = list(_in_name(path))
    overlap = max([REACH, *(len(needle.content) for needle in needles)]) + 1
    lines = 0
    held = b"\n"
    """One byte that was looked at already, then what was not."""
    first = True
    for piece in pieces:
        if first and is_dump(piece):
            found.append(Finding(path, 0, "is a dump of a database"))
        first = False
        held += piece
        until = len(held) - overlap
        if until > 1:
            found += _in_content(path, held, until, lines, needles)
            lines += held.count(b"\n", 1, until)
            held = held[until - 1 :]
        if len(found) >= _A_FILE_S:
            return found[:_A_FILE_S]
    return [*found, *_in_content(path, held, len(held), lines, needles)][:_A_FILE_S]


def _in_name(path: str) -> Iterator[Finding]:
    what = never_travels(path)
    if what:
        yield Finding(path, 0, f"is {what}")


def _in_content(path: str, held: bytes, until: int, lines: int, known: tuple[Needle, ...]) -> list[Finding]:
    """What begins between 1 and ``until``; at most one of a kind on each line."""
    seen: Mapping[tuple[int, str, bool], None] = {
        (lines + held.count(b"\n", 1, at) + 1, what, is_known): None
        for at, what, is_known in (*_known(held, until, known), *_shaped(held, until))
    }
    return [Finding(path, line, what, is_known) for line, what, is_known in sorted(seen)]


def _known(held: bytes, until: int, known: tuple[Needle, ...]) -> Iterator[tuple[int, str, bool]]:
    has_zeros = b"\0" in held
    for name, content in known:
        if b"\0" in content and not has_zeros:
            continue  # UTF-16
        for at in _places(held, content, until):
            yield at, f"has the value of {name}", True


def _shaped(held: bytes, until: int) -> Iterator[tuple[int, str, bool]]:
    for at, anchor in _anchors(held, until):
        shape = _BY_ANCHOR[anchor]
        if matched(shape, held, at):
            yield at, f"has {shape.what}", False


def _anchors(held: bytes, until: int) -> Iterator[tuple[int, bytes]]:
    for anchor in _LONG:
        for at in _places(held, anchor, until):
            yield at, anchor
    end = min(len(held), until + _LONGEST_ANCHOR)
    for finder in _FINDERS:
        for found in finder.finditer(held, 1, end):
            if found.start() < until:
                yield found.start(), found[0]


_LONG = tuple(shape.anchor for shape in SHAPES if len(shape.anchor) >= 11)
"""``find`` leaps over more, the longer a text is; short ones of one first byte are found together."""


def _finders() -> Iterator[re.Pattern[bytes]]:
    """One pattern for all short anchors that begin with the same byte."""
    by_first: dict[bytes, list[bytes]] = {}
    for shape in SHAPES:
        if shape.anchor not in _LONG:
            by_first.setdefault(shape.anchor[:1], []).append(shape.anchor)
    for first, anchors in by_first.items():
        rest = b"|".join(re.escape(anchor[1:]) for anchor in anchors)
        yield re.compile(re.escape(first) + b"(?:" + rest + b")")


_FINDERS = tuple(_finders())
_BY_ANCHOR = {shape.anchor: shape for shape in SHAPES}
_LONGEST_ANCHOR = max(map(len, _BY_ANCHOR))


def _places(held: bytes, what: bytes, until: int) -> Iterator[int]:
    end = min(len(held), until + len(what) - 1)
    at = held.find(what, 1, end)
    while at >= 0:
        yield at
        at = held.find(what, at + len(what), end)
