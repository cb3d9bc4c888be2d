"""Aurora clusters at RDS, and their snapshots. A restored one has no instances: those are created one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ....errors import UsageError
from ..lists import tags_of
from . import carrying
from .api import Api
from .names import as_list
from .sorts import Machine, Shot


class Clusters:
    """Those of one account and region. See ``Sort``."""

    word = "cluster"

    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, *names: str) -> Mapping[str, Machine]:
        wanted = [{"Name": "db-cluster-id", "Values": list(names)}]
        doing = f"look at {', '.join(names)}"
        found = self._api.all("describe_db_clusters", "DBClusters", doing, Filters=wanted) if names else []
        return {str(one["DBClusterIdentifier"]): _machine(one) for one in found}

    def shots(self) -> Sequence[Shot]:
        own = {"SnapshotType": "manual"}
        found = self._api.all("describe_db_cluster_snapshots", "DBClusterSnapshots", "list the snapshots", **own)
        return [_shot(one) for one in found]

    def shot(self, identifier: str) -> Shot | None:
        wanted = [{"Name": "db-cluster-snapshot-id", "Values": [identifier]}]
        doing = f"look for the snapshot {identifier}"
        found = self._api.all("describe_db_cluster_snapshots", "DBClusterSnapshots", doing, Filters=wanted)
        return _shot(found[0]) if found else None

    def shoot(self, name: str, identifier: str, tags: Mapping[str, str]) -> None:
        self._api.ask(
            "create_db_cluster_snapshot", f"make the snapshot {identifier} of {name}",
            state="the database is as it was",
            DBClusterIdentifier=name, DBClusterSnapshotIdentifier=identifier, Tags=as_list(tags),
        )  # fmt: skip

    def drop_shot(self, identifier: str) -> None:
        doing = f"delete the snapshot {identifier}"
        try:
            self._api.ask("delete_db_cluster_snapshot", doing, DBClusterSnapshotIdentifier=identifier)
        except UsageError:
            return  # it is gone already

    def wanted(self, like: Machine) -> dict[str, Any]:
        return carrying.cluster(like.facts)

    def from_shot(self, shot: Shot, new: str, wanted: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        engine = {"Engine": shot.facts["Engine"], "EngineVersion": shot.facts.get("EngineVersion")}
        self._api.ask(
            "restore_db_cluster_from_snapshot", f"restore {shot.id} as {new}", state="the database is as it was",
            DBClusterIdentifier=new, SnapshotIdentifier=shot.id, Tags=as_list(tags),
            **{key: value for key, value in engine.items() if value}, **wanted,
        )  # fmt: skip

    def from_time(
        self, source: str, at: datetime, new: str, wanted: Mapping[str, Any], tags: Mapping[str, str]
    ) -> None:
        self._api.ask(
            "restore_db_cluster_to_point_in_time", f"restore {source} of {at:%Y-%m-%d %H:%M:%S} UTC as {new}",
            state="the database is as it was",
            SourceDBClusterIdentifier=source, DBClusterIdentifier=new, RestoreToTime=at, Tags=as_list(tags), **wanted,
        )  # fmt: skip

    def earliest(self, machine: Machine) -> datetime | None:
        found: datetime | None = machine.facts.get("EarliestRestorableTime")
        return found

    def missing(self, old: Machine, new: Machine) -> dict[str, Any]:
        return carrying.later_for_cluster(old.facts, new.facts)

    def change(self, name: str, doing: str, **wanted: Any) -> None:
        self._api.ask("modify_db_cluster", doing, DBClusterIdentifier=name, ApplyImmediately=True, **wanted)

    def rename(self, name: str, to: str) -> None:
        self.change(name, f"rename the cluster {name} to {to}", NewDBClusterIdentifier=to)

    def remove(self, name: str) -> None:
        machine = self.find(name).get(name)
        if machine is not None and machine.status != "deleting":
            self._api.ask("delete_db_cluster", f"delete {name}", DBClusterIdentifier=name, SkipFinalSnapshot=True)


def members(machine: Machine) -> Sequence[str]:
    """The names of its instances, the writer first."""
    listed = machine.facts.get("DBClusterMembers") or ()
    ordered = sorted(listed, key=lambda one: (not one.get("IsClusterWriter"), one.get("PromotionTier") or 1))
    return [str(one["DBInstanceIdentifier"]) for one in ordered]


def _machine(facts: Mapping[str, Any]) -> Machine:
    return Machine(
        str(facts["DBClusterIdentifier"]),
        str(facts.get("Status") or ""),
        tags_of(facts.get("TagList")),
        str(facts.get("Endpoint") or ""),
        int(facts.get("Port") or 0),
        str((facts.get("PendingModifiedValues") or {}).get("DBClusterIdentifier") or ""),
        facts,
    )


def _shot(facts: Mapping[str, Any]) -> Shot:
    return Shot.from_facts(facts, "DBCluster", tags_of(facts.get("TagList")))
