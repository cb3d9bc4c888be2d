"""The fleet that is reached over SSH."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..ports import COLORS, Color
from .base import Value
from .hosts import Batch, HostsSettings, Ports, as_text
from .mistakes import Mistakes, check, shown
from .ssh import AS_SSH_DOES, Endpoint, SshAccess


class FleetHost(Value):
    """``{address: deploy@10.0.0.12:2222, name: web2, at: 10.1.0.12}``; an address alone says the same in short."""

    address: Endpoint
    """``[user@]host[:port]``, or a name of the ssh_config."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")] | None = None
    """What it is called in messages, in the ledger and after ``--host``; by default the host's part of the address."""
    at: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)$")] | None = None
    """Where its application listens, as the deployer and the balancer reach it: health is asked for there, past the
    balancer and without SSH. By default the host's part of the address, or what the ssh_config makes of it."""

    @property
    def bare(self) -> str:
        """The host's part of the address."""
        host = self.address.rpartition("@")[2]
        return host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0]

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.bare.strip("[]")


Hosts = tuple[FleetHost, ...]


class SshFleetSettings(HostsSettings):
    """``fleet: {kind: ssh, hosts: [web1, web2], ports: {blue: 8101, green: 8102}, start: "…"}``."""

    kind: Literal["ssh"] = "ssh"
    hosts: Hosts | Mapping[Color, Hosts]
    """The hosts: names, or maps with the next three keys. A map ``{blue: […], green: […]}`` when each color has its
    own."""
    ports: Ports
    """Where each color listens: ``{blue: 8101, green: 8102}``."""
    ssh: SshAccess = AS_SSH_DOES
    """How its hosts are reached: the keys of ``ssh``."""
    batch: Batch = "100%"
    """How many hosts are installed on, started or stopped before the next ones: a share of those that have the color,
    rounded down, or a number; one at least."""
    max_failures: Annotated[int, Field(ge=0)] = 0
    """How many hosts may fail while a release is installed and started. They are set aside, and the deployment goes on
    without them; one more, and it is taken back."""
    python: str | None = "python3"
    """What ``{python}`` is on the hosts."""
    root: Annotated[str, Field(pattern=r"^/")] | None = None
    """The folder of releases, logs and links on each host, absolute; by default ``/srv/`` and the application's
    name."""

    @field_validator("hosts", mode="before")
    @classmethod
    def _hosts(cls, given: object) -> object:
        """All mistakes in it at once: a union's own messages would name each host once for each of its forms."""
        mistakes: list[str] = []
        found = _by_color(given, mistakes) if isinstance(given, Mapping) else _listed(given, "", mistakes)
        if mistakes:
            raise Mistakes([(where, what) for where, _, what in (line.partition(": ") for line in mistakes)])
        return found

    @field_validator("batch", mode="before")
    @classmethod
    def _numbers_are_batches(cls, given: object) -> object:
        return as_text(given)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = [(".ports", why) for why in self._clashes()]
        fewest = min(len(self.of(color)) for color in COLORS)
        if self.max_failures >= fewest:
            found.append((".max_failures", f"{self.max_failures} would be all hosts of a color: it has {fewest}"))
        if found:
            raise Mistakes(found)
        return self

    def _clashes(self) -> Iterator[str]:
        both = [host.called for host in self.of("blue") if host in self.of("green")]
        if both and self.ports["blue"] == self.ports["green"]:
            yield f"both colors cannot listen at port {self.ports['blue']} of {both[0]}"

    def of(self, color: Color) -> Hosts:
        """The hosts of a color."""
        return self.hosts[color] if isinstance(self.hosts, Mapping) else self.hosts

    def addresses(self, color: Color) -> tuple[str, ...]:
        """Where a color listens, on each of its hosts: ``host:port``."""
        return tuple(f"{host.at or host.bare}:{self.ports[color]}" for host in self.of(color))

    @property
    def all_hosts(self) -> Hosts:
        """Each host once."""
        return tuple(dict.fromkeys(host for color in COLORS for host in self.of(color)))


def _by_color(given: Mapping[Any, object], mistakes: list[str]) -> Mapping[Color, Sequence[FleetHost]]:
    mistakes += [f".{color}: is no color; known: blue, green" for color in given if color not in COLORS]
    mistakes += [f".{color}: missing: which hosts have it?" for color in COLORS if color not in given]
    found = {color: _listed(given[color], f".{color}", mistakes) for color in COLORS if color in given}
    known: dict[str, FleetHost] = {}
    for color, hosts in found.items():
        for number, host in enumerate(hosts):
            if known.setdefault(host.called, host) != host:
                mistakes.append(f".{color}[{number}]: {host.called} is another host already: give it a name of its own")
    return found


def _listed(given: object, where: str, mistakes: list[str]) -> list[FleetHost]:
    if not isinstance(given, list | tuple) or not given:
        mistakes.append(f"{where}: a list of hosts is needed, not {shown(given)}")
        return []
    found: list[FleetHost] = []
    for number, one in enumerate(given):
        before = len(mistakes)
        host = one if isinstance(one, FleetHost) else _host(one, f"{where}[{number}]", mistakes)
        if host is not None and any(host.called == other.called for other in found):
            mistakes.append(f"{where}[{number}]: {host.called} is there already")
        elif host is not None and len(mistakes) == before:
            found.append(host)
    return found


def _host(given: object, where: str, mistakes: list[str]) -> FleetHost | None:
    if isinstance(given, str):
        made = check(FleetHost, {"address": given}, where, [])
        if made is None:
            mistakes.append(
                f"{where}: {shown(given)} is no host: write [user@]host[:port], or a name of the ssh_config"
            )
    elif isinstance(given, Mapping):
        made = check(FleetHost, given, where, mistakes)
    else:
        mistakes.append(f"{where}: a host is needed, such as deploy@web1, not {shown(given)}")
        return None
    return made if isinstance(made, FleetHost) else None
