"""What happens in a simulated deployment, and when: values only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .traffic import App

WELL = App(0.001)
"""One error in a thousand."""


@dataclass(frozen=True)
class Scene:
    """``rps`` users' requests a second to both colors together, and how the colors answer.

    ``well`` is the live color, and the new release until its fault begins; ``ill`` the new release from then on: when
    it has ``stage`` percent of the traffic or more, and ``after`` seconds after its first traffic; with neither, from
    the beginning. ``silent_after`` and ``unhealthy_after``: seconds after its first traffic from which on the metrics
    say nothing, and its health page fails. ``probes``: requests a second of our own to each color; they meet the same
    errors, unless they ask for other pages (``probed`` false). ``orders``: what people ask meanwhile, with seconds
    after its first traffic: ``pause``, ``continue``, ``promote`` or ``abort``.
    """

    rps: float
    well: App = WELL
    ill: App = WELL
    stage: int = 0
    after: float = 0.0
    silent_after: float | None = None
    unhealthy_after: float | None = None
    probes: float = 0.0
    probed: bool = True
    orders: tuple[tuple[float, str], ...] = ()

    @property
    def healthy(self) -> Scene:
        """The same traffic, and a release without any fault."""
        return replace(self, ill=self.well, silent_after=None, unhealthy_after=None, orders=())

    def failing(self, errors: float) -> Scene:
        """The same, with that share of errors (0 to 1) and no other fault."""
        return replace(self.healthy, ill=self.well._replace(errors=errors))

    @property
    def begins_with_it(self) -> bool:
        """Whether the fault is there from the beginning."""
        return not self.stage and self.after <= 0
