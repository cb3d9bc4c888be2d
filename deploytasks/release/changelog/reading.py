"""What ``keepachangelog`` reads in a changelog, where it is right: categories, and whether a version appears.

It never writes here, and what it raises is no reason for anything: it reads one of many ways to write a changelog.
"""

from __future__ import annotations

import datetime as dt

from .headings import Section
from .page import text_of

_NOT_A_CATEGORY = frozenset({"metadata", "uncategorized"})


def categories(notes: bytes) -> tuple[str, ...]:
    """The categories in a version's notes, as they are called there, in lower case, such as ``added``."""
    entry = _read("## [0.0.0] - 2000-01-01", *text_of(notes).splitlines()).get("0.0.0", {})
    return tuple(name for name in entry if name not in _NOT_A_CATEGORY and entry[name])


def missing(content: bytes, model: Section | None, version: str, date: dt.date) -> tuple[str, ...]:
    """A warning when it reads the heading that served as a model, or there is none, and does not read the new one."""
    if _finds(content, version, date.isoformat()):
        return ()
    if model and model.title:
        title = model.title
        if not _finds(model.heading.content, title.version.decode("latin-1"), title.date.decode("latin-1")):
            return ()
    return (f"keepachangelog does not find {version} of {date} in `{text_of(content)}`",)


def _finds(content: bytes, version: str, date: str) -> bool:
    metadata = _read(f"## {text_of(content)}").get(version.casefold(), {}).get("metadata", {})
    return bool(date) and isinstance(metadata, dict) and metadata.get("release_date") == date.casefold()


def _read(*lines: str) -> dict[str, dict[str, object]]:
    from keepachangelog import to_dict

    try:
        found: dict[str, dict[str, object]] = to_dict(lines)
    except (ValueError, TypeError, LookupError, AttributeError):
        return {}
    return found
