"""Traffic through HAProxy: one or several that are there already, shared by a map and the runtime API."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...errors import DeployError, SplitMoved, Unreachable
from ...ports import COLORS, Call, Calls, Color, Finding, Split
from ..site import Site
from . import looking
from .balancer import Balancer, Differs, Table
from .balancers import opened, swap_everywhere, write_everywhere
from .counters import Counted, count
from .keys import in_words, split_from, split_keys
from .looking import described
from .members import members, weights

if TYPE_CHECKING:
    from ...settings.haproxy import TrafficSettings
    from ..hosts.host import Host

LOOK_WITHIN = 10.0
"""Seconds for a look at a balancer."""


class Traffic:
    """The balancers of one environment, which are not ours: nothing is started or stopped."""

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._balancers = opened(settings, site)
        self._members = members(settings, site)
        self._weights = weights(settings)

    def address(self) -> str:
        return self._settings.public.rstrip("/")

    def prepare(self) -> Calls:
        return ()

    def shut_down(self) -> Calls:
        return ()

    # -- the split -----------------------------------------------------------

    def read(self) -> Split:
        """What all of them use now. Raises ``PartlyKnown`` when one says nothing, or when they disagree."""
        return looking.agreed(self._balancers, looking.in_force, LOOK_WITHIN, self._site.parallel)

    def at_rest(self) -> Split:
        return looking.agreed(self._balancers, looking.at_rest, LOOK_WITHIN, self._site.parallel)

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        names = ", ".join(each.name for each in self._balancers)
        off = round(self._weights.off_by(to), 1) if self._weights else 0.0
        note = f" (its whole weights miss that by {off} percentage points)" if off else ""
        return Call(f"haproxy map at {names}: {in_words(split_keys(to))}{note}", partial(self._shift, to, expect))

    def _shift(self, to: Split, expect: Split | None, timeout: float) -> None:
        keys, most = split_keys(to), self._site.parallel
        if expect is None:
            write_everywhere(self._balancers, _split, keys, timeout, most)
            return
        deadline = time.monotonic() + timeout
        for color in COLORS:
            if to.share(color) and not expect.share(color):
                self._require_up(color, deadline - timeout / 2)
        try:
            swap_everywhere(self._balancers, _split, keys, split_keys(expect), deadline - time.monotonic(), most)
        except Differs as error:
            raise self._moved(error, expect) from error

    def _moved(self, error: Differs, expect: Split) -> SplitMoved:
        return SplitMoved(
            f"traffic was moved by someone else: {described(split_from(error.found))}",
            state=f"{error.state}; expected was {described(expect)}",
            do=f"`inv status --env {self._site.environment}` and `inv history` say who is at work",
        )

    # -- the colors ----------------------------------------------------------

    def drained(self, color: Color) -> int:
        """How many requests are still at a color, or wait for it, at all balancers together."""
        counts = (self._counts(each, color) for each in self._balancers)
        return sum(found.open for found in counts)

    def _counts(self, balancer: Balancer, color: Color) -> Counted:
        return count(balancer, self._members[color], LOOK_WITHIN)

    def _require_up(self, color: Color, deadline: float) -> None:
        """Wait until every balancer's own checks have found a color: what they hold for down gets nothing but 503."""
        deadline = min(deadline, time.monotonic() + self._settings.up_within)
        for balancer in self._balancers:
            while not (found := self._counts(balancer, color)).up:
                if time.monotonic() >= deadline:
                    raise Unreachable(
                        f"haproxy at {balancer.name} holds {color} for down: {found.why}",
                        state="nothing was written: no traffic is sent there",
                        do=f"check the servers and the health check of {self._members[color]} in haproxy.cfg",
                    )
                time.sleep(0.1)

    # -- others --------------------------------------------------------------

    def homing(self, deployment: str, home: Split) -> Sequence[tuple[Host, str]]:
        """For each balancer, the host it runs on and the POSIX shell text that takes traffic home there.

        It prints ``home``, or ``not: <why>``: only a split that is still signed ``deploy:<deployment>`` is touched.
        """
        from .homing import homing

        return homing(self._balancers, self._weights, deployment, home)

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose

        found = list(diagnose(self._balancers, self._members))
        if len(self._balancers) > 1:
            found.append(self._agreement())
        return found

    def _agreement(self) -> Finding:
        subject = "traffic: all balancers"
        try:
            return Finding(subject, "ok", f"agree: {described(self.read())}")
        except DeployError as error:
            return Finding(subject, "fail", error.what, error.do)


def _split(balancer: Balancer) -> Table:
    return balancer.split
