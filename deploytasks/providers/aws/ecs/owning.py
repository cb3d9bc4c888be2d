"""Who decides about the traffic of a service: ECS by itself, or we by the balancer's shares. Never both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import UsageError

OF_ECS = ("BLUE_GREEN", "LINEAR", "CANARY")
"""The strategies by which ECS writes the balancer's rules itself."""


def strategy_of(service: Mapping[str, Any]) -> str:
    """``ROLLING``, unless the service says otherwise."""
    return str((service.get("deploymentConfiguration") or {}).get("strategy") or "ROLLING")


def require_ours(service: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` for a service whose deployments somebody else controls, or whose traffic ECS moves."""
    name = service["serviceName"]
    controller = str((service.get("deploymentController") or {}).get("type") or "ECS")
    if controller != "ECS":
        raise UsageError(
            f"the deployments of {name} belong to {controller}",
            state="nothing was changed",
            do="set its deployment controller to ECS",
        )
    if strategy_of(service) in OF_ECS:
        raise UsageError(
            f"ECS moves the traffic of {name} itself ({strategy_of(service)}): two writers of one rule undo each other",
            state="nothing was changed",
            do="either set its strategy to ROLLING, and our stages move the traffic; "
            "or say `strategy: ecs-native`, and ECS moves it, judged by us",
        )
