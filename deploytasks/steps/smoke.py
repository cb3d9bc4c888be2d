"""Ask the few questions whose answers tell that a release works at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..at_once import at_once
from ..engine.step import Step
from ..errors import OverThreshold
from ..ports import Color
from ..smoke import addresses, failures, run_checks

if TYPE_CHECKING:
    from ..ports import Event
    from ..world import World


@dataclass(frozen=True)
class Smoke(Step):
    """Run the configured smoke checks against one color, on each of its hosts, or against the public address."""

    name = "smoke"
    deadline = 60.0

    color: Color | None
    """``None``: the public address, through the balancer."""

    @property
    def label(self) -> str:
        """``smoke blue`` or ``smoke public``."""
        return f"smoke {self.color or 'public'}"

    def do(self, world: World, past: Sequence[Event]) -> None:
        """Raise ``OverThreshold`` with every check that failed."""
        bases = addresses(world.fleet, self.color) if self.color else {"": world.traffic.address()}
        found: list[str] = []
        for check in world.settings.smoke.checks:
            world.pulse()  # each check alone stays within the switch's grace, all together may not
            came = at_once([partial(run_checks, base, (check,)) for base in bases.values()], world.settings.parallel)
            for host, one in zip(bases, came, strict=True):
                if one.error is not None:
                    raise one.error
                found += [f"{host}: {why}" if len(bases) > 1 else why for why in failures(one.value or ())]
        if found:
            raise OverThreshold(f"smoke checks failed on {self.color or 'the public address'}: {'; '.join(found)}")
