"""How a drill went: one line for each death, or for the way there and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..paint import Paint, table
from ..wording import duration, number
from .reading import items, word

_HEAD = ("killed at", "traffic then", "who came", "code", "order after", "traffic now", "requests", "lost")


def drill(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """A table of deaths; or the times of a rollback."""
    return (_deaths if answer.get("what") == "deaths" else _rollback)(answer, paint)


def _deaths(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    rounds = items(answer, "rounds")
    rows: list[Sequence[str]] = [["", *(paint(head, "dim") for head in _HEAD)]]
    rows += [_row(each, paint) for each in rounds]
    wrong = [f"  {word(each, 'at')}, then {word(each, 'by')}: {one}" for each in rounds for one in _wrong(each)]
    return [*table(rows), *wrong, "", _sum(answer, f"{len(rounds)} deaths in {word(answer, 'environment')}", paint)]


def _row(each: Mapping[str, Any], paint: Paint) -> Sequence[str]:
    is_well = not each.get("lost") and not each.get("wrong")
    after = duration(number(each.get("seconds")))
    cells = [word(each, "at"), word(each, "left"), word(each, "by"), word(each, "code"), after, word(each, "after")]
    return [paint.mark("ok" if is_well else "fail"), *cells, word(each, "sent"), word(each, "lost")]


def _rollback(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    way = f"{word(answer, 'from')} → {word(answer, 'to')} → {word(answer, 'from')}"
    back, forward = (number(answer.get(name)) or 0.0 for name in ("seconds_back", "seconds_forward"))
    lines = [
        f"  way       {way}",
        f"  back      {back:.2f} s, verified at the balancer",
        f"  forward   {forward:.2f} s",
    ]
    lines += [] if answer.get("counted") else ["  requests  nobody counted: no `probe:` is configured"]
    lines += [f"  {paint.mark('fail')} {one}" for one in _wrong(answer)]
    return [*lines, "", _sum(answer, f"a rollback in {word(answer, 'environment')}, rehearsed", paint)]


def _sum(answer: Mapping[str, Any], what: str, paint: Paint) -> str:
    counted = answer.get("counted", True)
    lost = f", {word(answer, 'lost')} of {word(answer, 'sent')} requests lost" if counted else ""
    seconds = number(answer.get("seconds"))
    took = "" if seconds is None else f" in {duration(seconds)}"
    order = "everything is in order" if answer.get("ok") else "NOT everything is in order"
    return f"{paint.mark('ok' if answer.get('ok') else 'fail')} {what}{took}: {order}{lost}"


def _wrong(of: Mapping[str, Any]) -> Sequence[str]:
    found = of.get("wrong")
    return [str(each) for each in found] if isinstance(found, list | tuple) else []
