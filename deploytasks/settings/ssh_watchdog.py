"""The dead-man's switch on the balancer's hosts: it takes traffic home when the deployer dies or loses its network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Duration, Value


class SshWatchdogSettings(Value):
    """``deadman: {kind: ssh, grace: 60s}``. Its hosts, and how to reach them, are those of ``traffic``."""

    kind: Literal["ssh"]
    grace: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    """How long without a beat until traffic goes home. A deployer beats at most six times in it."""
    folder: Annotated[str, Field(min_length=1)] = ".deploytasks"
    """Where it keeps its order and its state on the host; relative to the home folder of who logs in."""
