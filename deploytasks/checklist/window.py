"""Deployment windows and freezes: when something may go out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import Unreachable
from .evidence import SKEW
from .item import Found, Item

if TYPE_CHECKING:
    from datetime import datetime

    from ..settings.windows import Freeze, Window
    from .subject import Subject


def in_a_window(of: Subject) -> Found:
    """It is a time of the week at which something may be deployed, and the rollout will be over before that ends."""
    gates = of.gates
    if behind := _behind(of):
        return behind
    return window_answer(gates.windows, gates.freezes, of.world.clock.now(), planned_seconds(of), freeze_refuses=False)


def window_answer(
    windows: Sequence[Window],
    freezes: Sequence[Freeze],
    now: datetime,
    seconds: float,
    *,
    freeze_refuses: bool = True,
    setting: str = "gates.windows",
) -> Found:
    """Whether something that takes so many ``seconds`` may begin now.

    ``fail`` outside of the windows, or in a freeze, with when it may next; ``warn`` where it would not end in time, or
    where no window is configured (the ``setting`` is named). ``freeze_refuses``: whether a freeze is told here.
    """
    from .. import windows as times

    freeze = times.frozen_by(freezes, now) if freeze_refuses else None
    if freeze is not None:
        return Found("fail", f"{_frozen(freeze)}; {_next(windows, freezes, now)}")
    if not windows:
        return Found("warn", f"any time: no `{setting}` are configured, such as {_EXAMPLE}")
    window = times.window_at(windows, now)
    if window is None:
        return Found("fail", f"closed: {_hours(windows)}; {_next(windows, freezes, now)}")
    closes = times.closes_at(windows, freezes if freeze_refuses else (), now)
    if closes is None:
        return Found("pass", f"always open: {_hours(windows)}")
    left = (closes - now).total_seconds()
    open_for = f"open until {_shown(closes, window.zone)}, for {span(left)}: {window}"
    if seconds > left:
        return Found("warn", f"{open_for}; what is planned takes {span(seconds)}, and would end after that")
    return Found("pass", open_for)


def no_freeze(of: Subject) -> Found:
    """Nobody has frozen this environment, and no freeze begins before the rollout is over."""
    from .. import windows as times

    gates, now = of.gates, of.world.clock.now()
    if behind := _behind(of):
        return behind
    freeze = times.frozen_by(gates.freezes, now)
    if freeze is not None:
        return Found("fail", f"{_frozen(freeze)}; {_next(gates.windows, gates.freezes, now)}")
    coming = min((one for one in gates.freezes if one.from_ > now), key=lambda one: one.from_, default=None)
    if coming is None:
        return Found("pass", "no freeze, now or to come")
    begins = f"the next freeze ({coming.reason}) begins {_shown(coming.from_, coming.zone or 'UTC')}"
    seconds, left = planned_seconds(of), (coming.from_ - now).total_seconds()
    if seconds > left:
        return Found("warn", f"{begins}, in {span(left)}; what is planned takes {span(seconds)}")
    return Found("pass", begins)


def _behind(of: Subject) -> Found | None:
    """A refusal where the ledger has seen later times than this machine tells: its clock opens no window."""
    with suppress(Unreachable):
        latest, now = of.standing.latest, of.world.clock.now()
        if latest is not None and latest - now > SKEW:
            told = (
                f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, and the ledger has {latest:%Y-%m-%d %H:%M}"
            )
            return Found("fail", f"{told}: set it right")
    return None


def planned_seconds(of: Subject) -> float:
    """How long traffic takes to move and to be watched when nothing holds it: all stages, and the bake."""
    rollout = of.world.settings.rollout
    if of.hotfix:
        short = rollout.hotfix
        return len(short.stages) * min(rollout.watch, short.watch) + min(rollout.bake, short.bake)
    return len(rollout.stages) * rollout.watch + rollout.bake


_EXAMPLE = '{days: mon-thu, from: "08:00", to: "16:00", zone: Europe/Berlin}'


def _frozen(freeze: Freeze) -> str:
    return f"frozen until {_shown(freeze.to, freeze.zone or 'UTC')}: {freeze.reason}"


def _hours(windows: Sequence[Window]) -> str:
    return "; ".join(map(str, windows))


def _next(windows: Sequence[Window], freezes: Sequence[Freeze], now: datetime) -> str:
    """When something may happen next, in the zone of the window that opens then and in UTC, and for how long."""
    from .. import windows as times

    opens = times.opens_at(windows, freezes, now)
    if opens is None:
        return f"opens no more within {times.DAYS_AHEAD} days"
    window = times.window_at(windows, opens)
    text = f"opens {_shown(opens, window.zone if window else 'UTC')}, in {span((opens - now).total_seconds())}"
    closes = times.closes_at(windows, freezes, opens)
    return f"{text}, for {span((closes - opens).total_seconds())}" if closes else text


def _shown(instant: datetime, zone: str) -> str:
    """On the wall of a zone, and in UTC: ``Tue 2026-11-24 02:00 Europe/Berlin (Tue 01:00 UTC)``."""
    from datetime import UTC
    from zoneinfo import ZoneInfo

    if zone == "UTC":
        return f"{instant.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC"
    return f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone} ({instant.astimezone(UTC):%a %H:%M} UTC)"


def span(seconds: float) -> str:
    """Rounded down to what people say: ``2 d 3 h``, ``3 h 20 min``, ``5 min``, ``40 s``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in [one for one in parts if one[0]][:2])


ITEMS = (
    Item("window.open", "It is a time at which something may be deployed", in_a_window, critical=True),
    Item("window.freeze", "No freeze is in force", no_freeze, critical=True),
)
