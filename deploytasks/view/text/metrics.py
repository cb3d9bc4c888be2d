"""How well software is delivered, as text: four measures, their weeks as sparklines, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..paint import Paint, hanging, table, wrapped
from ..sparks import spark
from ..wording import counted, duration, instant, moment, number, share
from .reading import fields, items, title, word

_WEEKS = 26
"""As many as are drawn."""


def metrics(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The measures of a period."""
    where = title(word(answer, "application"), word(answer, "environment"))
    since, until = instant(answer.get("since")), instant(answer.get("until"))
    heading = paint(f"delivery of {where}, {since} to {until}", "bold")
    rows = list(_rows(answer))
    labels = table([(f"  {name}", paint(line, "green"), "|") for name, line, _ in rows])
    lines = [heading]
    for label, (_, _, said) in zip(labels, rows, strict=True):
        lines += hanging(label.removesuffix("|"), said, paint.columns)
    lines += _later(answer)
    weeks = sum(not is_before(week, answer) for week in items(answer, "weeks"))
    if weeks > 1:
        lines += [paint(f"  sparklines: the last {min(weeks, _WEEKS)} weeks, the latest at the right", "dim")]
    return [*lines, *_failed(answer, paint), *_definitions(answer, paint)]


def _rows(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    weeks = [week for week in items(answer, "weeks") if not is_before(week, answer)][-_WEEKS:]
    yield "deployments", _line(weeks, "deployments"), frequency(fields(answer, "deployment_frequency"))
    yield "lead time", _line(weeks, "lead_time"), lead_time(fields(answer, "lead_time"))
    yield "failed", _rate_line(weeks), failure_rate(fields(answer, "change_failure_rate"))
    yield "time to restore", _line(weeks, "time_to_restore"), restoring(fields(answer, "time_to_restore"))
    yield "rework", "", rework(fields(answer, "rework_rate"))


def is_before(week: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Whether a week was over when the ledger began: nothing could have been recorded."""
    until, begins = moment(week.get("until")), moment(answer.get("counted_from"))
    return until is not None and begins is not None and until <= begins


def _line(weeks: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [number(week.get(name)) for week in weeks]
    return spark(values, None, len(weeks)) if len(weeks) > 1 and any(values) else ""


def _rate_line(weeks: Sequence[Mapping[str, Any]]) -> str:
    """Failed ones of those tried."""
    values = [
        (number(week.get("failed")) or 0.0) / tried if (tried := number(week.get("tried"))) else None for week in weeks
    ]
    return spark(values, None, len(weeks)) if len(weeks) > 1 and any(values) else ""


# -- one measure as a sentence, for the page as well ------------------------------------------------------


def frequency(found: Mapping[str, Any]) -> str:
    """``1.4 a day, 9.8 a week: 126 deployments on 61 days``."""
    n = _count(found, "n")
    if not n:
        return "none settled"
    said = f"{counted(n, 'deployment')} on {counted(_count(found, 'days_with_one'), 'day')}"
    often = "" if found.get("is_few") else f"{_often(found)}: "
    return f"{often}{said}{_level(found)}{_few(found)}"


def _often(found: Mapping[str, Any]) -> str:
    day, week = number(found.get("per_day")) or 0.0, number(found.get("per_week")) or 0.0
    return f"{day:.2g} a day" if day >= 1 else f"{week:.2g} a week"


def lead_time(found: Mapping[str, Any]) -> str:
    """``median 4 h 5 min, P90 2 d, of 310 commits``."""
    n, single = _count(found, "n"), _count(found, "deployments") - _count(found, "with_all_commits")
    if not n and not _count(found, "deployments") + _count(found, "without_commits"):
        return "none settled"
    if not n:
        return "not known: neither git here nor the ledger knows when the commits were made"
    more = f"; of {counted(single, 'deployment')} only the release's own commit is known" if single else ""
    without = _count(found, "without_commits")
    more += f"; {counted(without, 'deployment')} brought no commit that is known to be new" if without else ""
    return f"{_spread(found)}, of {counted(n, 'commit')}{_level(found)}{_few(found)}{more}"


def failure_rate(found: Mapping[str, Any]) -> str:
    """``4.1 % (6 of 145; 95 %: 1.9 to 8.7 %): 3 rolled back, …``."""
    n, failed = _count(found, "n"), _count(found, "failed")
    if not n:
        return "no deployment reached users"
    pair = found.get("likely")
    low, high = pair if isinstance(pair, Sequence) and len(pair) == 2 else (None, None)
    surely = f"; with 95 % confidence {share(low)} to {share(high)}"
    most = found.get("taken_back_at_most")
    parts = [
        f"{_count(found, 'rolled_back')} rolled back afterwards" if _count(found, "rolled_back") else "",
        f"{_count(found, 'taken_back')} taken back on the way, at {most} % of traffic or less"
        if _count(found, "taken_back")
        else "",
        f"{_count(found, 'hotfix_followed')} followed by a hotfix" if _count(found, "hotfix_followed") else "",
    ]
    how = ", ".join(filter(None, parts))
    return f"{share(found.get('rate'))} ({failed} of {n}{surely}){f': {how}' if how else ''}{_few(found)}"


def restoring(found: Mapping[str, Any]) -> str:
    """``median 4 min, P90 20 min, of 6 failures``."""
    n, still = _count(found, "n"), _count(found, "open")
    lasting = f"; {counted(still, 'failure')} not made good yet" if still else ""
    if not n:
        return f"nothing had to be restored{lasting}" if not still else lasting.removeprefix("; ")
    return f"{_spread(found)}, of {counted(n, 'failure')}{_level(found)}{_few(found)}{lasting}"


def rework(found: Mapping[str, Any]) -> str:
    """``3 % (4 of 126) were hotfixes``."""
    n = _count(found, "n")
    if not n:
        return "none settled"
    return f"{share(found.get('rate'))} ({_count(found, 'hotfixes')} of {n}) were hotfixes{_few(found)}"


def _spread(found: Mapping[str, Any]) -> str:
    p90 = number(found.get("p90"))
    return f"median {duration(number(found.get('median')))}" + (f", P90 {duration(p90)}" if p90 is not None else "")


def _level(found: Mapping[str, Any]) -> str:
    return f" ({level})" if (level := word(found, "level", "")) else ""


def _few(found: Mapping[str, Any]) -> str:
    return " (too few to generalize)" if found.get("is_few") and _count(found, "n") else ""


def _count(found: Mapping[str, Any], name: str) -> int:
    return int(number(found.get(name)) or 0)


# -- what is below ---------------------------------------------------------------------------------------


def _later(answer: Mapping[str, Any]) -> list[str]:
    """Where the ledger begins within the period."""
    counted_from = answer.get("counted_from")
    if counted_from == answer.get("since") or not counted_from:
        return []
    return [f"  the ledger begins {instant(counted_from)}: counted from there"]


def _failed(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    rows = [
        (
            f"  {instant(one.get('began'))}",
            word(one, "version") or word(one, "deployment"),
            word(one, "how"),
            f"at most {_count(one, 'most_percent')} %",
            f"restored after {duration(number(one.get('seconds')))}"
            if one.get("restored")
            else paint("not restored yet", "bad"),
        )
        for one in items(answer, "failures")[-10:]
    ]
    return ["", paint("failed deployments", "bold"), *table(rows)] if rows else []


def _definitions(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    lines = ["", paint("what is counted", "bold")]
    for found in fields(answer, "definitions").values():
        if isinstance(found, Mapping):
            lines += wrapped(f"{word(found, 'title')}: {word(found, 'here')}", paint.columns, "    ", first="  ")
    source = f"Measures as in {word(answer, 'source')}. Levels: {word(answer, 'levels_source')}."
    return [*lines, *(paint(line, "dim") for line in wrapped(source, paint.columns, "  "))]
