"""The weeks of a delivery as charts: one bar for each week. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..text import metrics as told
from ..wording import counted, duration, moment, number
from .charts import Chart, Line, drawn, even
from .figures import Figure, Key

HEIGHT = 170
MOST = 104
"""Weeks that are drawn: two years."""
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
Weeks = Sequence[Mapping[str, Any]]


def trends(answer: Mapping[str, Any]) -> list[Figure]:
    """How many, how long, how soon restored, by week; nothing of what never happened."""
    weeks = [week for week in answer.get("weeks") or () if moment(week.get("since")) and moment(week.get("until"))]
    weeks = [week for week in weeks if not told.is_before(week, answer)][-MOST:]
    if len(weeks) < 2:
        return []
    found = [
        _counts(weeks),
        _lengths(weeks, "lead_time", "Lead time"),
        _lengths(weeks, "time_to_restore", "Time to restore"),
    ]
    return [each for each in found if each is not None]


def measures(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each measure's name and what it comes to, as on a terminal."""
    return [
        ("Deployment frequency", told.frequency(answer["deployment_frequency"])),
        ("Lead time", told.lead_time(answer["lead_time"])),
        ("Change failure rate", told.failure_rate(answer["change_failure_rate"])),
        ("Time to restore", told.restoring(answer["time_to_restore"])),
        ("Rework", told.rework(answer["rework_rate"])),
    ]


def _counts(weeks: Weeks) -> Figure | None:
    tried = [number(week.get("tried")) or 0.0 for week in weeks]
    failed = [number(week.get("failed")) or 0.0 for week in weeks]
    if not any(tried):
        return None
    axis = even(max(*tried, 4.0), lambda value: f"{value:g}")
    lines = [_bars("green", weeks, tried), _bars("bad", weeks, failed)]
    said = (
        f"{counted(int(sum(tried)), 'deployment')} reached users in {len(weeks)} weeks, "
        f"at most {max(tried):.0f} in one week; {sum(failed):.0f} of them failed."
    )
    chart = Chart("weeks-count", "Deployments by week", said, axis, lines, (), *_span(weeks), HEIGHT)
    keys = (Key("green area", "reached users"), Key("bad area", "failed"))
    return Figure("weeks-count", "Deployments by week", drawn(chart), keys, said)


def _lengths(weeks: Weeks, name: str, heading: str) -> Figure | None:
    values = [number(week.get(name)) for week in weeks]
    known = [value for value in values if value is not None]
    if not known:
        return None
    unit, word = next(((size, word) for size, word in _UNITS if max(known) >= 2 * size), _UNITS[-1])
    axis = even(max(known) / unit, lambda value: f"{value:g} {word}")
    scaled = [None if value is None else value / unit for value in values]
    between = f"{duration(min(known))} and {duration(max(known))}"
    said = f"The median of a week was between {between}; it is known of {counted(len(known), 'week')}."
    title = f"{heading}: median of each week"
    chart = Chart(f"weeks-{name}", title, said, axis, [_bars("blue", weeks, scaled)], (), *_span(weeks), HEIGHT)
    return Figure(f"weeks-{name}", title, drawn(chart), (), said)


def _span(weeks: Weeks) -> tuple[datetime, datetime]:
    return _at(weeks[0], "since"), _at(weeks[-1], "until")


def _at(week: Mapping[str, Any], name: str) -> datetime:
    found = moment(week.get(name))
    assert found is not None  # only such weeks are drawn
    return found


def _bars(look: str, weeks: Weeks, values: Sequence[float | None]) -> Line:
    """A bar for each week that has a value: an area with straight sides."""
    points: list[tuple[datetime, float | None]] = []
    for week, value in zip(weeks, values, strict=True):
        since, until = _at(week, "since"), _at(week, "until")
        gap = timedelta(seconds=(until - since).total_seconds() / 10)
        points += [(since + gap, 0.0), (since + gap, value or 0.0), (until - gap, value or 0.0), (until - gap, 0.0)]
    return Line(look, points, fill=True)
