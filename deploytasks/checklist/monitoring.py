"""Monitoring and alerting: a deployment that nobody can judge must not begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ports import NoData
from .item import Found, Item

if TYPE_CHECKING:
    from .subject import Subject


def no_critical_alert(of: Subject) -> Found:
    """No critical alert of this service fires before the deployment begins."""
    world = of.world
    if world.alerts is None:
        return Found("not applicable", "no alerts are configured")
    firing = world.alerts.firing()
    if isinstance(firing, NoData):
        return Found("fail", f"alerts cannot be read: {firing.why}")
    critical = [alert.name for alert in firing if alert.severity == "critical"]
    return Found("fail", f"firing: {', '.join(critical)}") if critical else Found("pass", "no critical alert fires")


ITEMS = (
    Item(
        "monitoring.alerts",
        "No critical alert fires",
        no_critical_alert,
        "development",
        asks="alerts",
        critical=True,
    ),
)
