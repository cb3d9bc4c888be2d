"""CloudWatch: what users experienced behind a load balancer, how databases and hosts are, and its alarms."""

from __future__ import annotations

from .alarms import Alarms
from .metrics import Metrics

__all__ = ["Alarms", "Metrics"]
