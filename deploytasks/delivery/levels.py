"""The levels of DORA's report of 2024, for those measures whose clusters there are in order. Pure.

The clusters describe who answered a survey; they are no targets, and DORA forms them anew each year. That year's change
failure rates are not in order (elite 5 %, high 20 %, medium 10 %, low 40 %): no level follows from one. For recovery,
high and medium are the same: less than a day.
"""

from __future__ import annotations

LEVELS_SOURCE = "DORA, Accelerate State of DevOps 2024: what groups of respondents had in common, no targets"
DAY, WEEK, MONTH = 86400.0, 7 * 86400.0, 30.44 * 86400.0
_LEAD = ((DAY, "elite"), (WEEK, "high"), (MONTH, "medium"))
_RESTORE = ((3600.0, "elite"), (DAY, "high"), (float("inf"), "low"))


def of_frequency(per_day: float) -> str:
    """More than one a day; down to one a week; down to one a month; less."""
    if per_day > 1:
        return "elite"
    return "high" if per_day * 7 >= 1 else "medium" if per_day * MONTH / DAY >= 1 else "low"


def of_lead_time(seconds: float) -> str:
    """Less than a day, a week, a month; longer."""
    return next((level for most, level in _LEAD if seconds < most), "low")


def of_restoring(seconds: float) -> str:
    """Less than an hour, a day; longer."""
    return next((level for most, level in _RESTORE if seconds < most), "low")
