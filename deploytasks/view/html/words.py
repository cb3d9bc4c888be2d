"""What templates call to write a value: the words are those of the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import wording

_UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|s|min|h)(?:\W|$))")
"""Between a number and its unit no line ends."""
LONGEST = 4000
"""Characters of one text on a page; the ledger has all of it."""


def brief(given: object, most: int = LONGEST) -> str:
    """A text of any length, cut where nobody would read on, which it says."""
    text = _UNIT.sub("\u00a0", wording.clean(given))
    if len(text) <= most:
        return text
    return f"{text[:most].rstrip()}… ({len(text) - most:,} more characters: the ledger has them)"


def iso(given: object) -> str:
    """An instant for a machine: ``2026-11-23T10:15:42+00:00``; empty for what is none."""
    found = wording.moment(given)
    return found.isoformat(timespec="seconds") if found else ""


def to_the_second(given: object) -> str:
    """``2026-11-23 10:15:42``."""
    found = wording.moment(given)
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else wording.MISSING


def day(given: object) -> str:
    """``23 November 2026``."""
    found = wording.moment(given)
    return f"{found.day} {found:%B %Y}" if found else wording.MISSING


FILTERS: Mapping[str, Callable[..., Any]] = {
    "brief": brief,
    "clock": wording.clock,
    "day": day,
    "duration": wording.duration,
    "instant": wording.instant,
    "iso": iso,
    "milliseconds": wording.milliseconds,
    "seconds": wording.seconds,
    "share": wording.share,
    "size": wording.size,
    "to_the_second": to_the_second,
    "weights": wording.weights,
    "whole": wording.whole,
}
"""By the name that a template calls them."""
