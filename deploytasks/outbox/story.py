"""What must be remembered of the past to tell what comes next: values, small enough for each recipient's place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ..ledger.event import instant_text
from ..ledger.facts import Facts, color, instant, lists, part, text, texts, truth, whole
from ..ports import COLORS, Color, Json

VERSION = 2
"""Rises with every change of what is remembered or how: a story of another number is folded anew."""


class About(NamedTuple):
    """Whose story it is. ``links``: words → address, with placeholders in braces."""

    application: str
    environment: str
    protected: bool = False
    links: Mapping[str, str] = {}


class Tale(NamedTuple):
    """What is known of one deployment. Texts that are not known are empty."""

    deployment: str = ""
    number: int = 0
    """Of the event with which it began."""
    task: str = ""
    version: str = ""
    previous: str = ""
    commit: str = ""
    color: Color | None = None
    who: str = ""
    began: datetime | None = None
    notes: str = ""
    run: str = ""
    """Where the job that runs it can be seen."""
    approvals: str = ""
    home: str = ""
    """Where traffic was when it began."""
    split: str = ""
    """Where traffic is now."""
    is_held: bool = False
    paused: str = ""
    """Who pauses it."""
    held_at: tuple[int, ...] = ()
    """The stages in which people were told that it is held."""
    warned: tuple[str, ...] = ()
    """What people were warned of."""
    numbers: tuple[tuple[str, str], ...] = ()
    """Of the last reading."""
    verdict: str = ""
    """Why the last reading was judged as it was."""
    was_judged_bad: bool = False
    taken: str = ""
    """Who else took its traffic, where people were told so: ``rolled-back``, ``switch-fired``."""


class Checked(NamedTuple):
    """The last checklist: of which content, and who had reviewed that."""

    number: int = 0
    digest: str = ""
    approvals: str = ""


class Story(NamedTuple):
    """All that is remembered."""

    tale: Tale | None = None
    """Of the deployment that is not over."""
    last: Tale | None = None
    """Of the last one that moved traffic, and is over."""
    placed: Mapping[Color, str] = {}
    """The version on each color."""
    live: str = ""
    """The version that users have."""
    checked: Checked = Checked()
    closed: str | None = None
    """What visitors read, while the site is closed."""


def to_json(story: Story) -> dict[str, Json]:
    """A story as it is stored; ``from_json`` gives it back."""
    return {
        "version": VERSION,
        "tale": _plain(story.tale),
        "last": _plain(story.last),
        "placed": {where: version for where, version in story.placed.items()},  # noqa: C416  # of another type
        "live": story.live,
        "checked": story.checked._asdict(),
        "closed": story.closed,
    }


def from_json(found: Facts) -> Story | None:
    """The story in this JSON; ``None`` for one that was folded in another way."""
    if whole(found, "version") != VERSION:
        return None
    placed, checked = part(found, "placed"), part(found, "checked")
    return Story(
        tale=_tale(part(found, "tale")) if found.get("tale") else None,
        last=_tale(part(found, "last")) if found.get("last") else None,
        placed={where: text(placed, where) for where in COLORS if where in placed},
        live=text(found, "live"),
        checked=Checked(whole(checked, "number"), text(checked, "digest"), text(checked, "approvals")),
        closed=text(found, "closed") if isinstance(found.get("closed"), str) else None,
    )


def _plain(tale: Tale | None) -> dict[str, Json] | None:
    if tale is None:
        return None
    return {**tale._asdict(), "began": instant_text(tale.began) if tale.began else None}


def _tale(found: Facts) -> Tale:
    return Tale(
        deployment=text(found, "deployment"),
        number=whole(found, "number"),
        task=text(found, "task"),
        version=text(found, "version"),
        previous=text(found, "previous"),
        commit=text(found, "commit"),
        color=color(found, "color"),
        who=text(found, "who"),
        began=instant(found, "began"),
        notes=text(found, "notes"),
        run=text(found, "run"),
        approvals=text(found, "approvals"),
        home=text(found, "home"),
        split=text(found, "split"),
        is_held=truth(found, "is_held"),
        paused=text(found, "paused"),
        held_at=_wholes(found, "held_at"),
        warned=tuple(texts(found, "warned")),
        numbers=tuple((str(pair[0]), str(pair[1])) for pair in lists(found, "numbers") if len(pair) == 2),
        verdict=text(found, "verdict"),
        was_judged_bad=truth(found, "was_judged_bad"),
        taken=text(found, "taken"),
    )


def _wholes(found: Facts, name: str) -> tuple[int, ...]:
    given = found.get(name)
    items = given if isinstance(given, list | tuple) else ()
    return tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool))
