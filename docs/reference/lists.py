"""Lists, indented as Python-Markdown wants them: by four blanks. GitHub wants as many as the item's mark is long."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ITEM = re.compile(r"( *)(?:[-*+]|\d+[.)])( +)")
_FENCE = re.compile(r" *(```|~~~)")


class _Depth:
    """How deep in lists a line is."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        """Where the content of each open item begins, from the outermost on."""
        self.after_blank = True

    def leave(self, indent: int, *, is_item: bool) -> None:
        """Close the items that a line with this indent is no part of. One that only goes on with a paragraph stays."""
        if self.after_blank or is_item:
            while self.offsets and indent < self.offsets[-1]:
                self.offsets.pop()

    def moved(self, indent: int) -> int:
        """The indent that a line gets."""
        own = self.offsets[-1] if self.offsets else 0
        depth = 4 * len(self.offsets)
        if not self.offsets or indent < own:
            return indent
        return max(indent, depth + 4) if indent - own >= 4 else depth + indent - own


def indented(text: str) -> str:
    """The page with its lists as the site's reader understands them; nothing else differs."""
    return "\n".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    depth, fence, by, before = _Depth(), "", 0, ""
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        mark = _FENCE.match(line)
        if fence:
            yield " " * max(indent + by, 0) + line[indent:] if line.strip() else line
            fence = "" if mark and mark[1] == fence else fence
            continue
        if not line.strip():
            depth.after_blank = True
            yield line
            continue
        item = _ITEM.match(line)
        depth.leave(indent, is_item=item is not None)
        moved = depth.moved(indent)
        if item and not depth.offsets and before.strip() and not depth.after_blank and not _ITEM.match(before):
            yield ""
        yield " " * moved + line[indent:]
        if item and (not depth.offsets or indent - depth.offsets[-1] < 4):
            depth.offsets.append(item.end())
        fence, by = (mark[1], moved - indent) if mark else ("", 0)
        depth.after_blank, before = False, line
