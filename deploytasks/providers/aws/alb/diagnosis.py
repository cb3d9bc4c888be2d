"""What ``doctor`` finds out about a load balancer: it can be read, both groups are in, and who stays where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....errors import DeployError
from ....ports import COLORS, Color, Finding, Split
from .actions import Groups, missing, short, sticky_for
from .attributes import attributes
from .place import Place

if TYPE_CHECKING:
    from .traffic import Traffic


def diagnose(traffic: Traffic, place: Place, groups: Groups) -> Sequence[Finding]:
    """One finding for the split, one for what stickiness means, two per color."""
    subject = f"traffic: {place.name}"
    try:
        split, actions = traffic.read(), place.actions()
    except DeployError as error:
        return [Finding(subject, "fail", error.what, error.do)]
    found = [Finding(subject, "ok", f"{split.weights()}, written by {split.writer or 'nobody we know'}")]
    if lacking := missing(actions, groups):
        names = " and ".join(short(groups.of(color)) for color in lacking)
        do = "the next deployment attaches it at weight 0"
        found.append(Finding(subject, "warn", f"{names} is not attached: nobody checks its targets", do))
    if bound := sticky_for(actions):
        found.append(
            Finding(
                "traffic: stickiness",
                "warn",
                f"visitors stay with their target group for {bound} s, whatever the weights say: stages are reached "
                "late, and a rollback does not bring back who is bound to the new release until then",
                "turn target group stickiness off, or make it as short as a rollback may take",
            )
        )
    for color in COLORS:
        found += _group(traffic, place, groups, color, split)
    return found


def _group(traffic: Traffic, place: Place, groups: Groups, color: Color, split: Split) -> Sequence[Finding]:
    name = short(groups.of(color))
    try:
        health, settings = traffic.targets(color), attributes(place, groups.of(color))
    except DeployError as error:
        return [Finding(f"traffic: {name}", "fail", error.what, error.do)]
    subject = f"traffic: {name}"
    found = [Finding(subject, "ok", health.detail)]
    if not health.healthy:
        found = [
            Finding(subject, "fail" if split.share(color) else "warn", health.detail, "`inv status` says what runs")
        ]
    if settings.get("stickiness.enabled") == "true":
        what = "visitors stay with one of its targets, but may be sent to the other color at any request"
        do = "keep sessions where both colors find them, or turn the group's stickiness off"
        found.append(Finding(subject, "warn", what, do))
    return found
