"""The world of a simulated deployment: its clock, its split, its counters. Nothing else knows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from ..ports import Color, Command, Health, NoData, Reading, Split, Totals, other
from ..rollout import Rules
from ..verdict.ladder import NOTHING, plus
from .scene import Scene
from .traffic import answers, requests

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_WELL, _ILL = Health(True, "simulated"), Health(False, "it fails, in this simulation")
_SILENT = NoData("the metrics are silent, in this simulation")


class World:
    """Time passes when somebody waits. Counters show what happened ``rules.lag`` seconds ago, as the real ones do."""

    def __init__(self, rules: Rules, scene: Scene, dice: Random) -> None:
        self.now = 0.0
        """Seconds since the beginning."""
        self.share = 0
        """Of the new release, in percent."""
        self.shifted: float | None = None
        """When it got its first traffic."""
        self.onset: float | None = 0.0 if scene.begins_with_it else None
        """When its fault begins; ``None``: that is not known yet."""
        self._rules, self._scene, self._dice = rules, scene, dice
        self._shares: list[tuple[float, int]] = [(-rules.lag, 0)]
        self._served = -rules.lag
        self._probed = 0.0
        self._orders = sorted(scene.orders)
        self._writer = "settled:before"
        self._home: Color = rules.home or other(rules.target)
        self._counts: dict[Color, Totals] = {self._home: NOTHING, rules.target: NOTHING}
        self._probes: dict[Color, Totals] = {self._home: NOTHING, rules.target: NOTHING}

    @property
    def at(self) -> datetime:
        """The instant it is."""
        return BEGINNING + timedelta(seconds=self.now)

    @property
    def met(self) -> Totals:
        """The new release's counts, as far as they show."""
        return self._counts[self._rules.target]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def shift(self, percent: int) -> None:
        """Give the new release that much of the traffic; its fault may begin with it."""
        self.share, self._writer = percent, self._rules.writer
        self._shares.append((self.now, percent))
        self.shifted = self.now if self.shifted is None else self.shifted
        if self.onset is None and percent >= self._scene.stage:
            self.onset = max(self.now, self.shifted + self._scene.after)

    def reading(self) -> Reading:
        """One look at all of it."""
        rules = self._rules
        self.serve(self.now - rules.lag)
        totals = _SILENT if self._is_over(self._scene.silent_after) else dict(self._counts)
        ill = _ILL if self._is_over(self._scene.unhealthy_after) else _WELL
        return Reading(
            self.at,
            self._split(),
            totals,
            self._sent() if rules.probes else None,
            {self._home: _WELL, rules.target: ill},
            (),
            self._order(),
            more={name: totals for name, _ in rules.more},
        )

    def serve(self, until: float) -> None:
        """Users' requests up to a moment."""
        while self._served < until:
            share, end = self._piece(until)
            mean = self._scene.rps * (end - self._served)
            self._count(self._rules.target, mean * share / 100, self._served)
            self._count(self._home, mean * (100 - share) / 100, self._served)
            self._served = end

    def _piece(self, until: float) -> tuple[int, float]:
        """The share that is in force, and until when nothing changes."""
        while len(self._shares) > 1 and self._shares[1][0] <= self._served:
            del self._shares[0]
        ends = [until, *(at for at, _ in self._shares[1:2])]
        if self.onset is not None and self.onset > self._served:
            ends.append(self.onset)
        return self._shares[0][1], min(ends)

    def _count(self, color: Color, mean: float, at: float) -> None:
        if mean > 0:
            new = requests(self._dice, self._scene.ill if self._fails(color, at) else self._scene.well, mean)
            self._counts[color] = plus(self._counts[color], new)

    def _fails(self, color: Color, at: float) -> bool:
        return color == self._rules.target and self.onset is not None and at >= self.onset

    def _sent(self) -> dict[Color, Totals]:
        """Our own requests, which keep their pace and never come in clusters."""
        new = int(self.now * self._scene.probes) - int(self._probed * self._scene.probes)
        for color, before in self._probes.items():
            fails = self._scene.probed and self._fails(color, self._probed)
            app = (self._scene.ill if fails else self._scene.well)._replace(cluster=1)
            self._probes[color] = plus(before, answers(self._dice, app, new))
        self._probed = self.now
        return dict(self._probes)

    def _order(self) -> Command | None:
        """What somebody asks now; one by one, as readings carry them."""
        if not self._orders or not self._is_over(self._orders[0][0]):
            return None
        return Command(self._orders.pop(0)[1], "somebody", "in this simulation")

    def _split(self) -> Split:
        if self._rules.home is None:
            return Split.all_on(self._rules.target if self.share else None, None, self._writer)
        return Split.partly_on(self._rules.target, self.share, self._rules.home, self._writer)

    def _is_over(self, seconds: float | None) -> bool:
        return seconds is not None and self.shifted is not None and self.now >= self.shifted + seconds
