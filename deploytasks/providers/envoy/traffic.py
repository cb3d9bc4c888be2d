"""Traffic through Envoy: one that we start and supervise, or one that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...errors import DeployError, SplitMoved
from ...ports import Call, Calls, Color, Finding, Split
from ..site import Site
from .keys import Keys, in_words, split_from, split_keys
from .place import place_of
from .runtime import runtime_of

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings
    from ..hosts.host import Host
    from .process import Process


class Traffic:
    """The balancer of one environment."""

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._runtime = runtime_of(settings, site)
        self._place = place_of(site)

    def address(self) -> str:
        """``public``, or else where we listen."""
        if self._settings.public:
            return self._settings.public.rstrip("/")
        host, _, port = self._settings.listen.rpartition(":")
        anywhere = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  # read, never bound
        return f"http://{anywhere.get(host, host)}:{port}"

    # -- the split -----------------------------------------------------------

    def read(self) -> Split:
        return split_from(self._runtime.in_force(), self._settings.prefix)

    def at_rest(self) -> Split:
        return split_from(self._runtime.at_rest(), self._settings.prefix)

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        changes = split_keys(to, self._settings.prefix)
        return Call(f"envoy runtime: {in_words(changes)}", partial(self._shift, to, expect))

    def _shift(self, to: Split, expect: Split | None, timeout: float) -> None:
        changes = split_keys(to, self._settings.prefix)
        if expect is None:
            self._runtime.change(changes, timeout)
        else:
            self._runtime.change(changes, timeout, partial(self._compare, expect), alone=True)

    def _compare(self, expect: Split, written: Keys) -> None:
        found = split_from(written, self._settings.prefix)
        if found != expect:
            raise SplitMoved(
                f"traffic was moved by someone else: {_described(found)}",
                state=f"nothing was written; expected was {_described(expect)}",
                do=f"`inv status --env {self._site.environment}` and `inv history` say who is at work",
            )

    def drained(self, color: Color) -> int:
        """How many requests Envoy still waits for there, those of a process that a restart replaces included."""
        from .metrics import samples

        text = self._runtime.admin.statistics(rf"^cluster\.{color}\.upstream_rq_active$")
        return sum(sample.value for sample in samples(text) if sample.name == "upstream_rq_active")

    def homing(self, deployment: str, home: Split) -> Sequence[tuple[Host, str]]:
        """For Envoy's host the shell text that takes traffic home while it is signed by this deployment. It prints
        ``home``, or ``not: <why>``, and fails while Envoy does not answer."""
        from .homing import homing

        return homing(self._settings, self._site, self._runtime, deployment, home)

    # -- the process ---------------------------------------------------------

    def prepare(self) -> Calls:
        return self._process().prepare() if self._settings.managed else ()

    def shut_down(self) -> Calls:
        return self._process().shut_down() if self._settings.managed else ()

    def _process(self) -> Process:
        from .process import Process

        return Process(self._settings, self._site, self._place)

    # -- doctor --------------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        found = list(self._process().findings() if self._settings.managed else self._runtime.findings())
        runs = not self._settings.managed or self._place.read_state().alive
        return [*found, self._balancer()] if runs else found

    def _balancer(self) -> Finding:
        subject = "traffic: split"
        try:
            split = self.read()
            return Finding(subject, "ok", f"{_described(split)} (Envoy {self._runtime.admin.version()})")
        except DeployError as error:
            return Finding(subject, "fail", error.what, error.do)


def _described(split: Split) -> str:
    return f"{split.weights()}, way back {split.way_back or 'none'}, written by {split.writer or 'nobody'}"
