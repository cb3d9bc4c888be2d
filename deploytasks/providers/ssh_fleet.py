"""Hosts over SSH as the fleet."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import DeployError
from ..ports import COLORS, Color
from ..settings.ssh_fleet import FleetHost, SshFleetSettings
from .hosts.fleet import HostFleet
from .hosts.host import Member
from .site import Site

if TYPE_CHECKING:
    from .ssh import SshHost


class SshFleet(HostFleet):
    """``fleet: {kind: ssh}``: releases on servers of one's own."""

    def __init__(self, settings: SshFleetSettings, site: Site) -> None:
        members = [_member(settings, host, site) for host in settings.all_hosts]
        root = settings.root or f"/srv/{site.application}"
        super().__init__(settings, members, root, parallel=site.parallel, batch=settings.batch)


def _member(settings: SshFleetSettings, host: FleetHost, site: Site) -> Member:
    far = FarHost(host, settings, site)
    colors: list[Color] = [color for color in COLORS if host in settings.of(color)]
    return Member(far, {color: f"{far.at}:{settings.ports[color]}" for color in colors})


class FarHost:
    """A host that is reached when a command is given, and not before: who only asks for health needs no SSH."""

    def __init__(self, host: FleetHost, settings: SshFleetSettings, site: Site) -> None:
        self.name = host.called
        self._given = host
        self._access = settings.ssh
        self._site = site

    @cached_property
    def _host(self) -> SshHost:
        from .ssh import host

        return host(self._given.address, self._access, self._site.root, name=self.name, hasty=True)

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        return self._host.run(command, timeout, given)

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        """Run a command for as long as it likes, and hand on each line that it says; its exit code."""
        return self._host.follow(command, line)

    @property
    def at(self) -> str:
        """Where its application listens: as it is configured, or the address, as far as the ssh_config knows better.

        A mistake in what SSH needs is no reason not to ask for health: then it is the address as it is written.
        """
        if self._given.at:
            return self._given.at
        with suppress(ValueError):
            ipaddress.ip_address(self._given.bare.strip("[]"))
            return self._given.bare
        with suppress(DeployError):
            return str(self._host.connection.host)
        return self._given.bare
