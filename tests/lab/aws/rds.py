"""Amazon RDS as its reference describes it: instances, Aurora clusters, snapshots, and states that forbid things.

Nothing is done at once. A snapshot, a restore or a rename takes ``takes`` looks: each description that shows a thing
brings it further. What a restore is not told, it has by default: one zone, the default groups, no protection.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from .rds_around import Around
from .rds_clusters import Clusters
from .rds_state import READY, Stage, Thing, aware, filtered, named, page, refuse, tags
from .service import Params

_CARRIED = (
    "DBInstanceClass", "MultiAZ", "PubliclyAccessible", "AutoMinorVersionUpgrade", "StorageType", "Iops",
    "StorageThroughput", "CopyTagsToSnapshot", "DeletionProtection", "NetworkType", "CACertificateIdentifier",
    "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow", "MonitoringInterval",
    "MonitoringRoleArn", "MaxAllocatedStorage", "PromotionTier", "PerformanceInsightsRetentionPeriod",
    "PerformanceInsightsKMSKeyId", "DatabaseInsightsMode", "DedicatedLogVolume", "AvailabilityZone",
)  # fmt: skip
_DEFAULTS = {
    "MultiAZ": False, "PubliclyAccessible": True, "AutoMinorVersionUpgrade": True, "StorageType": "gp2",
    "CopyTagsToSnapshot": False, "DeletionProtection": False, "NetworkType": "IPV4",
    "CACertificateIdentifier": "rds-ca-rsa2048-g1", "BackupRetentionPeriod": 1, "PreferredBackupWindow": "01:00-01:30",
    "PreferredMaintenanceWindow": "sun:05:00-sun:05:30", "MonitoringInterval": 0, "PromotionTier": 1,
    "AvailabilityZone": "eu-central-1a",
}  # fmt: skip


class Rds(Around, Clusters):
    """One account in one region. Change ``instances[name].facts`` or ``.rest`` to have it as a test needs it."""

    def __init__(self, *, takes: int = 2, place: tuple[str, int] | None = None, page_size: int = 100) -> None:
        super().__init__()
        self.takes = takes
        self.place = place
        """Where databases really answer; else they have names that nobody resolves."""
        self.page_size = page_size
        self.instances: dict[str, Thing] = {}
        self.snapshots: dict[str, Thing] = {}
        self.groups = {"default.postgres16", "shop-parameters"}
        self.subnets = {"default", "shop-subnets"}
        self.most = {"ManualSnapshots": 100, "ManualClusterSnapshots": 100, "DBInstances": 40}
        self.failing = 0
        """How many of the next snapshots fail."""
        self.breaks = ""
        """The status in which the next restored instance ends."""
        self._ids = itertools.count(1)

    # -- as a test sets it up ------------------------------------------------

    def add_instance(self, name: str, **facts: Any) -> Thing:
        """A production database: three things about it are not as they are by default."""
        given = {
            "DBInstanceClass": "db.m6g.large", "MultiAZ": True, "DBSubnetGroupName": "shop-subnets",
            "VpcSecurityGroupIds": ["sg-0123456789abcdef0"], "DBParameterGroupName": "shop-parameters",
            "DeletionProtection": True, "PubliclyAccessible": False, "BackupRetentionPeriod": 7, "StorageType": "gp3",
            "MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/rds-monitoring",
            "EnablePerformanceInsights": True, "CopyTagsToSnapshot": True, "EnableIAMDatabaseAuthentication": True,
            "Tags": [{"Key": "team", "Value": "shop"}],
        }  # fmt: skip
        thing = self._instance(name, given)
        thing.stages.clear()
        thing.facts |= {"Endpoint": self._endpoint(name), **facts}
        return thing

    # -- instances -----------------------------------------------------------

    def describe_db_instances(self, params: Params) -> dict[str, Any]:
        is_wanted = filtered(params, {"db-instance-id": "DBInstanceIdentifier", "db-cluster-id": "DBClusterIdentifier"})
        wanted = params.get("DBInstanceIdentifier")
        found = [thing for thing in list(self.instances.values()) if is_wanted(thing.facts)]
        if wanted is not None:
            found = [self._present(wanted)]
        return page([self._shown(thing) for thing in found], params, "DBInstances", self.page_size)

    def restore_db_instance_from_db_snapshot(self, params: Params) -> dict[str, Any]:
        snapshot = self.snapshots.get(params["DBSnapshotIdentifier"].lower())
        if snapshot is None:
            raise refuse("DBSnapshotNotFound", "DBSnapshot not found", 404)
        if snapshot.status != "available":
            raise refuse("InvalidDBSnapshotState", f"it is {snapshot.status}")
        return self._restored(params["DBInstanceIdentifier"], params, snapshot.facts)

    def restore_db_instance_to_point_in_time(self, params: Params) -> dict[str, Any]:
        source = self._present(params["SourceDBInstanceIdentifier"])
        if not source.facts["BackupRetentionPeriod"]:
            raise refuse("PointInTimeRestoreNotEnabled", "automated backups are off")
        latest = self._latest(source)
        if latest is None or aware(params.get("RestoreTime") or latest) > latest:
            raise refuse("InvalidParameterValue", f"cannot be restored to a time later than {latest}")
        return self._restored(params["TargetDBInstanceIdentifier"], params, source.facts)

    def create_db_instance(self, params: Params) -> dict[str, Any]:
        cluster = self._present_cluster(params["DBClusterIdentifier"])
        if cluster.status not in READY:
            raise refuse("InvalidDBClusterStateFault", f"the cluster is {cluster.status}")
        thing = self._instance(params["DBInstanceIdentifier"], params)
        thing.facts |= {"DBClusterIdentifier": cluster.facts["DBClusterIdentifier"], "Engine": params["Engine"]}
        members = cluster.facts["DBClusterMembers"]
        tier = thing.facts["PromotionTier"]
        name = thing.facts["DBInstanceIdentifier"]
        members.append({"DBInstanceIdentifier": name, "IsClusterWriter": not members, "PromotionTier": tier})
        return {"DBInstance": self._shown(thing)}

    def modify_db_instance(self, params: Params) -> dict[str, Any]:
        thing = self._present(params["DBInstanceIdentifier"])
        if thing.status not in READY:
            raise refuse("InvalidDBInstanceState", f"Database instance is not in available state: {thing.status}")
        to = params.get("NewDBInstanceIdentifier")
        if to is not None:
            self._rename(thing, named(to))
        else:
            changed = {key: params[key] for key in _CARRIED if key in params}
            changed |= self._translated(params)
            thing.begin(Stage("modifying", self.takes, partial(thing.facts.update, changed)))
        return {"DBInstance": self._shown(thing)}

    def delete_db_instance(self, params: Params) -> dict[str, Any]:
        thing = self._present(params["DBInstanceIdentifier"])
        if thing.facts["DeletionProtection"]:
            raise refuse("InvalidParameterCombination", "Cannot delete protected DB Instance")
        if thing.status == "creating":
            raise refuse("InvalidDBInstanceState", "it is being created")
        if not params.get("SkipFinalSnapshot") and not params.get("FinalDBSnapshotIdentifier"):
            raise refuse("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required")
        thing.begin(Stage("deleting", self.takes, lambda: self._gone(thing)))
        return {"DBInstance": self._shown(thing)}

    # -- snapshots -----------------------------------------------------------

    def create_db_snapshot(self, params: Params) -> dict[str, Any]:
        source = self._present(params["DBInstanceIdentifier"])
        name = named(params["DBSnapshotIdentifier"], longest=255)
        if name in self.snapshots:
            raise refuse("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {name} already exists")
        if source.status not in READY:
            raise refuse("InvalidDBInstanceState", f"the instance is {source.status}")
        if len(self.snapshots) >= self.most["ManualSnapshots"]:
            raise refuse("SnapshotQuotaExceeded", "the quota of manual snapshots is exceeded")
        thing = self._snapshot(name, source, params)
        self.snapshots[name] = thing
        return {"DBSnapshot": thing.look()}

    def describe_db_snapshots(self, params: Params) -> dict[str, Any]:
        is_wanted = filtered(
            params, {"db-snapshot-id": "DBSnapshotIdentifier", "db-instance-id": "DBInstanceIdentifier"}
        )
        name = params.get("DBSnapshotIdentifier")
        if name is not None and name.lower() not in self.snapshots:
            raise refuse("DBSnapshotNotFound", f"DBSnapshot {name} not found", 404)
        found = [thing for key, thing in self.snapshots.items() if is_wanted(thing.facts) and name in (None, key)]
        return page([thing.look() for thing in found], params, "DBSnapshots", self.page_size)

    def delete_db_snapshot(self, params: Params) -> dict[str, Any]:
        name = params["DBSnapshotIdentifier"].lower()
        if name not in self.snapshots:
            raise refuse("DBSnapshotNotFound", f"DBSnapshot {name} not found", 404)
        if self.snapshots[name].status not in ("available", "failed"):
            raise refuse("InvalidDBSnapshotState", f"it is {self.snapshots[name].status}")
        return {"DBSnapshot": self.snapshots.pop(name).look()}

    # -- around it -----------------------------------------------------------

    def describe_db_instance_automated_backups(self, params: Params) -> dict[str, Any]:
        found = []
        for thing in self.instances.values():
            if thing.facts["DbiResourceId"] == params.get("DbiResourceId") and (latest := self._latest(thing)):
                days = timedelta(days=thing.facts["BackupRetentionPeriod"])
                found.append({"RestoreWindow": {"EarliestTime": latest - days, "LatestTime": latest}})
        return {"DBInstanceAutomatedBackups": found}

    # -- how -----------------------------------------------------------------

    def _present(self, name: str) -> Thing:
        try:
            return self.instances[name.lower()]
        except KeyError:
            raise refuse("DBInstanceNotFound", f"DBInstance {name} not found.", 404) from None

    def _shown(self, thing: Thing) -> dict[str, Any]:
        shown = thing.look()
        latest = self._latest(thing)
        return {**shown, **({"LatestRestorableTime": latest} if latest else {})}

    def _latest(self, thing: Thing) -> datetime | None:
        has_some = thing.facts.get("BackupRetentionPeriod") and thing.status != "creating"
        return thing.facts.get("LatestRestorableTime") or (
            datetime.now(UTC) - timedelta(minutes=5) if has_some else None
        )

    def _endpoint(self, name: str) -> dict[str, Any]:
        host, port = self.place or (f"{name}.c1x2y3z4.eu-central-1.rds.amazonaws.com", 5432)
        return {"Address": host, "Port": port}

    def _restored(self, name: str, params: Params, source: dict[str, Any]) -> dict[str, Any]:
        thing = self._instance(name, {key: value for key, value in params.items() if key != "BackupRetentionPeriod"})
        thing.facts |= {key: source[key] for key in ("Engine", "EngineVersion", "AllocatedStorage") if key in source}
        return {"DBInstance": thing.look()}

    def _instance(self, given: str, params: Params) -> Thing:
        name = named(given)
        if name in self.instances:
            raise refuse("DBInstanceAlreadyExists", "DB instance already exists")
        if len(self.instances) >= self.most["DBInstances"]:
            raise refuse("InstanceQuotaExceeded", "the quota of instances is exceeded")
        if params.get("DBParameterGroupName", "default.postgres16") not in self.groups:
            raise refuse("DBParameterGroupNotFound", f"{params['DBParameterGroupName']} not found", 404)
        if params.get("DBSubnetGroupName", "default") not in self.subnets:
            raise refuse("DBSubnetGroupNotFoundFault", f"{params['DBSubnetGroupName']} not found", 404)
        if params.get("StorageType") == "gp3" and "Iops" in params:
            raise refuse("InvalidParameterCombination", "You can't specify IOPS for a storage size less than 400 GiB")
        if params.get("MultiAZ") and params.get("AvailabilityZone"):
            raise refuse("InvalidParameterCombination", "no zone can be chosen for Multi-AZ")
        number = next(self._ids)
        facts: dict[str, Any] = {
            "DBInstanceIdentifier": name, "DBInstanceArn": self.arn(f"db:{name}"), "Engine": "postgres",
            "EngineVersion": "16.4", "AllocatedStorage": 100, "DbiResourceId": f"db-RESOURCE{number:04}",
            "DBInstanceClass": "db.t3.micro", "TagList": tags(params), "PendingModifiedValues": {}, **_DEFAULTS,
            "DBParameterGroups": [{"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}],
            "DBSubnetGroup": {"DBSubnetGroupName": "default"}, "IAMDatabaseAuthenticationEnabled": False,
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-default", "Status": "active"}],
            "PerformanceInsightsEnabled": False,
        }  # fmt: skip
        facts |= {key: params[key] for key in _CARRIED if key in params} | self._translated(params)
        thing = Thing(facts, "DBInstanceStatus")
        thing.begin(Stage("creating", self.takes, lambda: self._made(thing)), Stage("backing-up", 1))
        self.instances[name] = thing
        return thing

    def _made(self, thing: Thing) -> None:
        thing.facts["Endpoint"] = self._endpoint(thing.facts["DBInstanceIdentifier"])
        if self.breaks:
            thing.rest, self.breaks = self.breaks, ""
            thing.stages.clear()

    def _translated(self, params: Params) -> dict[str, Any]:
        """What is told in other words than it is shown."""
        words: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "VpcSecurityGroupIds": (
                "VpcSecurityGroups", lambda ids: [{"VpcSecurityGroupId": one, "Status": "active"} for one in ids]
            ),
            "DBParameterGroupName": ("DBParameterGroups", lambda name: [{"DBParameterGroupName": name}]),
            "DBSubnetGroupName": ("DBSubnetGroup", lambda name: {"DBSubnetGroupName": name}),
            "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", bool),
            "EnablePerformanceInsights": ("PerformanceInsightsEnabled", bool),
        }  # fmt: skip
        return {to: make(params[key]) for key, (to, make) in words.items() if key in params}

    def _rename(self, thing: Thing, to: str) -> None:
        if to in self.instances:
            raise refuse("DBInstanceAlreadyExists", f"{to} already exists")
        thing.facts["PendingModifiedValues"] = {"DBInstanceIdentifier": to}
        thing.begin(Stage("renaming", self.takes, lambda: self._renamed(thing, to)), Stage("rebooting", 1))

    def _renamed(self, thing: Thing, to: str) -> None:
        name = thing.facts["DBInstanceIdentifier"]
        self.instances[to] = self.instances.pop(name)
        thing.facts |= {"DBInstanceIdentifier": to, "PendingModifiedValues": {}, "DBInstanceArn": self.arn(f"db:{to}")}
        thing.facts["Endpoint"] = self._endpoint(to)
        for cluster in self.clusters.values():
            for member in cluster.facts["DBClusterMembers"]:
                if member["DBInstanceIdentifier"] == name:
                    member["DBInstanceIdentifier"] = to

    def _gone(self, thing: Thing) -> None:
        name = thing.facts["DBInstanceIdentifier"]
        self.instances.pop(name, None)
        for cluster in self.clusters.values():
            members = cluster.facts["DBClusterMembers"]
            members[:] = [one for one in members if one["DBInstanceIdentifier"] != name]

    def _snapshot(self, name: str, source: Thing, params: Params) -> Thing:
        copied = source.facts["TagList"] if source.facts["CopyTagsToSnapshot"] else []
        own = tags(params)
        taken = {one["Key"] for one in own}
        facts = {
            "DBSnapshotIdentifier": name, "DBInstanceIdentifier": source.facts["DBInstanceIdentifier"],
            "Engine": source.facts["Engine"], "EngineVersion": source.facts["EngineVersion"], "PercentProgress": 0,
            "AllocatedStorage": source.facts["AllocatedStorage"], "SnapshotType": "manual",
            "DBSnapshotArn": self.arn(f"snapshot:{name}"), "DbiResourceId": source.facts["DbiResourceId"],
            "TagList": [*own, *(one for one in copied if one["Key"] not in taken)],
        }  # fmt: skip
        thing = Thing(facts, "Status")
        if self.failing:
            self.failing, thing.rest = self.failing - 1, "failed"
        at_work = Stage("backing-up", 10**9)

        def done() -> None:
            facts["SnapshotCreateTime"] = datetime.now(UTC)
            source.stages[:] = [stage for stage in source.stages if stage is not at_work]

        source.begin(at_work)
        thing.begin(Stage("creating", self.takes, done))
        return thing
