"""The ports of one environment, each opened when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from .engine.clock import Clock, SystemClock
from .errors import UsageError
from .settings.kinds import TOLD
from .settings.several import parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .bulletins import Recipient
    from .errors import DeployError
    from .ledger import Ledger, Spool
    from .ports import (
        Alerts,
        Color,
        Database,
        Deadman,
        Finding,
        Fleet,
        Installed,
        Listener,
        Maintenance,
        Metrics,
        Prober,
        Secrets,
        Store,
        Traffic,
    )
    from .providers.site import Site
    from .reviews import Reviews
    from .settings import Settings


class Ports(Protocol):
    """Opens a port by its section; ``None`` when the environment does not configure it."""

    def open(self, section: str) -> Any: ...


class Diagnosed(Protocol):
    """Something that ``doctor`` looks at."""

    def diagnose(self) -> Sequence[Finding]: ...


class ConfiguredPorts:
    """The ports that the settings name, each opened on first use."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings = settings
        self._site = site

    def open(self, section: str) -> Any:
        """The provider of a section, or ``None``; of those who are told, all of a section by their names."""
        from .providers import open_provider, open_recipients

        value = self._settings.sections.get(section)
        if value is None:
            return None
        return (open_recipients if section in TOLD else open_provider)(section, value, self._site)


class Opened:
    """One environment: its settings, where it stands, and its ports."""

    def __init__(
        self,
        settings: Settings,
        site: Site,
        *,
        ports: Ports | None = None,
        clock: Clock | None = None,
        listeners: Sequence[Listener] = (),
        consent: bool = False,
    ) -> None:
        self.settings = settings
        self.site = site
        self.clock = clock or SystemClock()
        self.listeners = tuple(listeners)
        self.consent = consent
        self._ports = ports or ConfiguredPorts(settings, site._replace(standing=self._standing))

    def _required(self, section: str) -> Any:
        port = self._ports.open(section)
        if port is None:
            where = f"deploy.environments.{self.site.environment}.{section}"
            raise UsageError(f"{where} is not configured", do=f"add a `{section}:` section, see docs/configuration.md")
        return port

    @cached_property
    def traffic(self) -> Traffic:
        """The balancer."""
        return self._required("traffic")  # type: ignore[no-any-return]  # a provider's class is known by its kind only

    @cached_property
    def whole_fleet(self) -> Fleet:
        """All hosts, those that were set aside too."""
        return self._required("fleet")  # type: ignore[no-any-return]  # see traffic

    def _standing(self) -> Mapping[Color, Installed | None]:
        return self.whole_fleet.colors()

    @cached_property
    def metrics(self) -> Metrics:
        """What users experience."""
        return self._required("metrics")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def store(self) -> Store:
        """Where ledger and lease live."""
        return self._required("store")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def database(self) -> Database | None:
        """The database, if one is configured."""
        return self._ports.open("database")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def alerts(self) -> Alerts | None:
        """Other systems' alerts, if configured."""
        return self._ports.open("alerts")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def maintenance(self) -> Maintenance | None:
        """The maintenance page, if configured."""
        return self._ports.open("maintenance")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def deadman(self) -> Deadman | None:
        """The dead-man's switch, if configured."""
        return self._ports.open("deadman")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def prober(self) -> Prober | None:
        """Our own requests, if configured."""
        return self._ports.open("probe")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def reviews(self) -> Reviews | None:
        """Where changes are reviewed and tested, if configured."""
        return self._ports.open("reviews")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def secrets(self) -> Secrets | None:
        """Where secrets are kept, if configured."""
        return self._ports.open("secrets")  # type: ignore[no-any-return]  # see traffic

    @cached_property
    def recipients(self) -> Mapping[str, Recipient | DeployError]:
        """Who is told what happens, by name, one by one: ready to be, or why they cannot be."""
        found = [self._ports.open(section) or {} for section in sorted(TOLD)]
        return {name: one for each in found for name, one in each.items()}

    def another_ledger(self) -> Ledger:
        """The same ledger by a way of its own to the store, for a thread that must keep nobody waiting."""
        from .ledger import Ledger

        return Ledger(self._required("store"), self.scope, self.site.who, self.clock.now)

    @cached_property
    def aws(self) -> Diagnosed | None:
        """The account that is deployed to, where anything of it is."""
        is_used = any("aws" in part.beside for value in self.settings.sections.values() for part in parts(value))
        return self._ports.open("aws") if is_used else None

    @cached_property
    def ledger(self) -> Ledger:
        """The memory of this environment."""
        from .ledger import Ledger

        return Ledger(self.store, self.scope, self.site.who, self.clock.now)

    @cached_property
    def spool(self) -> Spool:
        """Where events wait that the ledger could not take."""
        from .ledger import Spool

        names = self.site.names
        return Spool(self.site.folder / "spool") if names is None else Spool(self.site.folder / "spool", names.veiled)

    @property
    def scope(self) -> str:
        """The key of this environment's stream: ``application/environment``."""
        return f"{self.site.application}/{self.site.environment}"

    @property
    def artifacts(self) -> Path:
        """The folder of built releases; all environments of an application share it."""
        return self.site.path(self.settings.state) / "artifacts"
