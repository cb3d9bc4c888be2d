"""The Aurora part of the lab's RDS. A restored cluster has no instances."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .rds_state import READY, Stage, Thing, aware, filtered, named, page, refuse, tags
from .service import Params, Service

_DEFAULTS = {
    "DBSubnetGroup": "default", "DBClusterParameterGroup": "default.aurora-postgresql16", "Port": 5432,
    "DeletionProtection": False, "CopyTagsToSnapshot": False, "BackupRetentionPeriod": 1,
    "PreferredBackupWindow": "01:00-01:30", "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
    "IAMDatabaseAuthenticationEnabled": False, "NetworkType": "IPV4",
}  # fmt: skip
_CARRIED = (
    "Port", "DeletionProtection", "CopyTagsToSnapshot", "BackupRetentionPeriod", "PreferredBackupWindow",
    "PreferredMaintenanceWindow", "NetworkType", "StorageType", "Engine", "EngineVersion",
)  # fmt: skip


class Clusters(Service):
    """Clusters and their snapshots. Instances belong to ``Rds``."""

    name = "rds"
    if TYPE_CHECKING:
        takes: int
        page_size: int
        failing: int
        most: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.clusters: dict[str, Thing] = {}
        self.cluster_snapshots: dict[str, Thing] = {}
        self.cluster_groups = {"default.aurora-postgresql16", "shop-cluster"}
        self._numbers = itertools.count(1)

    def add_cluster(self, name: str, *members: str, **facts: Any) -> Thing:
        """A production cluster with its instances, the writer first."""
        given = {
            "DBSubnetGroupName": "shop-subnets", "VpcSecurityGroupIds": ["sg-0123456789abcdef0"],
            "DBClusterParameterGroupName": "shop-cluster", "DeletionProtection": True, "BackupRetentionPeriod": 7,
            "Engine": "aurora-postgresql", "EngineVersion": "16.4", "CopyTagsToSnapshot": True,
        }  # fmt: skip
        thing = self._cluster(name, given)
        thing.stages.clear()
        thing.facts |= facts
        for member in members:
            own = {"DBInstanceClass": "db.r6g.large", "Engine": "aurora-postgresql", "PubliclyAccessible": False}
            make: Any = self
            make.create_db_instance({"DBInstanceIdentifier": member, "DBClusterIdentifier": name, **own})
            made = make.instances[member]
            made.stages.clear()
            make._made(made)
        return thing

    def describe_db_clusters(self, params: Params) -> dict[str, Any]:
        is_wanted = filtered(params, {"db-cluster-id": "DBClusterIdentifier"})
        name = params.get("DBClusterIdentifier")
        found = [thing for thing in list(self.clusters.values()) if is_wanted(thing.facts)]
        if name is not None:
            found = [self._present_cluster(name)]
        return page([self._shown_cluster(thing) for thing in found], params, "DBClusters", self.page_size)

    def create_db_cluster_snapshot(self, params: Params) -> dict[str, Any]:
        source = self._present_cluster(params["DBClusterIdentifier"])
        name = named(params["DBClusterSnapshotIdentifier"], longest=255)
        if name in self.cluster_snapshots:
            raise refuse("DBClusterSnapshotAlreadyExistsFault", f"{name} already exists")
        if source.status not in READY:
            raise refuse("InvalidDBClusterStateFault", f"the cluster is {source.status}")
        if len(self.cluster_snapshots) >= self.most["ManualClusterSnapshots"]:
            raise refuse("SnapshotQuotaExceeded", "the quota of manual snapshots is exceeded")
        facts = {
            "DBClusterSnapshotIdentifier": name, "DBClusterIdentifier": source.facts["DBClusterIdentifier"],
            "Engine": source.facts["Engine"], "EngineVersion": source.facts["EngineVersion"], "PercentProgress": 0,
            "AllocatedStorage": 1, "SnapshotType": "manual", "TagList": tags(params),
            "DBClusterSnapshotArn": self.arn(f"cluster-snapshot:{name}"),
        }  # fmt: skip
        thing = Thing(facts, "Status")
        if self.failing:
            self.failing, thing.rest = self.failing - 1, "failed"
        made = {"SnapshotCreateTime": datetime.now(UTC)}
        thing.begin(Stage("creating", self.takes, lambda: facts.update(made)))
        self.cluster_snapshots[name] = thing
        return {"DBClusterSnapshot": thing.look()}

    def describe_db_cluster_snapshots(self, params: Params) -> dict[str, Any]:
        known = {"db-cluster-snapshot-id": "DBClusterSnapshotIdentifier", "db-cluster-id": "DBClusterIdentifier"}
        is_wanted = filtered(params, known)
        found = [thing.look() for thing in self.cluster_snapshots.values() if is_wanted(thing.facts)]
        return page(found, params, "DBClusterSnapshots", self.page_size)

    def delete_db_cluster_snapshot(self, params: Params) -> dict[str, Any]:
        name = params["DBClusterSnapshotIdentifier"].lower()
        if name not in self.cluster_snapshots:
            raise refuse("DBClusterSnapshotNotFoundFault", f"{name} not found", 404)
        return {"DBClusterSnapshot": self.cluster_snapshots.pop(name).look()}

    def restore_db_cluster_from_snapshot(self, params: Params) -> dict[str, Any]:
        snapshot = self.cluster_snapshots.get(params["SnapshotIdentifier"].lower())
        if snapshot is None:
            raise refuse("DBClusterSnapshotNotFoundFault", "not found", 404)
        if snapshot.status != "available":
            raise refuse("InvalidDBClusterSnapshotStateFault", f"it is {snapshot.status}")
        return {"DBCluster": self._shown_cluster(self._restored_cluster(params))}

    def restore_db_cluster_to_point_in_time(self, params: Params) -> dict[str, Any]:
        source = self._present_cluster(params["SourceDBClusterIdentifier"])
        if aware(params["RestoreToTime"]) > self._latest_of(source):
            raise refuse("InvalidRestoreFault", "later than the latest restorable time")
        own = {key: source.facts[key] for key in ("Engine", "EngineVersion")}
        return {"DBCluster": self._shown_cluster(self._restored_cluster({**own, **params}))}

    def modify_db_cluster(self, params: Params) -> dict[str, Any]:
        thing = self._present_cluster(params["DBClusterIdentifier"])
        if thing.status not in READY:
            raise refuse("InvalidDBClusterStateFault", f"the cluster is {thing.status}")
        if to := params.get("NewDBClusterIdentifier"):
            if named(to) in self.clusters:
                raise refuse("DBClusterAlreadyExistsFault", f"{to} already exists")
            thing.facts["PendingModifiedValues"] = {"DBClusterIdentifier": to}
            thing.begin(Stage("renaming", self.takes, lambda: self._renamed_cluster(thing, to)))
        else:
            changed = {key: params[key] for key in _CARRIED if key in params}
            thing.begin(Stage("modifying", self.takes, lambda: thing.facts.update(changed)))
        return {"DBCluster": self._shown_cluster(thing)}

    def delete_db_cluster(self, params: Params) -> dict[str, Any]:
        thing = self._present_cluster(params["DBClusterIdentifier"])
        if thing.facts["DeletionProtection"]:
            raise refuse("InvalidParameterCombination", "Cannot delete protected Cluster")
        if any(True for _ in thing.facts["DBClusterMembers"]):
            raise refuse("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances")
        name = thing.facts["DBClusterIdentifier"]
        thing.begin(Stage("deleting", self.takes, lambda: self.clusters.pop(name, None) and None))
        return {"DBCluster": self._shown_cluster(thing)}

    # -- how -----------------------------------------------------------------

    def _present_cluster(self, name: str) -> Thing:
        try:
            return self.clusters[name.lower()]
        except KeyError:
            raise refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.", 404) from None

    def _latest_of(self, thing: Thing) -> datetime:
        found: datetime = thing.facts.get("LatestRestorableTime") or datetime.now(UTC) - timedelta(minutes=5)
        return found

    def _shown_cluster(self, thing: Thing) -> dict[str, Any]:
        latest = self._latest_of(thing)
        shown = thing.look()
        window = {"LatestRestorableTime": latest, "EarliestRestorableTime": latest - timedelta(days=7)}
        return {**shown, "DBClusterMembers": [dict(one) for one in shown["DBClusterMembers"]], **window}

    def _restored_cluster(self, params: Params) -> Thing:
        return self._cluster(
            params["DBClusterIdentifier"], {key: one for key, one in params.items() if key != "BackupRetentionPeriod"}
        )

    def _cluster(self, given: str, params: Params) -> Thing:
        name = named(given)
        if name in self.clusters:
            raise refuse("DBClusterAlreadyExistsFault", "DB cluster already exists")
        group = params.get("DBClusterParameterGroupName", "default.aurora-postgresql16")
        if group not in self.cluster_groups:
            raise refuse("DBClusterParameterGroupNotFound", f"{group} not found", 404)
        facts: dict[str, Any] = {
            "DBClusterIdentifier": name, "DBClusterArn": self.arn(f"cluster:{name}"), "DBClusterMembers": [],
            "DbClusterResourceId": f"cluster-RESOURCE{next(self._numbers):04}", "TagList": tags(params),
            "PendingModifiedValues": {}, "Endpoint": self._cluster_endpoint(name), **_DEFAULTS,
            "VpcSecurityGroups": [
                {"VpcSecurityGroupId": one, "Status": "active"}
                for one in params.get("VpcSecurityGroupIds", ["sg-default"])
            ],
            **{key: params[key] for key in _CARRIED if key in params}, "DBClusterParameterGroup": group,
            "DBSubnetGroup": params.get("DBSubnetGroupName", "default"),
        }  # fmt: skip
        thing = Thing(facts, "Status")
        thing.begin(Stage("creating", self.takes))
        self.clusters[name] = thing
        return thing

    def _cluster_endpoint(self, name: str) -> str:
        place: Any = getattr(self, "place", None)
        return str(place[0]) if place else f"{name}.cluster-c1x2y3z4.eu-central-1.rds.amazonaws.com"

    def _renamed_cluster(self, thing: Thing, to: str) -> None:
        name = thing.facts["DBClusterIdentifier"]
        self.clusters[to] = self.clusters.pop(name)
        thing.facts |= {"DBClusterIdentifier": to, "PendingModifiedValues": {}, "Endpoint": self._cluster_endpoint(to)}
        thing.facts["DBClusterArn"] = self.arn(f"cluster:{to}")
        own: Any = self
        for instance in own.instances.values():
            if instance.facts.get("DBClusterIdentifier") == name:
                instance.facts["DBClusterIdentifier"] = to
