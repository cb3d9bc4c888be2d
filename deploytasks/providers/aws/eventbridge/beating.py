"""How often a deployer beats that has armed a schedule."""

from __future__ import annotations

LEAST = 15.0
"""Seconds between two beats, where the grace is long enough for that."""


def pause_of(grace: float) -> float:
    """Seconds between two beats: a fifth of the grace, 15 at least, a third of it at most."""
    return max(grace / 5, min(LEAST, grace / 3))
