"""What the logs of GitHub Actions and GitLab understand. Pure.

GitHub: docs.github.com, "Workflow commands for GitHub Actions"; how values are escaped is what actions/toolkit does.
GitLab: docs.gitlab.com, "CI/CD job logs", "Custom collapsible sections".
"""

from __future__ import annotations

from typing import Literal

Level = Literal["error", "warning", "notice"]
LONGEST = 4000
"""Characters of an annotation."""


def annotation(level: Level, title: str, text: str) -> str:
    """``::error title=…::…``: shown beside the run, and on its page."""
    return f"::{level} title={_property(_cut(title, 200))}::{_data(_cut(text, LONGEST))}"


def group(title: str) -> str:
    """What follows is folded below this title, until ``END_OF_GROUP``. Groups cannot stand in groups."""
    return f"::group::{_data(title)}"


END_OF_GROUP = "::endgroup::"


def section_start(name: str, title: str, at: float, *, collapsed: bool) -> str:
    """``name``: letters, digits, ``_``, ``.`` and ``-``; ``at``: epoch seconds."""
    more = "[collapsed=true]" if collapsed else ""
    return f"\x1b[0Ksection_start:{int(at)}:{name}{more}\r\x1b[0K{' '.join(title.split())}"


def section_end(name: str, at: float) -> str:
    """The end of the section of that name."""
    return f"\x1b[0Ksection_end:{int(at)}:{name}\r\x1b[0K"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
