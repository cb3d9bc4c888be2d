"""One environment in a few words: a line for each thing that people look for, short enough for a narrow column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...verdict.levels import LEVELS, worded
from ..paint import Paint
from ..wording import MISSING, moment, number, one_line, weights
from .lately import asked, last
from .reading import fields, items, unreadable, word
from .status import until_when

_OTHER = {"blue": "green", "green": "blue"}
_SILENT = "does not say"


def briefly(answer: Mapping[str, Any], paint: Paint, *, is_timed: bool = True) -> dict[str, str]:
    """What is live, idle, under way, out of the ordinary. ``is_timed``: with what changes as time goes by."""
    if "unreadable" in answer:
        return {"live": unreadable(answer, paint)}
    return {
        "live": _live(answer, paint),
        "idle": _idle(answer, paint),
        "way back": _way_back(answer, paint, is_timed=is_timed),
        "at work": _at_work(answer.get("lease"), paint),
        "asked": next(reversed(asked(answer)), ""),
        "site": _site(answer.get("maintenance"), paint),
        "switch": _switch(answer.get("deadman"), paint),
        "last": _last(answer, paint),
        "levels": _levels(answer.get("levels"), paint),
        "untold": _untold(answer.get("outbox"), paint),
    }


def _dark(found: Any, paint: Paint) -> str:
    return paint(f"{_SILENT}: {one_line(found['unreadable'], 90)}", "bad") if unreadable(found, paint) else ""


def _live(answer: Mapping[str, Any], paint: Paint) -> str:
    traffic = fields(answer, "traffic")
    if dark := _dark(traffic, paint):
        return dark
    live = traffic.get("live")
    return _color(answer, str(live), paint) if live in _OTHER else paint(weights(traffic), "warn")


def _idle(answer: Mapping[str, Any], paint: Paint) -> str:
    live = fields(answer, "traffic").get("live")
    return _color(answer, _OTHER[str(live)], paint) if live in _OTHER else MISSING


def _color(answer: Mapping[str, Any], color: str, paint: Paint) -> str:
    colors = fields(answer, "colors")
    found = colors.get(color)
    if dark := _dark(colors, paint) or _dark(found, paint):
        return f"{color}, {dark}"
    if not fields(found):
        return f"{color}, empty"
    return f"{paint(color, color)} {word(found, 'version')}, {_health(fields(found), paint)}"


def _health(found: Mapping[str, Any], paint: Paint) -> str:
    if not found.get("running"):
        return paint("runs on some hosts only", "bad") if found.get("partly") else "stopped"
    if found.get("healthy") is True:
        return paint("healthy", "good")
    return paint("health unknown", "warn") if found.get("healthy") is None else paint("NOT healthy", "bad")


def _way_back(answer: Mapping[str, Any], paint: Paint, *, is_timed: bool) -> str:
    traffic = fields(answer, "traffic")
    if unreadable(traffic, paint):
        return MISSING
    back = word(traffic, "way_back", "")
    until = until_when(answer) if is_timed else ""
    _, _, left = until.rstrip(")").partition("(")
    return f"{back}{f', {left}' if left else ''}" if back else "none is open"


def _at_work(found: Any, paint: Paint) -> str:
    if dark := _dark(found, paint):
        return dark
    if not fields(found):
        return "nobody"
    if found.get("dead") or number(found.get("quiet")) is not None:
        return paint(f"{word(found, 'who')}, gone: {word(found, 'doing')}", "warn")
    return f"{paint(word(found, 'who'), 'bold')}: {word(found, 'doing')}"


def _site(found: Any, paint: Paint) -> str:
    if dark := _dark(found, paint):
        return dark
    return paint(f"CLOSED: {word(found, 'message')}", "bad") if fields(found) else "open"


def _switch(found: Any, paint: Paint) -> str:
    if dark := _dark(found, paint):
        return dark
    if not fields(found):
        return "none"
    if moment(found.get("fired_at")):
        return paint("FIRED", "bad")
    return "armed" if found.get("armed") else "not armed"


def _last(answer: Mapping[str, Any], paint: Paint) -> str:
    if dark := _dark(answer.get("ledger"), paint):
        return dark
    found = last(answer)
    if not found:
        return "nothing yet"
    return f"{found[0].what} {found[0].version}, {found[0].outcome}, {found[0].at}"


def _levels(found: Any, paint: Paint) -> str:
    """Only those that are over their limits."""
    levels = {} if unreadable(found, paint) else fields(found)
    over = [
        worded(name, value)
        for name in LEVELS
        if (value := number(fields(levels, name).get("value"))) is not None
        and value > (number(fields(levels, name).get("warns_above")) or value)
    ]
    return paint(", ".join(over), "warn")


def _untold(found: Any, paint: Paint) -> str:
    return "" if unreadable(found, paint) else paint(", ".join(map(str, fields(found))), "warn")


def differences(answer: Mapping[str, Any]) -> list[str]:
    """What is otherwise than recorded, and what to do about it."""
    return [f"{word(each, 'what')}: {word(each, 'do')}" for each in items(answer, "astray")]
