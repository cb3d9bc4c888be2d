"""An oracle for ``deploytasks.windows``: by brute force, with nothing of its code and nothing of its ways.

A week is 10080 minutes on a wall. A window is painted on it by walking: from each minute at which it begins, minute
after minute, until the wall says ``to``, round the week's end. What a wall shows at an instant, the C library says
(``localtime``, by the variable ``TZ``), and not Python's ``zoneinfo``.
"""

from __future__ import annotations

import importlib.resources
import os
import random
import time
import zoneinfo
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from deploytasks.settings.windows import Freeze, Window

ZONES = (
    "Africa/Cairo", "Africa/Casablanca", "America/Havana", "America/New_York", "America/Santiago", "America/Sao_Paulo",
    "America/St_Johns", "Antarctica/Troll", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Berlin",
    "Europe/Dublin", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "UTC",
)  # fmt: skip
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BEGIN, END = 1230768000, 1893456000
"""2009-01-01 and 2030-01-01, seconds since 1970."""
PER_WINDOW = 10
"""Pairs for which a window is the first one."""


class Pair(NamedTuple):
    """Windows, freezes and an instant, and what the oracle says of them."""

    windows: tuple[Window, ...]
    freezes: tuple[Freeze, ...]
    instant: datetime
    expected: bool


class _Painted(NamedTuple):
    window: Window
    week: bytearray
    """Minute after Sunday 00:00 on the wall → inside or not."""


def pairs(count: int, seed: int) -> Iterator[Pair]:
    """So many random pairs. Half of the instants are within days of a change of the clocks, some exactly at an edge."""
    chance = random.Random(seed)
    of_zone = {zone: _drawn(chance, zone, 1 + count // len(ZONES)) for zone in ZONES}
    every = [painted for drawn in of_zone.values() for painted, _ in drawn[::PER_WINDOW]]
    cases = [
        ((painted, *chance.choices(every, k=chance.choice((0, 0, 1, 2)))), instant)
        for drawn in of_zone.values()
        for painted, instant in drawn
    ][:count]
    on_wall = _walls(cases)
    for of, instant in cases:
        freezes = [_freeze(chance, instant) for _ in range(chance.choice((0, 0, 0, 1, 2)))]
        inside = any(painted.week[on_wall[painted.window.zone, instant]] for painted in of)
        frozen = any(begin <= instant < end for begin, end in freezes)
        yield Pair(
            tuple(painted.window for painted in of),
            tuple(Freeze(from_=_utc(begin), to=_utc(end), reason="x") for begin, end in freezes),
            _utc(instant),
            inside and not frozen,
        )


@contextmanager
def wall_of(zone: str) -> Iterator[None]:
    """Let the C library's clock hang in this zone, from the very file that ``zoneinfo`` reads."""
    known = {name: os.environ.get(name) for name in ("TZ", "TZDIR")}
    os.environ.update(TZ=f":{zone}", TZDIR=_folder_of(zone))
    time.tzset()
    try:
        yield
    finally:
        for name, value in known.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        time.tzset()


def minute_of_week(instant: int) -> int:
    """What the wall shows (see ``wall_of``), as minutes after Sunday 00:00."""
    shown = time.localtime(instant)
    return (shown.tm_wday + 1) % 7 * 1440 + shown.tm_hour * 60 + shown.tm_min


def painted_week(days: Sequence[int], begin: int, end: int) -> bytearray:
    """A week with a window on it. ``days``: Monday is 0; ``begin`` and ``end``: minutes of the day, 1440 included."""
    week = bytearray(7 * 1440)
    for day in days:
        at = (day + 1) % 7 * 1440 + begin
        while True:
            week[at % len(week)] = 1
            at += 1
            if at % 1440 == end % 1440:
                break
    return week


def _drawn(chance: random.Random, zone: str, count: int) -> list[tuple[_Painted, int]]:
    found = []
    with wall_of(zone):
        changes = _changes()
        while len(found) < count:
            painted, edges = _window(chance, zone)
            found += [(painted, _instant(chance, changes, edges)) for _ in range(PER_WINDOW)]
    return found[:count]


def _window(chance: random.Random, zone: str) -> tuple[_Painted, tuple[int, int]]:
    begin, end = _minute(chance, 1439), _minute(chance, 1440)
    if chance.random() < 0.05:
        end = begin
    if chance.random() < 0.6:
        first, length = chance.randrange(7), chance.randrange(7)
        days = [(first + more) % 7 for more in range(length + 1)]
        text = NAMES[first] if not length else f"{NAMES[first]}-{NAMES[days[-1]]}"
    else:
        days = chance.sample(range(7), chance.randint(1, 5))
        text = ",".join(NAMES[day] for day in days)
    window = Window(days=text, from_=_text(begin), to=_text(end), zone=zone)
    return _Painted(window, painted_week(days, begin, end)), (begin, end)


def _minute(chance: random.Random, most: int) -> int:
    """Anything; or where clocks are changed: at midnight, and in the hours after it."""
    near = [0, 1, 15, 30, 45, 60, 90, 120, 135, 150, 180, 210, 240, 1380, 1410, 1425, 1439, most]
    return chance.choice(near) if chance.random() < 0.6 else chance.randint(0, most)


def _instant(chance: random.Random, changes: Sequence[int], edges: tuple[int, int]) -> int:
    if changes and chance.random() < 0.5:
        about = chance.choice(changes)
        instant = about + chance.choice((chance.randint(-7200, 7200), chance.randint(-3 * 86400, 3 * 86400)))
    else:
        instant = chance.randint(BEGIN, END)
    if chance.random() < 0.3:  # where the wall says just what an edge says, or the second before
        shown = time.localtime(instant)
        instant += 60 * (chance.choice(edges) - 60 * shown.tm_hour - shown.tm_min) - shown.tm_sec
        instant += chance.choice((-1, 0, 0, 1))
    return instant


def _changes() -> list[int]:
    """When the clocks of the wall's zone are changed, to the second."""
    found, step = [], 6 * 3600
    for late in range(BEGIN + step, END, step):
        before = time.localtime(late - step).tm_gmtoff
        if time.localtime(late).tm_gmtoff != before:
            found.append(next(at for at in range(late - step, late + 1) if time.localtime(at).tm_gmtoff != before))
    return found


def _walls(cases: Sequence[tuple[tuple[_Painted, ...], int]]) -> dict[tuple[str, int], int]:
    wanted: dict[str, set[int]] = {zone: set() for zone in ZONES}
    for of, instant in cases:
        for painted in of:
            wanted[painted.window.zone].add(instant)
    shown = {}
    for zone, instants in wanted.items():
        with wall_of(zone):
            shown.update({(zone, instant): minute_of_week(instant) for instant in instants})
    return shown


def _freeze(chance: random.Random, instant: int) -> tuple[int, int]:
    begin = instant + chance.choice((0, 1, -1, chance.randint(-86400, 86400)))
    return begin, begin + chance.choice((1, 60, chance.randint(1, 2 * 86400)))


def _folder_of(zone: str) -> str:
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / zone).is_file():
            return folder
    return str(importlib.resources.files("tzdata") / "zoneinfo")


def _text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
