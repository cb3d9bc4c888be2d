"""Which target groups and which load balancer CloudWatch is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ....errors import UsageError
from ....ports import Color

if TYPE_CHECKING:
    from ....settings.cloudwatch import MetricsSettings
    from ...site import Site

NAMESPACE = "AWS/ApplicationELB"

Dimensions = tuple[tuple[str, str], ...]


class Groups(NamedTuple):
    """Names as CloudWatch has them: ``app/shop/0a1b2c`` and ``targetgroup/shop-blue/0a1b2c``.

    ``are_certain``: they come from where traffic is shared, so that a group that nothing is said of got no request.
    """

    load_balancer: str
    of: Mapping[Color, str]
    are_certain: bool

    def dimensions(self, color: Color | None = None) -> Dimensions:
        """Of a color's target group; without one, of the load balancer as a whole."""
        group = (("TargetGroup", self.of[color]),) if color is not None else ()
        return (*group, ("LoadBalancer", self.load_balancer))


def groups_of(settings: MetricsSettings, site: Site) -> Groups:
    """As configured here, or as ``traffic: {kind: alb}`` has them: a listener's ARN names its load balancer."""
    if settings.target_groups is not None and settings.load_balancer is not None:
        given = settings.target_groups
        colors: dict[Color, str] = {"blue": _last(given.blue), "green": _last(given.green)}
        return Groups(_last(settings.load_balancer), colors, are_certain=False)
    from ....settings.alb import TrafficSettings

    traffic = site.sections.get("traffic")
    if not isinstance(traffic, TrafficSettings):
        raise UsageError(
            "metrics: {kind: cloudwatch} needs traffic: {kind: alb}",
            do="or say `load_balancer` and `target_groups` of the metrics",
        )
    colors = {"blue": _last(traffic.groups.blue), "green": _last(traffic.groups.green)}
    path = traffic.place.rpartition(":")[2].split("/")
    return Groups("/".join(path[1:4]), colors, are_certain=True)


def _last(arn: str) -> str:
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")
