"""Sentry: what it counts of each release, and where it is told of deployments."""

from __future__ import annotations

from .markers import Markers
from .metrics import Metrics

__all__ = ["Markers", "Metrics"]
