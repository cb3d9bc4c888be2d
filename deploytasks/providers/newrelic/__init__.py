"""New Relic: what its agents count of each color, and marks in its graphs, both through NerdGraph."""

from __future__ import annotations

from .markers import Markers
from .metrics import Metrics

__all__ = ["Markers", "Metrics"]
