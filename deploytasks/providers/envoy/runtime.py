"""Reading and changing Envoy's runtime keys: on disk for a managed Envoy, through the admin for another's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import Unreachable
from ..site import Site
from .admin import Admin
from .keys import Changes, Keys
from .layer import Layer
from .place import Place

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings


def place_of(site: Site) -> Place:
    """Where the managed Envoy of an environment lives."""
    return Place(site.folder / "envoy")


class Runtime:
    """The runtime keys of one environment's Envoy."""

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        self._is_managed = settings.managed
        self.place = place_of(site)
        self._help = f"`inv doctor --env {site.environment}` says what is wrong"
        self.admin = Admin(f"unix:{self.place.admin}" if settings.managed else settings.admin or "", self._help)
        # Beside somebody else's Envoy, the layer is only where two of us meet for the lock.
        self._layer = self.place.layer if settings.managed else Layer(site.folder / "envoy-lock")

    def in_force(self) -> Keys:
        """What Envoy uses now. Raises ``Unreachable`` when it does not say."""
        try:
            return self.admin.runtime()
        except Unreachable as error:
            if self._is_managed and not self.place.read_state().alive:
                raise Unreachable("the balancer (a managed Envoy) does not run", do=_START) from error
            raise

    def at_rest(self) -> Keys:
        """What Envoy uses now, or will use when it is started. Raises ``Unreachable``."""
        if self._is_managed and not self.place.read_state().alive:
            return self._layer.read()
        return self.in_force()

    def change(
        self, changes: Changes, timeout: float, approve: Callable[[Keys], None] | None = None, *, alone: bool = False
    ) -> None:
        """Change keys and wait until they are in force.

        ``approve`` sees the keys that would be written over and may raise. With ``alone``, nothing is written
        while another process holds the lock. Raises ``Unreachable`` when Envoy does not use the keys within
        ``timeout`` seconds; a managed Envoy that is down finds them when it starts.
        """
        deadline = time.monotonic() + timeout
        try:
            with self._layer.locked() as is_ours:
                if alone and not is_ours:
                    raise Unreachable(
                        "another process is writing to the balancer", state="nothing was written", do=_AGAIN
                    )
                if approve is not None:
                    approve(self._written())
                self._write(changes, deadline)
        except OSError as error:
            what = f"the balancer's runtime keys cannot be written: {error}"
            raise Unreachable(what, state="traffic stays as it was", do=f"mend {self.place.folder}") from error
        if self._is_managed and not self.place.read_state().alive:
            raise Unreachable("the balancer (a managed Envoy) does not run", state=_KEPT, do=_START)
        self.admin.await_keys(changes, deadline - time.monotonic())

    def _written(self) -> Keys:
        return self._layer.read() if self._is_managed else self.admin.runtime()

    def _write(self, changes: Changes, deadline: float) -> None:
        if self._is_managed:
            self._layer.write(changes)
        else:
            self.admin.modify(changes, max(0.1, deadline - time.monotonic()))


_START = "`inv deploy` starts it; its logs are in the state folder, under envoy/"
_KEPT = "what was written is kept, and will be in force when it starts"
_AGAIN = "try again when it is done"
