"""Envoy: the balancer, what it counts, and its maintenance page."""

from .maintenance import Maintenance
from .metrics import Metrics
from .traffic import Traffic

__all__ = ["Maintenance", "Metrics", "Traffic"]
