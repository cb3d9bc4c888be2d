"""How news is put: how severe it is, its numbers, its addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..bulletins import Change, Severity
from ..ledger.facts import Facts, number, part, parts, text, whole
from ..ports import COLORS, Color, Json

if TYPE_CHECKING:
    from .story import About, Tale

QUIET = frozenset(("install", "retire", "backup-database"))
"""Tasks that are pieces of something: their beginning and their good end are details."""
AT_THE_DATABASE = frozenset(("migrate", "backup-database", "restore-database"))

_SEVERITIES: dict[Change, Severity] = {
    "shifted": "detail",
    "went-on": "detail",
    "started": "info",
    "finished": "info",
    "maintenance-on": "info",
    "maintenance-off": "info",
    "backed-up": "info",
    "announced": "info",
    "held": "warning",
    "warned": "warning",
    "overridden": "warning",
    "refused": "warning",
    "gave-up": "warning",
    "stopped": "warning",
    "interrupted": "warning",
    "rolled-back": "warning",
    "restored": "warning",
    "failed": "error",
    "taken-back": "error",
    "switch-fired": "error",
    "stuck": "critical",
    "switch-failed": "critical",
}
_ELSEWHERE: dict[Severity, Severity] = {"error": "warning", "critical": "error"}
"""How severe it is where nothing is protected: nobody is got out of bed for it."""


def severity(change: Change, *, protected: bool) -> Severity:
    """How severe a change of state is, by itself and by where it is."""
    own = _SEVERITIES[change]
    return own if protected else _ELSEWHERE.get(own, own)


def sentence(given: str) -> str:
    """What happened, without the lines about the state of things and what to do, which are for a terminal."""
    return re.split(r"\n\s+(?:state|do):\s", given, maxsplit=1)[0].strip()


def weights(split: Json) -> str:
    """A split's JSON as ``blue 90 % / green 10 %``; empty when it is none."""
    found = split if isinstance(split, list | tuple) else ()
    if len(found) < 2 or not all(isinstance(one, int) for one in found[:2]):
        return ""
    blue, green = found[:2]
    return f"blue {blue} % / green {green} %" if (blue, green) != (0, 0) else "nothing exposed"


def all_on(split: Json) -> Color | None:
    """The color that has everything in a split's JSON."""
    found = list(split[:2]) if isinstance(split, list | tuple) else []
    return "blue" if found == [100, 0] else "green" if found == [0, 100] else None


# -- numbers -------------------------------------------------------------------------------------------------


def numbers(outlook: Facts, target: Color | None) -> tuple[tuple[str, str], ...]:
    """What a reading was judged by, then both colors as users saw them, ``target`` first."""
    return (*_judged(outlook), *_seen(outlook, target))


def verdict(outlook: Facts) -> str:
    """Why a reading was judged as it was."""
    return "; ".join(filter(None, (text(each, "why") for each in parts(outlook, "verdicts"))))


def _judged(outlook: Facts) -> Iterator[tuple[str, str]]:
    for each in parts(outlook, "verdicts"):
        metric, why = text(each, "metric"), text(each, "why")
        if metric and why and text(each, "kind") != "PASS":
            yield metric, why.removeprefix(f"{metric}: ")


def _seen(outlook: Facts, target: Color | None) -> Iterator[tuple[str, str]]:
    more = part(outlook, "more")
    first = text(outlook, "counted_by"), part(outlook, "users")
    for source, users in (first, *((name, part(more, name)) for name in more)):
        for color in sorted(COLORS, key=lambda color: color != target):
            if whole(found := part(users, color), "requests"):
                yield f"{color} by {source}" if source else color, _counted(found)


def _counted(found: Facts) -> str:
    """What a source says; what it does not give is absent."""
    requests, errors = whole(found, "requests"), whole(found, "errors")
    failed = [f"{errors:,} errors ({100 * errors / requests:.3g} %)"] if "errors" in found else []
    slow = [
        f"{name.upper()} {milliseconds(number(found, name))}" for name in ("p95", "p99") if found.get(name) is not None
    ]
    return ", ".join((f"{requests:,} requests", *failed, *slow))


def milliseconds(seconds: float) -> str:
    """``250 ms``."""
    return f"{1000 * seconds:.0f} ms"


# -- addresses -----------------------------------------------------------------------------------------------


def links(about: About, tale: Tale) -> Mapping[str, str]:
    """Words → address: the job in CI, then what the settings say, as far as all that they name is known."""
    known = {
        "application": about.application,
        "environment": about.environment,
        "version": tale.version,
        "commit": tale.commit,
        "deployment": tale.deployment,
    }
    found = {"run": tale.run} if tale.run else {}
    for words, template in about.links.items():
        if all(known.get(name) for name in re.findall(r"\{([^{}]*)\}", template)):
            found[words] = re.sub(r"\{([^{}]*)\}", lambda name: quote(known[name[1]], safe=""), template)
    return found
