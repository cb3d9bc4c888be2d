"""Whether something may happen at an instant, and when that changes. Pure: no clock, no file but the zones' own.

A *window* comes again every week. An occurrence of it begins on a date whose weekday is one of its ``days``, when the
clock on the wall of its zone says ``from``, and ends when that clock says ``to``: of the same date, or of the next one
when ``to`` is not after ``from`` (equal: 24 hours). An instant is inside a window exactly when its own wall time, date
and time of the day, lies in ``[from, to)`` of an occurrence. What follows from this where the clocks change:

* Times that come twice are inside both times, or outside both times; so a window may close and open once more.
* Times that are skipped never come: a window whose ``from`` is skipped opens with the first instant after the gap, and
  one that is skipped whole does not open on that date.
* Of a date that is skipped whole (Apia, 2011-12-30) only the part after midnight is left.

A *freeze* is ``[from, to)`` between two instants. Something may happen inside of any window, or at any time when there
is none, and never inside of a freeze.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .settings.windows import DAY, Freeze, Window, minutes, weekdays

DAYS_AHEAD = 366
"""How far ``opens_at`` and ``closes_at`` look."""
_ONE_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def is_open(windows: Sequence[Window], freezes: Sequence[Freeze], instant: datetime) -> bool:
    """Whether something may happen at an aware instant."""
    if frozen_by(freezes, instant) is not None:
        return False
    return not windows or window_at(windows, instant) is not None


def window_at(windows: Sequence[Window], instant: datetime) -> Window | None:
    """The first window that an instant is inside of."""
    return next((window for window in windows if _is_inside(window, instant)), None)


def frozen_by(freezes: Sequence[Freeze], instant: datetime) -> Freeze | None:
    """The freeze that an instant is inside of; of several, the one that ends last."""
    found = [freeze for freeze in freezes if freeze.from_ <= instant < freeze.to]
    return max(found, key=lambda freeze: freeze.to, default=None)


def opens_at(windows: Sequence[Window], freezes: Sequence[Freeze], instant: datetime) -> datetime | None:
    """The first instant, ``instant`` itself or later, at which something may happen, in UTC; ``None``: none within
    ``DAYS_AHEAD`` days."""
    return _first(windows, freezes, instant, is_wanted=True)


def closes_at(windows: Sequence[Window], freezes: Sequence[Freeze], instant: datetime) -> datetime | None:
    """The first instant, ``instant`` itself or later, at which nothing may happen, in UTC; ``None``: none within
    ``DAYS_AHEAD`` days. Windows that follow on each other without a gap are one."""
    return _first(windows, freezes, instant, is_wanted=False)


class _Times(NamedTuple):
    """A window as numbers."""

    days: frozenset[int]
    begin: int
    """Minutes after the beginning of the date."""
    end: int
    """Minutes after the beginning of the same date; above 1440 on the next one."""
    zone: ZoneInfo


@lru_cache(maxsize=256)
def _times(days: str, begin: str, end: str, zone: str) -> _Times:
    first, last = minutes(begin), minutes(end)
    return _Times(weekdays(days), first, last if last > first else last + DAY, ZoneInfo(zone))


def _of(window: Window) -> _Times:
    return _times(window.days, window.from_, window.to, window.zone)


def _is_inside(window: Window, instant: datetime) -> bool:
    times = _of(window)
    local = instant.astimezone(times.zone)
    today = local.weekday()
    passed = 60 * local.hour + local.minute
    if today in times.days and times.begin <= passed < times.end:
        return True
    return (today - 1) % 7 in times.days and passed + DAY < times.end


def _first(
    windows: Sequence[Window], freezes: Sequence[Freeze], instant: datetime, *, is_wanted: bool
) -> datetime | None:
    """The first instant from ``instant`` on at which ``is_open`` is as wanted. Between two edges it does not change."""
    now = instant.astimezone(UTC)
    horizon = now + DAYS_AHEAD * _ONE_DAY
    if is_open(windows, freezes, now) is is_wanted:
        return now
    for day in range(DAYS_AHEAD + 2):
        for edge in _edges(windows, freezes, now.date() + day * _ONE_DAY):
            if edge > horizon:
                return None
            if edge > now and is_open(windows, freezes, edge) is is_wanted:
                return edge
    return None


def _edges(windows: Sequence[Window], freezes: Sequence[Freeze], day: date) -> Sequence[datetime]:
    """All instants of a date in UTC, in order, at which ``is_open`` may change."""
    begin = datetime.combine(day, time(), UTC)
    found = {edge for freeze in freezes for edge in (freeze.from_.astimezone(UTC), freeze.to.astimezone(UTC))}
    for times in {_of(window) for window in windows}:
        found |= _edges_of(times, day)
    return sorted(edge for edge in found if begin <= edge < begin + _ONE_DAY)


@lru_cache(maxsize=4096)
def _edges_of(times: _Times, day: date) -> frozenset[datetime]:
    """The instants around a date in UTC at which a window's wall clock says ``from`` or ``to``, or is put forward or
    back."""
    found = set(_changes(times.zone, day))
    for near in (-2, -1, 0, 1):
        midnight = datetime.combine(day + near * _ONE_DAY, time())
        for wall in (midnight + timedelta(minutes=times.begin), midnight + timedelta(minutes=times.end)):
            found |= {wall.replace(tzinfo=times.zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return frozenset(found)


def _changes(zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """The instants of a date in UTC at which a zone's offset changes. Looked for every six hours: no zone ever changed
    its clocks twice in that time."""
    begin = datetime.combine(day, time(), UTC) - _SECOND
    for quarter in range(4):
        early = begin + quarter * _ONE_DAY / 4
        late = early + _ONE_DAY / 4
        before = early.astimezone(zone).utcoffset()
        if late.astimezone(zone).utcoffset() == before:
            continue
        while late - early > _SECOND:
            middle = early + (late - early) // 2 // _SECOND * _SECOND
            if middle.astimezone(zone).utcoffset() == before:
                early = middle
            else:
                late = middle
        yield late
