"""Service deployments of the lab's ECS: what ``strategy`` BLUE_GREEN, LINEAR or CANARY makes of an update."""

from __future__ import annotations

from typing import Any

from .service import Service


class NativeDeployments(Service):
    """What ``Containers`` knows about them."""

    def born(self, service: Any) -> None: ...
    def go_on(self, service: Any) -> None: ...
    def begin_native(self, service: Any, definition: str) -> None: ...
    def check_configuration(self, given: dict[str, Any], balancers: Any, service: Any) -> None: ...
    def native_facts(self, service: Any) -> dict[str, Any]:
        return {}
