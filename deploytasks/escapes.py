"""Texts with their escapes undone, as often as there are any: of URLs, JSON, HTML and shells.

And the way back from each character to those of the original that it was made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_DEEPEST = 3
"""Escapes within escapes within escapes."""
_MOST = 24
"""Ways to undo them: they do not commute, and a password may have what looks like one."""
_ESCAPES = (
    ("%", r"(?P<url>(?:%[0-9A-Fa-f]{2})+)"),
    ("\\", r"(?P<wide>(?:\\u[0-9A-Fa-f]{4})+)|\\x(?P<byte>[0-9A-Fa-f]{2})|\\(?P<any>[^ux])"),
    ("&", r"&(?P<name>amp|lt|gt|quot|apos|\#[0-9]{1,6}|\#[xX][0-9A-Fa-f]{1,6});"),
    ("'", r"(?P<quote>'\"'\"'|'\\'')"),
)
"""A character without which there are none, and what they look like: compiled when one is met, which is rare."""
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_BLANK = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}


class View(NamedTuple):
    """A text, and of which characters of the original each of its characters was made: from, to."""

    text: str
    begins: Sequence[int]
    ends: Sequence[int]


def undone(text: str) -> Iterator[str]:
    """The text, then, without blanks, with its escapes undone, level by level. Fast: most texts have none."""
    yield text
    level, seen = [text], {text}
    for _ in range(_DEEPEST if any(mark in text for mark, _ in _ESCAPES) else 0):
        plainer = (one for each in level for one in _plainer(tight(each)) if one not in seen)
        level = list(dict.fromkeys(plainer))[: _MOST - len(seen)]
        seen.update(level)
        yield from level


def tight(text: str) -> str:
    """Without blanks and line breaks."""
    return "".join(text.split())


def _plainer(text: str) -> Iterator[str]:
    """With escapes of one kind undone, for each kind that it has."""
    for mark, pattern in _ESCAPES:
        if mark in text and (found := re.sub(pattern, _meant, text)) != text:
            yield found


def _meant(escape: re.Match[str]) -> str:
    """What an escape stands for."""
    kind = escape.lastgroup
    if kind == "url":
        return bytes.fromhex(escape[0].replace("%", "")).decode("utf-8", "replace")
    if kind == "wide":
        return _wide(escape[0])
    if kind == "byte":
        return chr(int(escape["byte"], 16))
    if kind == "quote":
        return "'"
    if kind == "any":
        return _BLANK.get(escape["any"], escape["any"])
    name = escape["name"]
    return _NAMED[name] if name in _NAMED else _numbered(name[1:])


def _wide(escape: str) -> str:
    codes = re.findall(r"u([0-9A-Fa-f]{4})", escape)
    return bytes.fromhex("".join(codes)).decode("utf-16-be", "replace")


def _numbered(number: str) -> str:
    code = int(number[1:], 16) if number[0] in "xX" else int(number)
    return chr(code) if code < 0x110000 else ""


def views(text: str) -> Iterator[tuple[View, View]]:
    """The same as ``undone``, each also without blanks, with the way back. Slow."""
    level = [View(text, range(len(text)), range(1, len(text) + 1))]
    seen = {text}
    for depth in range(_DEEPEST + 1):
        both = [(view, without_blanks(view)) for view in level]
        yield from both
        if depth < _DEEPEST:
            tights = [tight for _, tight in both]
            found = [_without(tight, pattern) for tight in tights for mark, pattern in _ESCAPES if mark in tight.text]
            level = [view for view in found if view.text not in seen][: _MOST - len(seen)]
            seen.update(view.text for view in level)


def without_blanks(view: View) -> View:
    """As ``tight``."""
    if not any(map(str.isspace, view.text)):
        return view
    kept = [at for at, one in enumerate(view.text) if not one.isspace()]
    return View("".join(view.text.split()), [view.begins[at] for at in kept], [view.ends[at] for at in kept])


def _without(view: View, pattern: str) -> View:
    pieces: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    done = 0
    for escape in re.finditer(pattern, view.text):
        pieces.append(view.text[done : escape.start()])
        begins += view.begins[done : escape.start()]
        ends += view.ends[done : escape.start()]
        meant = _meant(escape)
        pieces.append(meant)
        begins += [view.begins[escape.start()]] * len(meant)
        ends += [view.ends[escape.end() - 1]] * len(meant)
        done = escape.end()
    pieces.append(view.text[done:])
    return View("".join(pieces), [*begins, *view.begins[done:]], [*ends, *view.ends[done:]])
