"""What a drill has shown: that the way back works, and that who has gone it knows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..errors import DeployError
from .elsewhere import environments, other_world
from .item import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ledger.projections import Evidence
    from .subject import Subject

ITEM = "drill"
"""Of the evidence that ``inv drill`` leaves."""
LASTS = timedelta(days=30)
"""As long as a signature that says the same."""


def told(answer: Mapping[str, Any]) -> str:
    """How a rehearsed rollback is told."""
    lost = f", {answer['lost']} of {answer['sent']} requests lost" if answer["counted"] else ""
    wrong = f"; {'; '.join(answer['wrong'])}" if answer["wrong"] else ""
    times = f"{answer['seconds_back']:.2f} s back, {answer['seconds_forward']:.2f} s forward"
    return f"{answer['from']} → {answer['to']} → {answer['from']}: {times}{lost}{wrong}"


def practiced(of: Subject) -> Found:
    """Whoever deploys has gone the way back lately, here or elsewhere; otherwise a person signs that they know it."""
    now, mine = of.world.clock.now(), _name(of.world.site.who)
    others = []
    for where, seen in _drills(of):
        if not now - LASTS <= seen.at <= now:
            continue
        what = f"{seen.who} has drilled in {where} on {_day(seen.at)}: {seen.detail}"
        if seen.ok and _name(seen.who) == mine:
            return Found("pass", what)
        others.append(what)
    said = "; ".join(others) or f"no drill within {LASTS.days} days"
    return Found("needs a signature", f"{said}; yours would do: `inv drill --env {_where(of)}`")


def _drills(of: Subject) -> Iterator[tuple[str, Evidence]]:
    own = of.world.settings.name
    for name in dict.fromkeys((own, *environments(of.world))):
        try:
            standing = of.standing if name == own else other_world(of.world, name).ledger.head().standing
        except (DeployError, OSError):
            continue  # a signature will do
        if seen := standing.evidence_of(ITEM):
            yield name, seen


def _where(of: Subject) -> str:
    known = environments(of.world)
    return "staging" if "staging" in known else of.world.settings.name


def _name(who: str) -> str:
    """Without the machine's."""
    return who.partition("@")[0]


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
