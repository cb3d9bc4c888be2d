"""Recorded deployments under other rules: each as it was and as it would have been; then all of them, and the lines to
copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..paint import Paint, wrapped
from ..wording import counted, duration, instant, number, one_line, whole
from .reading import fields, items, title, word

_MARKS = {"same": "", "home earlier": "ok"}


def backtest(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Which rules, what each deployment would have become, and what that comes to."""
    where = title(word(answer, "application"), word(answer, "environment"))
    rows, total = items(answer, "deployments"), fields(answer, "summary")
    since = f" since {instant(answer.get('since'))}" if answer.get("since") else ""
    if not rows:
        return [f"no rollout of {where} is recorded{since}: nothing can be replayed"]
    first, *more = wrapped(_checked(total, len(rows)), paint.columns, "    ")
    heading = f"{where}: {counted(len(rows), 'recorded rollout')}{since}, replayed"
    return [
        paint(heading, "bold"),
        f"  {paint.mark(_whole(total, len(rows)))} {first.strip()}",
        *more,
        *wrapped(f"under: {_asked(answer)}", paint.columns, "    ", "  "),
        "",
        *(line for row in rows for line in _row(row, paint)),
        "",
        *wrapped(_sum(total), paint.columns, "  "),
        *_copied(answer),
    ]


def _whole(total: Mapping[str, Any], rows: int) -> str:
    return "ok" if total.get("reproduced") == rows else "warn"


def _checked(total: Mapping[str, Any], rows: int) -> str:
    return f"under their own rules, {whole(total.get('reproduced'))} of {rows} end exactly as they did"


def _asked(answer: Mapping[str, Any]) -> str:
    asked = fields(answer, "asked")
    return ", ".join(f"{one_line(key)} {one_line(value)}" for key, value in asked.items()) or "their own rules"


def _row(row: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    """One rollout: what happened, then what would have."""
    would = fields(row, "would")
    mark = "warn" if not would else _mark(row, would)
    attempt = number(row.get("attempt"))
    again = f", attempt {attempt:.0f}" if attempt and attempt > 1 else ""
    is_same = word(would, "kind") == "same"
    same = paint("; the same", "dim") if is_same else ""
    yield f"{paint.mark(mark)} {word(row, 'deployment')}  {word(row, 'version')}{again}: {_was(row)}{same}"
    if not is_same:
        said = _would(row, would) if would else f"cannot be compared: {word(row, 'unreadable')}"
        yield from wrapped(said, paint.columns, "    ")


def _mark(row: Mapping[str, Any], would: Mapping[str, Any]) -> str:
    kind = word(would, "kind")
    is_good = row.get("code") == 0 and not row.get("regretted")
    return "fail" if kind == "home earlier" and is_good else _MARKS.get(kind, "warn")


def _was(row: Mapping[str, Any]) -> str:
    outcome = word(row, "outcome", "never ended")
    after = f" after {duration(number(row.get('seconds')))}"
    regret = f", and taken back later by hand: {word(row, 'regretted')}" if row.get("regretted") else ""
    return f"{outcome}{after}{regret}"


def _would(row: Mapping[str, Any], would: Mapping[str, Any]) -> str:
    """In words; where nobody knows what would have come, that too."""
    kind, percent = word(would, "kind"), number(would.get("percent"))
    share = "" if percent is None else f", {'to' if kind.startswith('moves') else 'at'} {percent:.0f} %"
    where = f"after {duration(number(would.get('at')))}{share}"
    why = f": {word(would, 'why')}" if would.get("why") and kind != "goes on" else ""
    if kind == "home earlier":
        return f"{_home(would)} {where}{why}; {_spared(row, would)}"
    return f"{_UNKNOWN.get(kind, kind)} {where}{why}; unknown from there on"


_UNKNOWN = {
    "goes on": "would not have gone home",
    "waits": "would have waited",
    "moves earlier": "would have gone on sooner,",
    "moves elsewhere": "would have gone on otherwise,",
    "finishes earlier": "would have been over",
}


def _home(would: Mapping[str, Any]) -> str:
    return "would have been taken back" if would.get("code") == 4 else "would have gone home for want of evidence"


def _spared(row: Mapping[str, Any], would: Mapping[str, Any]) -> str:
    requests, errors = number(would.get("requests")) or 0, number(would.get("errors")) or 0
    spared = f"{counted_whole(requests, 'request')} and {counted_whole(errors, 'error')} less on it"
    if row.get("code") == 0 and not row.get("regretted"):
        return f"it ended well ({spared})"
    return f"{duration(number(would.get('earlier')))} earlier, {spared}"


def _sum(total: Mapping[str, Any]) -> str:
    """How many of each kind; those that there are not are left out, but for what matters most."""
    said = [f"{whole(total.get('same'))} the same"]
    bad, good = number(total.get("bad_earlier")), number(total.get("good_taken_home"))
    if bad:
        spared = f"{whole(total.get('requests_spared'))} requests and {whole(total.get('errors_spared'))} errors less"
        said.append(f"{bad:.0f} bad home earlier ({duration(number(total.get('seconds_earlier')))} in all, {spared})")
    said.append(f"{whole(good)} good taken home by mistake")
    for name, words in _OTHERS.items():
        if count := number(total.get(name)):
            said.append(f"{count:.0f} {words}")
    return f"of {counted_whole(total.get('reproduced'), 'rollout')}: {', '.join(said)}"


_OTHERS = {
    "others_home": "taken home that ended otherwise",
    "not_taken_home": "not taken home where they were",
    "another_course": "on another course, unknown from there on",
}


def _copied(answer: Mapping[str, Any]) -> Iterator[str]:
    lines = answer.get("settings")
    if isinstance(lines, list | tuple) and lines:
        yield ""
        yield f"in invoke.yaml, below deploy.environments.{word(answer, 'environment')}:"
        yield from (f"    {one_line(line)}" for line in lines)


def counted_whole(count: object, noun: str) -> str:
    """``1,000 requests``, ``1 error``."""
    found = number(count)
    return counted(1, noun) if found == 1 else f"{whole(count)} {noun}s"
