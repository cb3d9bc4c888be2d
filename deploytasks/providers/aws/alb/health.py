"""How the targets of a color are, as the load balancer finds them: healthy ones are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from ....ports import Health
from ..session import translated
from .actions import short
from .place import KNOWN, Place


class Count(NamedTuple):
    """The targets of one group."""

    healthy: int
    registered: int
    others: Mapping[str, int]
    """Those that are not healthy: state and reason → how many."""
    unchecked: bool
    """Whether nobody checks them, because nothing forwards to their group."""


def counted(descriptions: Sequence[Mapping[str, Any]]) -> Count:
    """What ``describe_target_health`` says, added up."""
    states = [(each["TargetHealth"].get("State", "unknown"), each["TargetHealth"]) for each in descriptions]
    here = [(state, health) for state, health in states if state != "draining"]
    others = Counter(_said(state, health) for state, health in states if state != "healthy")
    unchecked = bool(here) and all(health.get("Reason") == "Target.NotInUse" for _, health in here)
    return Count(sum(state == "healthy" for state, _ in here), len(here), others, unchecked)


def count(place: Place, group: str) -> Count:
    """The targets of a group, now. Raises ``Unreachable``."""
    with translated(f"say how the targets of {short(group)} are", KNOWN):
        found = place.client.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return counted(found)


def wanted(found: Count, healthy: int, share: float) -> int:
    """How many must be healthy: a number, and a share of those that are registered."""
    return max(healthy, ceil(share * found.registered))


def judged(found: Count, group: str, healthy: int, share: float) -> Health:
    """Whether enough are healthy. What nobody checks is not judged, but must be there."""
    least = wanted(found, healthy, share)
    if found.unchecked and found.registered >= healthy:
        return Health(True, f"nothing forwards to {short(group)}: nobody checks its {found.registered} targets")
    others = "".join(f", {number} {what}" for what, number in found.others.items())
    text = f"{found.healthy} of {found.registered} targets of {short(group)} healthy{others}"
    if found.healthy >= least:
        return Health(True, text, found.healthy / found.registered)
    return Health(False, f"{text}; {least} needed", found.healthy / found.registered if found.registered else 0.0)


def _said(state: str, health: Mapping[str, Any]) -> str:
    reason = health.get("Reason", "")
    why = f" ({reason}: {health.get('Description', '')})" if reason else ""
    return f"{state}{why}".replace(": )", ")")
