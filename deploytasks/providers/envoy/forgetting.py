"""An Envoy that was restarted and has forgotten what its admin interface was told: noticed, and never guessed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import PartlyKnown
from .keys import Keys, split_from

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings


def has_forgotten(in_force: Keys, kept: Keys, settings: TrafficSettings) -> bool:
    """Whether Envoy knows of no split although one was written. Every split has this key."""
    key = f"{settings.prefix}.open"
    return not in_force.get(key) and bool(kept.get(key))


def require(in_force: Keys, kept: Callable[[], Keys], settings: TrafficSettings) -> None:
    """Raise ``PartlyKnown`` when Envoy has forgotten. ``kept`` is asked only when there is a doubt."""
    if in_force.get(f"{settings.prefix}.open"):
        return
    copy = kept()
    if not has_forgotten(in_force, copy, settings):
        return
    split = split_from(copy, settings.prefix)
    to = split.live or split.way_back or "COLOR"
    raise PartlyKnown(
        f"envoy was restarted and has forgotten the split: {split.weights()}, written by {split.writer or 'nobody'}",
        split=split,
        state="it shares traffic as its own configuration says",
        do=f"`inv rollback --to {to}` writes it again; set traffic.layer, and Envoy forgets nothing",
    )
