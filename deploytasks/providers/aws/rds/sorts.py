"""What an instance and a cluster have in common, for whoever copies, restores or renames one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from .names import DATABASE, NAME


class Machine(NamedTuple):
    """An instance or a cluster, as it is now."""

    name: str
    status: str
    tags: Mapping[str, str]
    host: str
    port: int
    pending: str
    """The name that it is about to get."""
    facts: Mapping[str, Any]
    """All that RDS says of it."""

    @property
    def restorable_to(self) -> datetime | None:
        """The latest point in time to which it can be restored."""
        found: datetime | None = self.facts.get("LatestRestorableTime")
        return found

    @property
    def retention(self) -> int:
        """Days for which automated backups are kept; 0: there are none."""
        return int(self.facts.get("BackupRetentionPeriod") or 0)


class Shot(NamedTuple):
    """A manual snapshot."""

    id: str
    of: str
    """What the database was called when it was made."""
    status: str
    percent: int
    at: datetime
    gib: int
    size: int
    """Bytes."""
    arn: str
    tags: Mapping[str, str]
    facts: Mapping[str, Any]

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], sort: str, tags: Mapping[str, str]) -> Shot:
        """``sort``: ``DB`` or ``DBCluster``, as the keys begin. One that is being made has no time yet."""
        gib = int(facts.get("AllocatedStorage") or 0)
        return cls(
            str(facts[f"{sort}SnapshotIdentifier"]),
            str(facts.get("DBInstanceIdentifier" if sort == "DB" else "DBClusterIdentifier") or ""),
            str(facts.get("Status") or ""),
            int(facts.get("PercentProgress") or 0),
            facts.get("SnapshotCreateTime") or datetime.now(UTC),
            gib,
            int(facts.get("FullSnapshotSizeInBytes") or 0) or gib * 2**30,
            str(facts.get(f"{sort}SnapshotArn") or ""),
            tags,
            facts,
        )

    @property
    def name(self) -> str:
        """What it is called here."""
        return self.tags.get(NAME) or self.id

    def is_ours(self, database: str) -> bool:
        """Whether we made it, of this database."""
        return self.tags.get(DATABASE) == database


class Source(NamedTuple):
    """What is restored: a snapshot, or what the live database was at a point in time."""

    shot: Shot | None
    at: datetime | None = None

    @property
    def shown(self) -> str:
        """For people."""
        return f"the snapshot {self.shot.id}" if self.shot else f"its content of {self.at:%Y-%m-%d %H:%M:%S} UTC"


class Sort(Protocol):
    """Instances, or clusters."""

    word: str
    """``instance`` or ``cluster``."""

    def find(self, *names: str) -> Mapping[str, Machine]:
        """Those of these names that are there."""

    def shots(self) -> Sequence[Shot]:
        """All manual snapshots of this sort in the region."""

    def shot(self, identifier: str) -> Shot | None:
        """One of them."""

    def shoot(self, name: str, identifier: str, tags: Mapping[str, str]) -> None:
        """Begin a snapshot."""

    def drop_shot(self, identifier: str) -> None:
        """Delete a snapshot; fine when it is gone."""

    def wanted(self, like: Machine) -> dict[str, Any]:
        """The parameters that make a restored one like this."""

    def from_shot(self, shot: Shot, new: str, wanted: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Begin to restore a snapshot."""

    def from_time(
        self, source: str, at: datetime, new: str, wanted: Mapping[str, Any], tags: Mapping[str, str]
    ) -> None:
        """Begin to restore a point in time."""

    def earliest(self, machine: Machine) -> datetime | None:
        """The earliest point in time to which it can be restored."""

    def missing(self, old: Machine, new: Machine) -> dict[str, Any]:
        """What must still be changed at a restored one."""

    def change(self, name: str, doing: str, **wanted: Any) -> None:
        """Change it at once."""

    def rename(self, name: str, to: str) -> None:
        """Begin to rename it; it restarts."""

    def remove(self, name: str) -> None:
        """Delete it without a last snapshot; fine when it is gone."""
