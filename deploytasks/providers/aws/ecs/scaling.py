"""The limits that Application Auto Scaling sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....settings.ecs import EcsFleetSettings
from ...site import Site
from ..session import client, translated


def limits(
    settings: EcsFleetSettings, site: Site, services: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, tuple[int, int | None]]:
    """How many tasks each service wants, and may have at most: in one request."""
    ids = {f"service/{settings.cluster}/{name}": name for name in services}
    with translated("describe the limits of auto-scaling"):
        answer = client("application-autoscaling", site).describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=list(ids), ScalableDimension="ecs:service:DesiredCount"
        )
    most = {ids[one["ResourceId"]]: int(one["MaxCapacity"]) for one in answer["ScalableTargets"]}
    return {name: (int(service["desiredCount"]), most.get(name)) for name, service in services.items()}
