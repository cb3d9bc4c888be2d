"""When something may happen: windows that come again every week, and freezes that come once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from .base import Value
from .environment import Text
from .mistakes import did_you_mean, shown

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes."""
_YEARS = 1970, 2200
"""Beyond them a time is a slip of the pen."""


def weekdays(days: str) -> frozenset[int]:
    """``mon-thu``, ``fri-mon`` (across the week's end) or ``mon,wed,fri`` as numbers; Monday is 0.

    Raises ``ValueError`` for what is no day.
    """
    found: set[int] = set()
    for part in days.split(","):
        first, dash, last = (one.strip().lower() for one in part.partition("-"))
        begin = _weekday(first, part)
        count = (_weekday(last, part) - begin) % 7 if dash else 0
        found.update((begin + more) % 7 for more in range(count + 1))
    return frozenset(found)


def minutes(clock: str) -> int:
    """``HH:MM`` as minutes since midnight, ``24:00`` as 1440. Raises ``ValueError`` for what is no time."""
    found = re.fullmatch(r"(\d\d?):(\d\d)", clock.strip(), re.ASCII)
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 99)
    if minute > 59 or 60 * hour + minute > DAY:
        raise ValueError(f'{shown(clock)} is no time of the day: write "HH:MM", from "00:00" to "24:00"')
    return 60 * hour + minute


def _weekday(name: str, part: str) -> int:
    if name in WEEK:
        return WEEK.index(name)
    raise ValueError(f"{shown(name or part.strip())} is no day: {', '.join(WEEK)}{did_you_mean(name, WEEK)}")


def _days(given: Any) -> Any:
    if isinstance(given, list | tuple) and given and all(isinstance(one, str) for one in given):
        given = ",".join(given)
    if not isinstance(given, str):
        raise ValueError(f"days such as mon-thu or [sat, sun] are needed, not {shown(given)}")
    weekdays(given)
    return given


def _clock(given: Any) -> Any:
    """YAML 1.1 counts in sixties: it reads ``10:00`` without quotes as 600, and 600 may have been meant otherwise."""
    if isinstance(given, int) and not isinstance(given, bool):
        read = f'"{given // 60:02}:{given % 60:02}"' if 60 <= given <= DAY else '"HH:MM"'
        raise ValueError(f"{given} is a number: write {read}, in quotes (YAML reads 10:00 without them as 600)")
    if not isinstance(given, str):
        raise ValueError(f'a time such as "02:00" is needed, not {shown(given)}')
    found = minutes(given)
    return f"{found // 60:02}:{found % 60:02}"


def _zone(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        ZoneInfo(given)
    except (ValueError, OSError, LookupError):
        raise ValueError(f"{shown(given)} is no time zone{_nearest_zone(given)}") from None
    return given


def _nearest_zone(name: str) -> str:
    from zoneinfo import available_timezones

    known = sorted(available_timezones())
    same = next((zone for zone in known if zone.casefold() == name.strip().replace(" ", "_").casefold()), None)
    city = next((zone for zone in known if zone.rpartition("/")[2].casefold() == name.strip().casefold()), None)
    found = same or city
    hint = f"; did you mean `{found}`?" if found else did_you_mean(name, known)
    return hint or ": write an IANA name such as Europe/Berlin"


Zone = Annotated[Text, BeforeValidator(_zone)]
"""IANA name of a time zone."""
Clock = Annotated[str, BeforeValidator(_clock)]
"""``HH:MM`` on the wall, ``24:00`` included."""


class Window(Value):
    """A time of the week, by the clock on the wall of its zone."""

    days: Annotated[Text, BeforeValidator(_days)] = "mon-sun"
    """The days on which it begins: ``mon-thu``, ``fri-mon``, ``sat``, ``mon,wed,fri``, or a list."""
    from_: Annotated[Clock, Field(alias="from")] = "00:00"
    """``HH:MM`` in quotes, by the clock on the wall of the zone."""
    to: Clock = "24:00"
    """``HH:MM``, exclusive; not after ``from``: on the next day."""
    zone: Zone = "UTC"
    """The IANA name of the time zone: ``Europe/Berlin``."""

    @field_validator("from_")
    @classmethod
    def _begins_within_its_day(cls, clock: str) -> str:
        if minutes(clock) == DAY:
            raise ValueError('"24:00" ends a day: write "00:00", and the day after')
        return clock

    def __str__(self) -> str:
        return f"{self.days} {self.from_}-{self.to} {self.zone}"


class Freeze(Value):
    """A time in which nothing goes out, from ``from_`` up to ``to`` (exclusive), both in UTC."""

    zone: Zone | None = None
    """The IANA name of the zone of times that do not say theirs."""
    from_: Annotated[datetime, Field(alias="from")]
    """A time, or a day: from its beginning on."""
    to: datetime
    """A time, exclusive; or a day: to its end."""
    reason: Text
    """Why; shown to whoever is refused."""

    @field_validator("from_", "to", mode="before")
    @classmethod
    def _in_its_zone(cls, given: Any, info: ValidationInfo) -> datetime:
        is_end = info.field_name == "to"
        wall = _wall(given, is_end)
        if wall.tzinfo is not None:
            return wall.astimezone(UTC)
        if "zone" not in info.data:  # it is wrong, and that is said already
            return wall.replace(tzinfo=UTC)
        if info.data["zone"] is None:
            raise ValueError(f"{shown(str(given))} does not say its zone: add `zone: Europe/Berlin`, or write …+01:00")
        return _frozen_from_or_to(wall, ZoneInfo(info.data["zone"]), is_end)

    @field_validator("to")
    @classmethod
    def _after_it_begins(cls, to: datetime, info: ValidationInfo) -> datetime:
        begins = info.data.get("from_")
        if begins is not None and to <= begins:
            raise ValueError(f"{to:%Y-%m-%d %H:%M %Z} is not after `from`, {begins:%Y-%m-%d %H:%M %Z}")
        return to


def _wall(given: Any, is_end: bool) -> datetime:
    """What is written, as YAML reads it: a time, a day, or a text that is either."""
    found = given
    if isinstance(given, str):
        try:
            kind = datetime if re.search(r"\d[T ]\d", given) else date
            found = kind.fromisoformat(given.strip())
        except ValueError:
            found = None
    if not isinstance(found, date) or not _YEARS[0] <= found.year < _YEARS[1]:
        raise ValueError(f"a time such as 2026-12-20 18:00 is needed, not {shown(given)}")
    if isinstance(found, datetime):
        return found
    return datetime.combine(found, time()) + timedelta(days=is_end)


def _frozen_from_or_to(wall: datetime, zone: ZoneInfo, is_end: bool) -> datetime:
    """Where the clocks change the wall says a time twice, or skips it: the longer freeze is meant."""
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(both) if is_end else min(both)
