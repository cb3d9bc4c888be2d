"""What is sent to a host as a beat, and how often."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

from ..beating import Beating
from ..hosts.host import Host
from . import commands

WITHIN = 10.0
"""Seconds for one beat."""
PER_GRACE = 6
"""Beats that fit into one grace."""


def beating(host: Host, at: str, order_id: str, grace: float) -> Beating:
    """The beats of one host, one per sixth of the grace."""
    line, words = apart(host), beat_words()

    def send() -> str:
        line.run(commands.beat(at, order_id, next(words)), min(WITHIN, grace / 2))
        return ""

    return Beating(host.name, send, grace / PER_GRACE)


def apart(host: Host) -> Host:
    """The host over a connection of its own, where it has connections: beats and work do not wait for each other."""
    own: Callable[[str], Host] | None = getattr(host, "apart", None)
    return own("deadman") if own else host


def beat_words() -> Iterator[str]:
    """Words of which no two are alike, not even those of two deployers that beat for the same order."""
    mine = os.urandom(4).hex()
    for number in itertools.count():
        yield f"{mine}-{number}"
