"""The opened ports of one environment: the only door to a write, and the only place that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from . import redaction
from .engine.clock import Clock, SystemClock
from .errors import DeployError, LeaseLost, SplitMoved, Unreachable, UsageError
from .ports import COLORS, Alert, Call, Calls, Color, Event, Health, Json, NoData, Reading

if TYPE_CHECKING:
    from pathlib import Path

    from .engine.plan import Situation
    from .ledger import Ledger, Spool
    from .ledger.lease import Lease
    from .ports import (
        Alerts,
        Database,
        Deadman,
        Fleet,
        Listener,
        Maintenance,
        Metrics,
        Prober,
        Store,
        Totals,
        Traffic,
    )
    from .providers.site import Site
    from .settings import Settings

T = TypeVar("T")


class Ports(Protocol):
    """Opens a port by its section; ``None`` when the environment does not configure it."""

    def open(self, section: str) -> Any: ...


class ConfiguredPorts:
    """The ports that the settings name, each opened on first use."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self._settings = settings
        self._site = site

    def open(self, section: str) -> Any:
        """The provider of a section, or ``None``."""
        from .providers import open_provider

        value = self._settings.sections.get(section)
        return None if value is None else open_provider(section, value, self._site)


class World:
    """One environment, as far as it has been looked at.

    Going forward, every write needs the lease and every note must be recorded. Going back (inside
    ``going_back``) neither may stand in the way.
    """

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
        self.lease: Lease | None = None
        self.deployment = ""
        self.has_claimed = False
        """Whether this deployment has signed the split: whoever else signs it then has taken over."""
        self.has_written = False
        self._ports = ports or ConfiguredPorts(settings, site)
        self._is_going_back = False

    # -- ports ---------------------------------------------------------------

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
    def fleet(self) -> Fleet:
        """The hosts."""
        return self._required("fleet")  # type: ignore[no-any-return]  # see traffic

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
    def ledger(self) -> Ledger:
        """The memory of this environment."""
        from .ledger import Ledger

        return Ledger(self.store, self.scope, self.site.who, self.clock.now)

    @cached_property
    def spool(self) -> Spool:
        """Where events wait that the ledger could not take."""
        from .ledger import Spool

        return Spool(self.site.folder / "spool")

    def catch_up(self) -> None:
        """Record what nobody could: what waits in the spool, and what the dead-man's switch did by itself.

        The switch's part is left for later when it does not answer. Raises ``Unreachable`` when the ledger does not.
        """
        if self.deadman is not None:
            with suppress(DeployError, OSError):
                for news in self.deadman.news():
                    self.spool.put(news.kind, news.facts, news.at, news.who, news.name)
        self.spool.drain(self.ledger)

    @property
    def scope(self) -> str:
        """The key of this environment's stream: ``application/environment``."""
        return f"{self.site.application}/{self.site.environment}"

    @property
    def artifacts(self) -> Path:
        """The folder of built releases; all environments of an application share it."""
        return self.site.path(self.settings.state) / "artifacts"

    # -- writing -------------------------------------------------------------

    def perform(self, calls: Calls, deadline: float = 60.0) -> None:
        """Carry out calls, batch after batch; those of one batch at once. ``deadline``: seconds for each."""
        for batch in calls:
            if len(batch) == 1:
                self._make(batch[0], deadline)
            else:
                self._make_at_once(batch, deadline)

    def _make(self, call: Call, deadline: float) -> None:
        if not self._is_going_back:
            self._check_nobody_took_over()
        self.has_written = True
        self.pulse()
        call.perform(deadline)
        self.pulse()

    def _check_nobody_took_over(self) -> None:
        if self.lease is not None:
            self.lease.check()
        if not self.has_claimed:
            return
        with suppress(Unreachable):  # a balancer that is silent says nothing about others
            split = self.traffic.at_rest()
            if (split.writer or "").partition(":")[2] != self.deployment:
                raise SplitMoved(
                    f"someone else wrote to the balancer: {split.weights()}, written by {split.writer or 'nobody'}",
                    state="nothing more was touched",
                    do="`inv status` says who; `inv deploy` starts again from there",
                )

    def _make_at_once(self, batch: Sequence[Call], deadline: float) -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=self.settings.parallel) as pool:
            for done in [pool.submit(self._make, call, deadline) for call in batch]:
                done.result()

    @contextmanager
    def going_back(self) -> Iterator[None]:
        """While traffic goes home, neither the lease nor the ledger may stand in the way."""
        before, self._is_going_back = self._is_going_back, True
        try:
            yield
        finally:
            self._is_going_back = before

    # -- remembering ---------------------------------------------------------

    def note(self, kind: str, **facts: Json) -> Event | None:
        """Record an event and tell the listeners. A plan is kept word for word: it must be resumable.

        Going forward it is recorded or ``Unreachable`` (or ``LeaseLost``) is raised; going back it is spooled
        when the ledger cannot take it, and ``None`` is returned.
        """
        known = {"deployment": self.deployment, **facts} if self.deployment else facts
        clean = {key: value if key == "plan" else redaction.clean(value) for key, value in known.items()}
        try:
            event = self.ledger.append(kind, clean, self.lease.token if self.lease else 0)
        except LeaseLost:
            if not self._is_going_back:
                raise
            return None  # whoever took the lease writes this story now
        except (DeployError, OSError):
            if not self._is_going_back:
                raise
            with suppress(DeployError, OSError):
                self.spool.put(kind, clean, self.clock.now(), self.site.who)
            self._tell(Event(0, self.clock.now(), kind, clean, self.site.who, 0, "", ""))
            return None
        self._tell(event)
        return event

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            with suppress(Exception):  # whoever listens must never stop a deployment
                listener.tell(event)

    def doing(self, what: str) -> None:
        """Show others, through the lease, what is being done."""
        if self.lease is not None:
            with suppress(DeployError, OSError):
                self.lease.doing(what)

    # -- observing and waiting -----------------------------------------------

    def situation(self) -> Situation:
        """What stands where, now."""
        from .engine.plan import Situation

        return Situation(
            split=self.traffic.at_rest(),
            blue=self.fleet.installed("blue"),
            green=self.fleet.installed("green"),
            balancer_runs=not self.traffic.prepare(),
            lag=self.metrics.lag,
        )

    def observe(self, since: Any, edges: Sequence[float]) -> Reading:
        """One look at everything a rollout is judged by. A silent source is ``NoData``, never zero."""
        return Reading(
            at=self.clock.now(),
            split=self._beating(self.traffic.read),
            totals=self._beating(partial(self._totals, since, edges)),
            probes=self.prober.totals(edges) if self.prober else None,
            health={color: self._beating(partial(self._health, color)) for color in COLORS},
            alerts=self._beating(self._alerts),
        )

    def _beating(self, ask: Callable[[], T]) -> T:
        """Ask with a beat before: each question alone stays within the switch's grace, all together may not."""
        self.pulse()
        return ask()

    def _totals(self, since: Any, edges: Sequence[float]) -> dict[Color, Totals] | NoData:
        totals = _answer_or_no_data(lambda: self.metrics.totals(since, edges))
        return totals if isinstance(totals, NoData) else dict(totals)

    def _alerts(self) -> Sequence[Alert] | NoData:
        alerts = self.alerts
        return () if alerts is None else _answer_or_no_data(alerts.firing)

    def _health(self, color: Color) -> Health:
        try:
            return self.fleet.health(color)
        except DeployError as error:
            return Health(False, error.what)

    def wait(self, seconds: float) -> None:
        """Let time pass, beating the dead-man's switch and noticing a lost lease."""
        until = self.clock.elapsed() + seconds
        while (left := until - self.clock.elapsed()) > 0:
            if self.lease is not None and not self._is_going_back:
                with suppress(Unreachable):  # a silent ledger is judged by `roll_out`, which counts how long
                    self.lease.check()
            self.pulse()
            self.clock.sleep(min(left, 1.0))

    def pulse(self) -> None:
        """Tell the dead-man's switch that we live."""
        if self.deadman is not None:
            self.deadman.beat()


def _answer_or_no_data(ask: Callable[[], T]) -> T | NoData:
    try:
        return ask()
    except DeployError as error:
        return NoData(error.what)
