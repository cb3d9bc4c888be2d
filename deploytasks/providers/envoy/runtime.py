"""Reading and changing Envoy's runtime keys, wherever that Envoy is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from ...ports import Finding
from ..site import Site
from .admin import Admin
from .keys import Changes, Keys

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings


class Runtime(Protocol):
    """The runtime keys of one environment's Envoy."""

    admin: Admin

    def in_force(self) -> Keys:
        """What Envoy uses now. Raises ``Unreachable`` when it does not say, ``PartlyKnown`` when it has forgotten."""

    def at_rest(self) -> Keys:
        """What Envoy uses now, or will use when it is started. Raises as ``in_force``."""

    def findings(self) -> Sequence[Finding]:
        """What ``doctor`` should know about where the keys are."""

    def change(
        self, changes: Changes, timeout: float, approve: Callable[[Keys], None] | None = None, *, alone: bool = False
    ) -> None:
        """Change keys and wait until they are in force.

        ``approve`` sees the keys that would be written over and may raise. With ``alone``, nothing is written
        while another process holds the lock. Raises ``Unreachable`` when Envoy does not use the keys within
        ``timeout`` seconds; one with a layer that is down finds them when it starts.
        """


def runtime_of(settings: TrafficSettings, site: Site) -> Runtime:
    """The runtime keys of the Envoy that these settings name."""
    if settings.host is not None:
        from .far import FarRuntime

        return FarRuntime(settings, site)
    from .near import NearRuntime

    return NearRuntime(settings, site)
