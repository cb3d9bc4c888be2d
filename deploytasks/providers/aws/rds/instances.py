"""Database instances at RDS, and their snapshots."""

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


class Instances:
    """Those of one account and region. See ``Sort``."""

    word = "instance"

    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, *names: str) -> Mapping[str, Machine]:
        return self._found([{"Name": "db-instance-id", "Values": list(names)}], ", ".join(names)) if names else {}

    def all(self) -> Mapping[str, Machine]:
        """Every instance of the region."""
        return self._found([], "the instances")

    def shots(self) -> Sequence[Shot]:
        found = self._api.all("describe_db_snapshots", "DBSnapshots", "list the snapshots", SnapshotType="manual")
        return [_shot(one) for one in found]

    def shot(self, identifier: str) -> Shot | None:
        wanted = [{"Name": "db-snapshot-id", "Values": [identifier]}]
        found = self._api.all(
            "describe_db_snapshots", "DBSnapshots", f"look for the snapshot {identifier}", Filters=wanted
        )
        return _shot(found[0]) if found else None

    def shoot(self, name: str, identifier: str, tags: Mapping[str, str]) -> None:
        self._api.ask(
            "create_db_snapshot", f"make the snapshot {identifier} of {name}", state="the database is as it was",
            DBInstanceIdentifier=name, DBSnapshotIdentifier=identifier, Tags=as_list(tags),
        )  # fmt: skip

    def drop_shot(self, identifier: str) -> None:
        try:
            self._api.ask("delete_db_snapshot", f"delete the snapshot {identifier}", DBSnapshotIdentifier=identifier)
        except UsageError:
            return  # it is gone already

    def wanted(self, like: Machine) -> dict[str, Any]:
        return carrying.instance(like.facts)

    def from_shot(self, shot: Shot, new: str, wanted: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._api.ask(
            "restore_db_instance_from_db_snapshot", f"restore {shot.id} as {new}", state="the database is as it was",
            DBInstanceIdentifier=new, DBSnapshotIdentifier=shot.id, Tags=as_list(tags), **wanted,
        )  # fmt: skip

    def from_time(
        self, source: str, at: datetime, new: str, wanted: Mapping[str, Any], tags: Mapping[str, str]
    ) -> None:
        self._api.ask(
            "restore_db_instance_to_point_in_time", f"restore {source} of {at:%Y-%m-%d %H:%M:%S} UTC as {new}",
            state="the database is as it was",
            SourceDBInstanceIdentifier=source, TargetDBInstanceIdentifier=new, RestoreTime=at, Tags=as_list(tags),
            **wanted,
        )  # fmt: skip

    def earliest(self, machine: Machine) -> datetime | None:
        found = self._api.all(
            "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups", "look for automated backups",
            DbiResourceId=str(machine.facts.get("DbiResourceId")),
        )  # fmt: skip
        windows = [one.get("RestoreWindow") or {} for one in found]
        return min((window["EarliestTime"] for window in windows if "EarliestTime" in window), default=None)

    def missing(self, old: Machine, new: Machine) -> dict[str, Any]:
        return carrying.later_for_instance(old.facts, new.facts)

    def change(self, name: str, doing: str, **wanted: Any) -> None:
        self._api.ask("modify_db_instance", doing, DBInstanceIdentifier=name, ApplyImmediately=True, **wanted)

    def rename(self, name: str, to: str) -> None:
        self.change(name, f"rename the instance {name} to {to}", NewDBInstanceIdentifier=to)

    def create(self, name: str, cluster: str, wanted: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Begin to create an instance of a cluster."""
        self._api.ask(
            "create_db_instance", f"create {name} in {cluster}", state="the database is as it was",
            DBInstanceIdentifier=name, DBClusterIdentifier=cluster, Tags=as_list(tags), **wanted,
        )  # fmt: skip

    def remove(self, name: str) -> None:
        machine = self.find(name).get(name)
        if machine is None or machine.status == "deleting":
            return
        own: dict[str, Any] = {} if machine.facts.get("DBClusterIdentifier") else {"DeleteAutomatedBackups": True}
        self._api.ask("delete_db_instance", f"delete {name}", DBInstanceIdentifier=name, SkipFinalSnapshot=True, **own)

    def _found(self, filters: list[dict[str, Any]], what: str) -> Mapping[str, Machine]:
        own: dict[str, Any] = {"Filters": filters} if filters else {}
        found = self._api.all("describe_db_instances", "DBInstances", f"look at {what}", **own)
        return {str(one["DBInstanceIdentifier"]): _machine(one) for one in found}


def _machine(facts: Mapping[str, Any]) -> Machine:
    endpoint = facts.get("Endpoint") or {}
    return Machine(
        str(facts["DBInstanceIdentifier"]),
        str(facts.get("DBInstanceStatus") or ""),
        tags_of(facts.get("TagList")),
        str(endpoint.get("Address") or ""),
        int(endpoint.get("Port") or 0),
        str((facts.get("PendingModifiedValues") or {}).get("DBInstanceIdentifier") or ""),
        facts,
    )


def _shot(facts: Mapping[str, Any]) -> Shot:
    return Shot.from_facts(facts, "DB", tags_of(facts.get("TagList")))
