"""What a host says about both its colors, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping

from ...ports import Color
from . import commands
from .process import ColorProcess, State

_ASK = 10.0
"""Seconds that a host may take to say how things are."""


def states(processes: Mapping[Color, ColorProcess]) -> Mapping[Color, State]:
    """The state of each of one host's colors. Raises ``Unreachable``."""
    ask = "\n".join(commands.state(process.layout, color) for color, process in processes.items())
    host = next(iter(processes.values())).member.host
    lines = [*host.run(ask, _ASK).split("\n"), *[""] * 10]
    return {color: State(*lines[5 * place : 5 * place + 5]) for place, color in enumerate(processes)}
