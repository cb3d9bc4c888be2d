"""Envoy's runtime keys where we can reach them ourselves: its layer on our disk, or its admin interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Unreachable
from ...ports import Finding
from ..site import Site
from . import forgetting
from .admin import Admin
from .keys import Changes, Keys
from .layer import Layer
from .place import place_of

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings


class NearRuntime:
    """The runtime keys of an Envoy that is managed, or whose ``admin`` is reached from here.

    Without a layer of its own, an Envoy forgets what it was told when it restarts. A copy is kept here, so that this
    is noticed.
    """

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        self._settings = settings
        self._place = place_of(site)
        help_ = f"`inv doctor --env {site.environment}` says what is wrong"
        self.admin = Admin(f"unix:{self._place.admin}" if settings.managed else settings.admin or "", help_)
        self._has_layer = settings.managed or settings.layer is not None
        own = Path(site.path(settings.layer)) if settings.layer else site.folder / "envoy-lock"
        self._layer = self._place.layer if settings.managed else Layer(own)

    def in_force(self) -> Keys:
        try:
            keys = self.admin.runtime()
        except Unreachable as error:
            if self._settings.managed and not self._place.read_state().alive:
                raise Unreachable("the balancer (a managed Envoy) does not run", do=_START) from error
            raise
        if not self._has_layer:
            forgetting.require(keys, self._layer.read, self._settings)
        return keys

    def at_rest(self) -> Keys:
        if self._settings.managed and not self._place.read_state().alive:
            return self._layer.read()
        return self.in_force()

    def findings(self) -> Sequence[Finding]:
        """Nothing is needed but what ``Process`` and the admin interface say about themselves."""
        return ()

    def change(
        self, changes: Changes, timeout: float, approve: Callable[[Keys], None] | None = None, *, alone: bool = False
    ) -> None:
        deadline = time.monotonic() + timeout
        try:
            with self._layer.locked() as is_ours:
                if alone and not is_ours:
                    raise Unreachable(
                        "another process is writing to the balancer", state="nothing was written", do=_AGAIN
                    )
                if approve is not None:
                    approve(self._layer.read() if self._settings.managed else self.in_force())
                self._write(changes, deadline)
        except OSError as error:
            what = f"the balancer's runtime keys cannot be written: {error}"
            raise Unreachable(what, state="traffic stays as it was", do=f"mend {self._layer.root}") from error
        if self._settings.managed and not self._place.read_state().alive:
            raise Unreachable("the balancer (a managed Envoy) does not run", state=_KEPT, do=_START)
        self.admin.await_keys(changes, deadline - time.monotonic())

    def _write(self, changes: Changes, deadline: float) -> None:
        if not self._has_layer:
            kept = self._layer.read()
            left = max(0.1, deadline - time.monotonic())
            again = kept if forgetting.has_forgotten(self.admin.runtime(left), kept, self._settings) else {}
            self.admin.modify({**again, **changes}, left)
        self._layer.write(changes)


_START = "`inv deploy` starts it; its logs are in the state folder, under envoy/"
_KEPT = "what was written is kept, and will be in force when it starts"
_AGAIN = "try again when it is done"
