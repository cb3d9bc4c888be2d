"""What takes traffic home on the host of an Envoy that is not ours to manage, when whoever deploys is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...ports import Split
from ..site import Site
from . import script
from .far import FarRuntime
from .keys import encoded, split_keys
from .runtime import Runtime

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings
    from ..hosts.host import Host


def homing(
    settings: TrafficSettings, site: Site, runtime: Runtime, deployment: str, home: Split
) -> Sequence[tuple[Host, str]]:
    """Host and script. Raises ``UsageError`` for an Envoy that is not on a host of its own."""
    if not isinstance(runtime, FarRuntime):
        raise UsageError(
            f"{site.environment}: nothing can watch on the balancer's host: traffic.host does not say which it is",
            do="set traffic.host, or use deadman: {kind: watchdog}",
        )
    changes = split_keys(home._replace(writer=f"deadman:{deployment}"), settings.prefix)
    return [(runtime.host, script.homing(runtime.spot, changes, encoded(f"deploy:{deployment}")))]
