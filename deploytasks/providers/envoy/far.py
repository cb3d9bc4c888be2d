"""Envoy's runtime keys on another host: read through its forwarded admin interface, changed by one command each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ... import redaction
from ...errors import DeployError, Unreachable
from ...ports import Finding
from ..hosts.host import CommandFailed
from ..site import Site
from . import forgetting, script
from .admin import Admin
from .keys import Changes, Keys

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings
    from ...settings.ssh import SshAccess
    from ..ssh import SshHost

_QUICK = 10.0
"""Seconds for a look."""
_TRIES = 3
"""Comparisons, when others write meanwhile what leaves the split as it is."""


class FarRuntime:
    """The runtime keys of an Envoy on ``settings.host``.

    With a layer they are files that Envoy reads. Without one they are told to its admin interface; a copy is kept on
    that host, so that everybody who deploys notices when Envoy was restarted and has forgotten them.
    """

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        assert settings.host is not None
        assert settings.admin is not None
        self._settings = settings
        self._site = site
        self.admin = forwarded(settings.admin, settings.host, settings.ssh, site)
        folder = settings.layer or "/".join([settings.state or ".deploytasks", site.application, site.environment])
        self.spot = script.Spot(settings.admin, settings.prefix, folder, settings.layer is not None)

    @cached_property
    def host(self) -> SshHost:
        """Where Envoy runs. Not connected yet."""
        from ..ssh import host

        return host(str(self._settings.host), self._settings.ssh, self._site.root)

    def in_force(self) -> Keys:
        keys = self.admin.runtime(_QUICK)
        if not self.spot.has_layer:
            forgetting.require(keys, self._kept, self._settings)
        return keys

    def at_rest(self) -> Keys:
        if not self.spot.has_layer:
            return self.in_force()
        try:
            return self.in_force()
        except Unreachable:
            return self._kept()

    def findings(self) -> Sequence[Finding]:
        """What is missing on the host."""
        subject = f"traffic: host {self._settings.host}"
        try:
            missing = self._run(script.examining(self.spot), _QUICK).splitlines()
        except DeployError as error:
            return [Finding(subject, "fail", error.what, error.do)]
        found = [Finding(subject, "fail", each, "mend it there; docs/envoy.md says what is needed") for each in missing]
        return found or [Finding(subject, "ok", f"{self.spot.folder} is ready")]

    def change(
        self, changes: Changes, timeout: float, approve: Callable[[Keys], None] | None = None, *, alone: bool = False
    ) -> None:
        deadline = time.monotonic() + timeout
        if approve is None:
            self._done(self._write(changes, None, deadline))
        else:
            self._swap(changes, approve, deadline)
        self.admin.await_keys(changes, deadline - time.monotonic())

    def _swap(self, changes: Changes, approve: Callable[[Keys], None], deadline: float) -> None:
        for _ in range(_TRIES):
            seen = self._kept() if self.spot.has_layer else self.in_force()
            approve(seen)
            said = self._write(changes, {key: seen.get(key, "") for key in changes}, deadline)
            if said != "differs":
                self._done(said)
                return
        raise Unreachable(f"{self._where}: others write all the time", state="nothing was written", do=_AGAIN)

    def _write(self, changes: Changes, expect: Keys | None, deadline: float) -> str:
        left = max(0.5, deadline - time.monotonic())
        return self._run(script.writing(self.spot, changes, expect, left / 2), left).strip()

    def _done(self, said: str) -> None:
        outcome, _, why = said.partition(" ")
        if outcome == "done":
            return
        if outcome == "busy":
            what = "another process is writing to the balancer"
            raise Unreachable(f"{self._where}: {what}", state="nothing was written", do=_AGAIN)
        what, state = {
            "failed": (why, "nothing was written"),
            "unkept": (why, "it is in force, but nobody will notice when a restart of Envoy forgets it"),
        }.get(outcome, (f"it answered {redaction.excerpt(said, 200)!r}", "nobody knows what was written"))
        raise Unreachable(f"{self._where}: {what}", state=state, do=f"mend it on {self.host.name}")

    def _kept(self) -> Keys:
        lines = self._run(script.reading(self.spot), _QUICK).splitlines()
        return {key: value for key, _, value in (line.partition(" ") for line in lines)}

    def _run(self, command: str, timeout: float) -> str:
        try:
            return self.host.run(command, timeout)
        except CommandFailed as error:
            raise Unreachable(error.what, do=f"mend it on {self.host.name}") from error

    @property
    def _where(self) -> str:
        return f"envoy on {self.host.name}"


def forwarded(admin: str, endpoint: str, access: SshAccess, site: Site) -> Admin:
    """The admin interface at ``admin`` as the host at ``endpoint`` sees it. Connects when it is asked something."""
    to = admin.removeprefix("unix:").removeprefix("http://")

    def address() -> str:
        from ..ssh import host

        return f"http://{host(endpoint, access, site.root).forward(to)}"

    return Admin(address, f"check that it listens there: `ssh {endpoint}`", f"{admin} on {endpoint}")


_AGAIN = "try again when it is done"
