"""PagerDuty: open incidents that take a release back, and deployments that open and resolve them."""

from __future__ import annotations

from .incidents import Incidents
from .recipient import Pager

__all__ = ["Incidents", "Pager"]
