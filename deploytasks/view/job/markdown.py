"""Markdown of other people's words: shown as they are, and never obeyed. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..wording import clean

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~!>@])")


def plain(text: object) -> str:
    """On one line, without any markup, image, mention or link."""
    flat = " ".join(clean(text).split())
    return _SPECIAL.sub(r"\\\1", flat.replace("&", "&amp;").replace("<", "&lt;"))


def code(text: str) -> str:
    """As code, whatever backticks are in it."""
    flat = " ".join(clean(text).split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}" if flat else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Lines of a table; cells are Markdown already. ``right``: the columns of numbers."""
    marks = ["---:" if at in right else "---" for at in range(len(head))]
    return ["| " + " | ".join(row) + " |" for row in (head, marks, *rows)]


def quoted(markdown: str, most: int) -> list[str]:
    """Other people's Markdown as a quotation, from which no fence, list or block of HTML leads out. ``most``:
    characters."""
    cut = markdown if len(markdown) <= most else f"{markdown[:most]}…"
    return [f"> {line}".rstrip() for line in clean(cut).splitlines()]
