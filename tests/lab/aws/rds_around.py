"""What stands around the databases of the lab's RDS: proxies, subscriptions, maintenance, quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .rds_state import Thing, page
from .service import Params, Service


class Around(Service):
    """A test fills these by hand."""

    if TYPE_CHECKING:
        page_size: int
        most: dict[str, int]
        snapshots: dict[str, Thing]
        cluster_snapshots: dict[str, Thing]

    def __init__(self) -> None:
        super().__init__()
        self.proxies: dict[str, list[dict[str, Any]]] = {}
        """Name → its targets."""
        self.subscriptions: list[dict[str, Any]] = []
        self.maintenance: dict[str, list[dict[str, Any]]] = {}
        """ARN → what AWS will do by itself."""

    def describe_account_attributes(self, params: Params) -> dict[str, Any]:
        used = {"ManualSnapshots": len(self.snapshots), "ManualClusterSnapshots": len(self.cluster_snapshots)}
        listed = [{"AccountQuotaName": key, "Used": used.get(key, 0), "Max": most} for key, most in self.most.items()]
        return {"AccountQuotas": listed}

    def describe_pending_maintenance_actions(self, params: Params) -> dict[str, Any]:
        arn = params["ResourceIdentifier"]
        listed = self.maintenance.get(arn, [])
        found = [{"ResourceIdentifier": arn, "PendingMaintenanceActionDetails": listed}] if listed else []
        return {"PendingMaintenanceActions": found}

    def describe_db_proxies(self, params: Params) -> dict[str, Any]:
        return page([{"DBProxyName": name} for name in self.proxies], params, "DBProxies", self.page_size)

    def describe_db_proxy_targets(self, params: Params) -> dict[str, Any]:
        return page(self.proxies[params["DBProxyName"]], params, "Targets", self.page_size)

    def describe_event_subscriptions(self, params: Params) -> dict[str, Any]:
        return page(self.subscriptions, params, "EventSubscriptionsList", self.page_size)
