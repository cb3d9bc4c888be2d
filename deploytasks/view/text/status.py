"""What is live and idle, the way back, the switch, the lease, the last deployments, what is not as recorded."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from ...verdict.levels import LEVELS, worded
from ..paint import Paint, hanging, table, width, wrapped
from ..wording import MISSING, duration, instant, moment, number, one_line, weights, whole
from .lately import asked, last
from .reading import fields, items, title, unreadable, word
from .told import waits

_RECENT = 5
"""Deployments and rollbacks that are shown; `inv history` has all."""
_COLORS = ("blue", "green")
_PARTS = ("traffic", "colors", "maintenance", "deadman", "lease", "ledger")
_NOT_TOLD = {"unreadable": "nothing is known about it"}


def status(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The whole picture, and what about it deserves attention."""
    answer = {**dict.fromkeys(_PARTS, _NOT_TOLD), **answer}
    parts = (
        ("traffic", _traffic(answer, paint)),
        ("way back", _way_back(answer, paint)),
        *((color, _color(color, answer, paint)) for color in _COLORS),
        ("maintenance", _maintenance(answer.get("maintenance"), paint)),
        ("switch", _switch(answer.get("deadman"), paint)),
        ("lease", _lease(answer.get("lease"), paint)),
        *(("asked", said) for said in asked(answer)),
        ("ledger", _ledger(answer.get("ledger"), paint)),
        *_levels(answer.get("levels"), paint),
        *_outbox(answer.get("outbox"), paint),
    )
    where = title(word(answer, "application"), word(answer, "environment"))
    heading = f"{paint(where, 'bold')}  {word(fields(answer, 'traffic'), 'address', '')}".rstrip()
    widest = max(len(name) for name, _ in parts)
    labels = [f"  {paint(name, 'dim')}{' ' * (widest - len(name))}  " for name, _ in parts]
    shown = [hanging(label, value, paint.columns) for label, (_, value) in zip(labels, parts, strict=True)]
    return [heading, *chain.from_iterable(shown), *_recent(answer, paint), *_care(answer, paint)]


def _traffic(answer: Mapping[str, Any], paint: Paint) -> str:
    found = fields(answer, "traffic")
    if why := unreadable(found, paint):
        return why
    return f"{weights(found)}, written by {word(found, 'writer', 'nobody we know')}"


def _way_back(answer: Mapping[str, Any], paint: Paint) -> str:
    found = fields(answer, "traffic")
    if why := unreadable(found, paint):
        return why
    back = word(found, "way_back", "")
    until = until_when(answer)
    return f"{back}{f', until {until}' if until else ''}" if back else "none is open"


def until_when(answer: Mapping[str, Any]) -> str:
    """Until when the way back stays open, and how long that is; empty where it is not known."""
    back, settled = fields(answer, "traffic").get("way_back"), fields(fields(answer, "ledger"), "settled")
    until, now = moment(settled.get("way_back_until")), moment(answer.get("at"))
    if until is None or (settled.get("way_back") or back) != back:
        return ""
    left = (until - now).total_seconds() if now else 0.0
    return f"{instant(until)} ({duration(left)} left)" if left >= 1 else f"{instant(until)}{' (over)' if now else ''}"


def _color(color: str, answer: Mapping[str, Any], paint: Paint) -> str:
    colors = fields(answer, "colors")
    found = colors.get(color)
    if why := unreadable(colors, paint) or unreadable(found, paint):
        return why
    if not fields(found):
        return paint("nothing is installed", "dim")
    return ", ".join([
        word(found, "version"),
        _role(color, fields(answer, "traffic"), paint),
        _health(fields(found), paint),
        word(found, "address"),
    ])  # fmt: skip


def _role(color: str, traffic: Mapping[str, Any], paint: Paint) -> str:
    share = traffic.get(color)
    if traffic.get("live") == color:
        return paint("live", "bold")
    return f"{share} % of traffic" if share else "idle" if share == 0 else "live or idle: unknown"


def _health(found: Mapping[str, Any], paint: Paint) -> str:
    detail = word(found, "detail")
    if not found.get("running"):
        return (
            paint(f"runs on some hosts only: {detail}", "bad") if found.get("partly") else paint("does not run", "dim")
        )
    if found.get("healthy") is True:
        return paint("healthy", "good") + f" ({detail})"
    if found.get("healthy") is None and "healthy" in found:
        return paint(f"healthy or not: unknown ({detail})", "warn")
    return paint(f"NOT healthy: {detail}", "bad")


def _maintenance(found: Any, paint: Paint) -> str:
    if why := unreadable(found, paint):
        return why
    if not fields(found):
        return "off"
    closed = paint(f"CLOSED since {instant(found.get('since'))}", "bad")
    besides = f", but NOT everywhere: {word(found, 'disagreement')}" if found.get("disagreement") else ""
    return f"{closed} by {word(found, 'who')}: {word(found, 'message')}{paint(besides, 'bad') if besides else ''}"


def _switch(found: Any, paint: Paint) -> str:
    if why := unreadable(found, paint):
        return why
    if not fields(found):
        return "none is configured"
    if moment(found.get("fired_at")):
        return paint(f"FIRED at {instant(found.get('fired_at'))}", "bad") + f": {word(found, 'detail')}"
    state, detail = "armed" if found.get("armed") else "not armed", word(found, "detail")
    return state if detail == state else f"{state} ({detail})"


def _lease(found: Any, paint: Paint) -> str:
    if why := unreadable(found, paint):
        return why
    if not fields(found):
        return "free"
    where = f"{word(found, 'host')}, process {word(found, 'pid')}"
    since, quiet = instant(found.get("since")), number(found.get("quiet"))
    if found.get("dead"):
        return f"left behind by {word(found, 'who')} ({where}), who died at: {word(found, 'doing')}"
    if quiet is not None:
        return f"no sign of life from {word(found, 'who')} ({where}) for {duration(quiet)}, at: {word(found, 'doing')}"
    return f"{paint(word(found, 'who'), 'bold')} ({where}) since {since}: {word(found, 'doing')}"


def _ledger(found: Any, paint: Paint) -> str:
    if why := unreadable(found, paint):
        return why
    return f"{whole(fields(found).get('events'))} events, head {word(found, 'head')[:16]}"


def _levels(found: Any, paint: Paint) -> list[tuple[str, str]]:
    """Database and hosts, one line each; none without any."""
    if why := unreadable(found, paint):
        return [("levels", why)]
    return [(name, _level(name, fields(found, name), paint)) for name in LEVELS if name in fields(found)]


def _outbox(found: Any, paint: Paint) -> list[tuple[str, str]]:
    """Whom something waits for, one line each."""
    if why := unreadable(found, paint):
        return [("messages", why)]
    return [(name, paint(waits(fields(found, name)), "warn")) for name in fields(found)]


def _level(name: str, found: Mapping[str, Any], paint: Paint) -> str:
    value, limit = number(found.get("value")), number(found.get("warns_above"))
    if value is None or limit is None:
        return MISSING
    said = f"{worded(name, value)} (warns above {LEVELS[name].text(limit)})"
    return paint(said, "warn") if value > limit else said


def _recent(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Each on a line, and why on the next one where both do not fit."""
    events = last(answer)[:_RECENT]
    rows = table([(each.at, each.what, each.version, each.outcome, each.took) for each in events], "    ")
    lines = [line for row, each in zip(rows, events, strict=True) for line in _with_why(row, each.why, paint.columns)]
    return ["  last deployments and rollbacks, the newest first:", *lines] if rows else []


def _with_why(row: str, why: str, columns: int) -> list[str]:
    if width(row) + 2 + len(why) <= columns:
        return [f"{row}  {why}".rstrip()]
    return [row, *wrapped(one_line(why, 200), columns, "      ")]


def _care(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What a person should do something about."""
    env = word(answer, "environment", "E")
    traffic, colors = fields(answer, "traffic"), fields(answer, "colors")
    cares = [f"{word(each, 'what')}: {word(each, 'do')}" for each in items(answer, "astray")]
    back = fields(colors, str(traffic.get("way_back")))
    if back and back.get("usable", back.get("healthy")) is False:
        cares.append(f"the way back, {traffic.get('way_back')}, is not healthy: a rollback would be refused")
    if fields(answer, "outbox") and not unreadable(answer.get("outbox"), paint):
        cares.append(f"not everybody was told what happened: inv notify-deployment --flush --env {env}")
    cares += [care for color in _COLORS for care in _hosts(color, fields(colors, color))]
    return [line for care in cares for line in _marked(care, paint)]


def _marked(care: str, paint: Paint) -> list[str]:
    first, *more = wrapped(care, paint.columns, "    ")
    return [f"  {paint.mark('warn')} {first.strip()}", *more]


def _hosts(color: str, found: Mapping[str, Any]) -> list[str]:
    """Who does not answer, and who has something else than the others."""
    odd = [f"{host} {why}" for host, why in fields(found, "odd").items()]
    silent = [str(host) for host in found.get("silent") or ()]
    most = f"most have {word(found, 'release')}"
    return [
        *([f"hosts do not answer: {', '.join(silent)} ({color})"] if silent else []),
        *([f"the hosts disagree about {color}: {most}; {'; '.join(odd)}"] if odd else []),
    ]
