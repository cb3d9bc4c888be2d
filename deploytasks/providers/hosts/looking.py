"""What a host says about both its colors, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping

from ...ports import Color
from . import serving
from .serving import Serving, State


def states(processes: Mapping[Color, Serving]) -> Mapping[Color, State]:
    """The state of each of one host's colors. Raises ``Unreachable``."""
    return dict(zip(processes, serving.states(list(processes.values())), strict=True))
