"""Taking traffic home when the deployer has fallen silent: look whose it is, write, look again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ...ports import Split
from .arming import Arming

if TYPE_CHECKING:
    from ...ports import Traffic

WRITE_WITHIN = 10.0
"""Seconds for one write."""


class Homecoming(NamedTuple):
    """How an attempt ended: ``before`` is the split that was found, ``written`` whether traffic was put home."""

    before: Split
    written: bool
    why: str


def open_traffic(arming: Arming) -> Traffic:
    """The balancer, from the settings in the order, which are validated again."""
    from ...settings import kinds
    from .. import open_provider
    from ..site import Site

    def value(section: str, given: Any) -> Any:
        target = kinds.GROUPS.get(section) or kinds.KINDS[section][given["kind"]]
        return kinds.model(target).model_validate(given)

    sections = {section: value(section, given) for section, given in arming.sections.items()}
    site = Site(
        arming.application, arming.environment, Path(arming.root), Path(arming.folder), None, arming.who, sections
    )
    return cast("Traffic", open_provider("traffic", sections["traffic"], site))


def target(arming: Arming) -> Split:
    """What is written, signed."""
    return arming.home._replace(writer=f"deadman:{arming.deployment}")


def reason_not_to(split: Split, arming: Arming) -> str | None:
    """Why this split is none of our business; ``None`` when it has to go home.

    Only a split that this deployment wrote on its way (``deploy:…``) is taken back: one that it settled, or that
    somebody else wrote, is where somebody wants it.
    """
    if split.writer != f"deploy:{arming.deployment}":
        return f"traffic is at {split.weights()} by {split.writer or 'nobody who signed'}: not this deployment's"
    if (split.blue, split.green) == (arming.home.blue, arming.home.green):
        return f"traffic is home already ({split.weights()})"
    return None


def go_home(
    traffic: Traffic, arming: Arming, still_needed: Callable[[], bool], *, insist: bool = False
) -> Homecoming | None:
    """One attempt. ``None`` when the deployer came back in the last moment.

    Raises whatever the balancer raises, and ``SplitMoved`` when someone wrote between our look and our write.
    With ``insist`` it writes over what it has seen without comparing again: a deployer that was stopped in the
    middle of its own write may hold the balancer's lock for ever.
    """
    before, home = traffic.read(), target(arming)
    if before == home:  # an attempt of ours whose answer got lost
        return Homecoming(before, written=True, why=f"traffic is home: {home.weights()}")
    if reason := reason_not_to(before, arming):
        return Homecoming(before, written=False, why=reason)
    if not still_needed():
        return None
    traffic.shift(home, expect=None if insist else before).perform(WRITE_WITHIN)
    after = traffic.read()
    if after != home:
        raise RuntimeError(f"after the write, traffic is at {after.weights()} by {after.writer}")
    return Homecoming(before, written=True, why=f"traffic went home: {before.weights()} → {home.weights()}")
