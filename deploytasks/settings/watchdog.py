"""The dead-man's switch of one machine: a small process that takes traffic home when the deployer falls silent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Duration, Value


class WatchdogSettings(Value):
    """``deadman: {kind: watchdog, grace: 10s}``."""

    kind: Literal["watchdog"] = "watchdog"
    grace: Annotated[Duration, Field(ge=1, le=3600)] = 10.0
    """How long without a beat until traffic goes home."""
