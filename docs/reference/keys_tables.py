"""The tables of docs/configuration.md, in the place of ``<!-- keys -->`` below the heading of each part."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from deploytasks.settings.keys import SHARED, Key, keys, model_in, parts

from .tables import table

MARK = re.compile(r"^<!-- keys(?:: (?P<patterns>[^>]+?))? -->$", re.MULTILINE)
"""``<!-- keys -->``: all of the part; ``<!-- keys: hotfix.* -->``: these."""
HEADS = ("key", "type", "default", "meaning")


def filled(text: str) -> str:
    """The page with its tables."""
    known, heading, lines = parts(), "", []
    for line in text.split("\n"):
        if line.startswith("#"):
            heading = line.lstrip("# ").strip()
        mark = MARK.match(line)
        lines.append(_table([key for of in known[heading] for key in keys(of)], mark["patterns"]) if mark else line)
    return "\n".join(lines)


def chosen(found: list[Key], patterns: str | None) -> list[Key]:
    """Those that are asked for: in the order of the patterns, or all."""
    if patterns is None:
        return found
    return [key for pattern in patterns.split() for key in found if fnmatchcase(key.path, pattern)]


def _table(found: list[Key], patterns: str | None) -> str:
    rows = ((f"`{key.path}`", _type(key), key.default, _linked(key.sentence)) for key in chosen(found, patterns))
    return table(HEADS, rows)


def _type(key: Key) -> str:
    inner, _ = model_in(key.field.annotation)
    return f"{key.type}: [`{SHARED[inner]}`](#{SHARED[inner]})" if inner in SHARED else key.type


def _linked(sentence: str) -> str:
    """``docs/gates.md#windows`` as a link from a page beside it."""
    return re.sub(r"docs/([A-Za-z_-]+\.md)(#[\w-]+)?", r"[\1](\1\2)", sentence)
