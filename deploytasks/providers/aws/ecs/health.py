"""Whether a color would serve users: its tasks run, the balancer finds them healthy, and its page answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import Unreachable, UsageError
from ....ports import Health
from ....settings.ecs import EcsFleetSettings
from ....web import fetch
from ...site import Site
from ..session import Known, client
from .meaning import meaning

_USABLE = 0.5
"""A balancer does without fewer than that: then nobody needs to ask the page."""


def health(settings: EcsFleetSettings, site: Site, service: Mapping[str, Any], address: str) -> Health:
    """Of a service with the target groups it has. Raises ``Unreachable`` when AWS does not answer."""
    wanted, running = int(service["desiredCount"]), int(service["runningCount"])
    if not wanted:
        return Health(False, f"{service['serviceName']} wants no task", 0.0)
    groups = [one["targetGroupArn"] for one in service.get("loadBalancers") or () if "targetGroupArn" in one]
    found = [targets(wanted, _states(site, group), group) for group in groups]
    seen = [tasks(wanted, running), *found]
    share = min(one.share or 0.0 for one in seen)
    told = "; ".join(one.detail for one in seen if not one.healthy) or "; ".join(one.detail for one in seen)
    if share < _USABLE:
        return Health(False, told, share)
    page = _page(address + settings.health, settings.health_within)
    if not page.healthy:
        return page
    return Health(share == 1.0, f"{told}; {page.detail}" if share == 1.0 else told, share)


def tasks(wanted: int, running: int) -> Health:
    """By how many tasks run. Pure."""
    return Health(running >= wanted, f"{running} of {wanted} tasks run", min(1.0, running / wanted))


def targets(wanted: int, states: Sequence[str], group: str) -> Health:
    """By how many targets are healthy: counted, for a balancer sends to unhealthy ones when it has no other. Pure."""
    healthy = sum(state == "healthy" for state in states)
    rest = sorted({state for state in states if state not in ("healthy", "draining")})
    name = group.rpartition("targetgroup/")[2].partition("/")[0]
    others = f", others {', '.join(rest)}" if rest else ""
    told = f"{healthy} of {wanted} targets of {name} healthy{others}"
    return Health(healthy >= wanted, told, min(1.0, healthy / wanted))


def _states(site: Site, group: str) -> list[str]:
    known = {
        "TargetGroupNotFound": Known(UsageError, f"the target group {group} is gone", "mend the service in ECS"),
        "HealthUnavailable": Known(Unreachable, "the balancer cannot say how its targets are: {said}", "try it again"),
    }
    with meaning("describe the health of its targets", known):
        answer = client("elbv2", site).describe_target_health(TargetGroupArn=group)
    return [str(one["TargetHealth"]["State"]) for one in answer["TargetHealthDescriptions"]]


def _page(url: str, within: float) -> Health:
    try:
        answer = fetch(url, timeout=within)
    except Unreachable as error:
        return Health(False, error.what)
    if answer.status == 200:
        return Health(True, f"answered 200 in {answer.seconds * 1000:.0f} ms")
    return Health(False, f"{url} answered {answer.status}")
