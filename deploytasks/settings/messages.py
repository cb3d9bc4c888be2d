"""Where the news of a deployment goes."""

from __future__ import annotations

from typing import Literal

from .base import Value


class ConsoleSettings(Value):
    """``messages: {kind: console}``: the terminal, and nobody else."""

    kind: Literal["console"] = "console"
