"""The notes of one version: its section, cut out of the changelog's bytes."""

from __future__ import annotations

from collections.abc import Sequence

from . import bodies
from .headings import Section, sections
from .reader import read
from .refused import ChangelogRefused, listed


def notes(document: bytes, version: str, *, unreleased: Sequence[str] = ()) -> bytes:
    """What stands under a version's heading, up to the next version's, without the blank lines around it.

    ``version`` with or without ``v``, or ``Unreleased``; ``unreleased``: what that heading may be called as well.
    Raises ``ChangelogRefused`` when there is no such section, or more than one.
    """
    page = read(document)
    found = sections(page, unreleased)
    asked = [one for one in found if _is(one, version)]
    if not asked:
        raise ChangelogRefused(f"the changelog, lines 1–{len(page.lines)}: no section {version}", do=_choice(found))
    if len(asked) > 1 and sum(not one.name for one in asked) == 1:
        asked = [one for one in asked if not one.name]
    if len(asked) > 1:
        lines = listed([one.heading.number for one in asked])
        raise ChangelogRefused(
            f"the changelog has {len(asked)} sections {version}: lines {lines}", do="leave one of them"
        )
    return bodies.cut(page, bodies.lines_of(page, found, asked[0]))


def _is(section: Section, version: str) -> bool:
    name = version.casefold()
    if section.title is None:
        return name == "unreleased"
    return section.version.casefold() in {name, name.removeprefix("v")}


def _choice(found: Sequence[Section]) -> str:
    names = [one.version or "Unreleased" for one in found]
    if not names:
        return "it has no version at all: write headings such as `## [1.2.0] - 2026-01-31`"
    return "choose one of " + ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
