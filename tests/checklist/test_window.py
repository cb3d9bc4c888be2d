"""Deployment windows and freezes on the checklist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.checklist import item_of
from deploytasks.checklist.item import Found
from deploytasks.checklist.subject import Subject
from deploytasks.checklist.window import ITEMS, in_a_window, no_freeze, planned_seconds, span, window_answer
from deploytasks.settings.windows import Freeze, Window

NIGHT = {"days": "mon-thu", "from": "02:00", "to": "05:00", "zone": "Europe/Berlin"}
SALE = {"from": "2026-11-27", "to": "2026-11-28", "zone": "Europe/Berlin", "reason": "the great sale"}


def at(
    folder: Path, instant: str, *, hotfix: bool = False, environment: dict[str, Any] | None = None, **gates: Any
) -> Subject:
    """A release on its way at an instant in UTC, with these gates."""
    folder.mkdir(exist_ok=True)
    world = memory.world(folder, gates=gates, **environment or {})
    world.clock.sleep((datetime.fromisoformat(instant).replace(tzinfo=UTC) - world.clock.now()).total_seconds())
    return Subject(world, memory.release(), hotfix=hotfix)


def test_the_items_are_on_the_checklist() -> None:
    """A hotfix must pass them as well: only an override sets them aside."""
    assert [(item.id, item.level, item.critical) for item in ITEMS] == [
        ("window.open", "production", True),
        ("window.freeze", "production", True),
    ]
    assert [item_of(item.id) for item in ITEMS] == list(ITEMS)


def test_any_time_where_no_window_is_configured(tmp_path: Path) -> None:
    """Said, with how a window is written."""
    found = in_a_window(at(tmp_path, "2026-11-24 10:00"))
    assert found.answer == "warn"
    assert found.evidence.startswith("any time: no `gates.windows` are configured, such as {days: mon-thu, from:")


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (
            "2026-11-24 01:30",
            Found("pass", "open until Tue 2026-11-24 05:00 Europe/Berlin (Tue 04:00 UTC), for 2 h 30 min: "
            "mon-thu 02:00-05:00 Europe/Berlin"),
        ),
        (
            "2026-11-24 03:06",
            Found("warn", "open until Tue 2026-11-24 05:00 Europe/Berlin (Tue 04:00 UTC), for 54 min: "
            "mon-thu 02:00-05:00 Europe/Berlin; what is planned takes 55 min, and would end after that"),
        ),
        (
            "2026-11-24 04:00",
            Found("fail", "closed: mon-thu 02:00-05:00 Europe/Berlin; opens Wed 2026-11-25 02:00 Europe/Berlin "
            "(Wed 01:00 UTC), in 21 h, for 3 h"),
        ),
        (
            "2026-11-27 12:00",
            Found("fail", "closed: mon-thu 02:00-05:00 Europe/Berlin; opens Mon 2026-11-30 02:00 Europe/Berlin "
            "(Mon 01:00 UTC), in 2 d 13 h, for 3 h"),
        ),
    ],
)  # fmt: skip
def test_open_or_closed(tmp_path: Path, instant: str, expected: Found) -> None:
    """Until when, or from when on; and whether all stages and the bake end in time."""
    assert in_a_window(at(tmp_path, instant, windows=[NIGHT])) == expected


def test_the_short_way_takes_less_time(tmp_path: Path) -> None:
    """A hotfix is over sooner; and never takes longer than other releases."""
    assert planned_seconds(at(tmp_path, "2026-11-24 03:06")) == 5 * 300 + 1800
    assert planned_seconds(at(tmp_path, "2026-11-24 03:06", hotfix=True)) == 3 * 60 + 300
    assert in_a_window(at(tmp_path, "2026-11-24 03:06", hotfix=True, windows=[NIGHT])).answer == "pass"
    short = at(tmp_path / "short", "2026-11-24 03:06", hotfix=True, environment={"watch": 20, "poll": 1, "bake": 10})
    assert planned_seconds(short) == 3 * 20 + 10


def test_always_open(tmp_path: Path) -> None:
    """A window that never closes says so."""
    found = in_a_window(at(tmp_path, "2026-11-24 10:00", windows=[{}]))
    assert found == Found("pass", "always open: mon-sun 00:00-24:00 UTC")


def test_the_next_opening_is_none_in_a_freeze(tmp_path: Path) -> None:
    """What opens next is what can be used: a window in a freeze is none."""
    freeze = {"from": "2026-11-29", "to": "2026-12-01", "zone": "UTC", "reason": "move"}
    found = in_a_window(at(tmp_path, "2026-11-27 12:00", windows=[NIGHT], freezes=[freeze]))
    assert "opens Wed 2026-12-02 02:00 Europe/Berlin (Wed 01:00 UTC), in 4 d 13 h, for 3 h" in found.evidence


def test_frozen(tmp_path: Path) -> None:
    """Why, until when, and when something may go out after it; the window says nothing of it."""
    of = at(tmp_path, "2026-11-27 12:00", windows=[{**NIGHT, "days": "mon-sun"}], freezes=[SALE])
    assert no_freeze(of) == Found(
        "fail",
        "frozen until Sun 2026-11-29 00:00 Europe/Berlin (Sat 23:00 UTC): the great sale; "
        "opens Sun 2026-11-29 02:00 Europe/Berlin (Sun 01:00 UTC), in 1 d 13 h, for 3 h",
    )
    night = at(tmp_path / "night", "2026-11-27 02:00", windows=[{**NIGHT, "days": "mon-sun"}], freezes=[SALE])
    assert (in_a_window(night).answer, no_freeze(night).answer) == ("pass", "fail")


def test_a_freeze_that_never_ends(tmp_path: Path) -> None:
    """No opening is invented."""
    of = at(tmp_path, "2026-11-27 12:00", freezes=[{**SALE, "to": "2029-01-01"}])
    assert no_freeze(of).evidence.endswith("the great sale; opens no more within 366 days")


def test_a_freeze_to_come(tmp_path: Path) -> None:
    """It warns when the rollout would run into it."""
    begins = "the next freeze (the great sale) begins Fri 2026-11-27 00:00 Europe/Berlin (Thu 23:00 UTC)"
    assert no_freeze(at(tmp_path, "2026-11-26 10:00", freezes=[SALE])) == Found("pass", begins)
    assert no_freeze(at(tmp_path / "late", "2026-11-26 22:30", freezes=[SALE])) == Found(
        "warn", f"{begins}, in 30 min; what is planned takes 55 min"
    )
    over = at(tmp_path / "over", "2026-11-30 10:00", freezes=[SALE])
    assert no_freeze(over) == Found("pass", "no freeze, now or to come")


def test_an_answer_for_others() -> None:
    """Freezes count there as well, and the setting that is missing is the one that was asked for."""
    windows, now = [Window.model_validate(NIGHT)], datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    freeze = Freeze(from_=now + timedelta(minutes=10), to=now + timedelta(hours=1), reason="audit")
    assert window_answer(windows, [freeze], now, 300).answer == "pass"
    assert window_answer(windows, [freeze], now, 900).answer == "warn"
    assert window_answer(windows, [freeze], now + timedelta(minutes=10), 0) == Found(
        "fail",
        "frozen until Tue 2026-11-24 02:30 UTC: audit; "
        "opens Tue 2026-11-24 03:30 Europe/Berlin (Tue 02:30 UTC), in 50 min, for 1 h 30 min",
    )
    assert (
        "no `gates.migration_windows` are" in window_answer([], [], now, 0, setting="gates.migration_windows").evidence
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (12000, "3 h 20 min"),
        (86400 * 2 + 3600 * 3 + 60, "2 d 3 h"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    """Rounded down: what is left is never said to be more."""
    assert span(seconds) == text


@pytest.mark.parametrize("check", [in_a_window, no_freeze])
def test_a_clock_that_is_set_back_opens_no_window(tmp_path: Path, check: Callable[[Subject], Found]) -> None:
    """The ledger has seen later times; clocks of machines that are a little apart do not matter."""
    at(tmp_path, "2026-11-24 12:00").world.note("evidence", item="tests", key="k", ok=True, detail="")
    memory.state_of(tmp_path).change(elapsed=0.0)
    seen = check(at(tmp_path, "2026-11-24 02:00", windows=[NIGHT]))
    told = "the clock of this machine says 2026-11-24 02:00 UTC, and the ledger has 2026-11-24 12:00: set it right"
    assert Found("fail", told) == seen
    memory.state_of(tmp_path).change(elapsed=0.0)
    assert "clock" not in check(at(tmp_path, "2026-11-24 11:55", windows=[NIGHT])).evidence
