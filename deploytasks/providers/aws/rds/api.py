"""RDS, asked: one door for every operation, and what its refusals mean."""

from __future__ import annotations

from typing import Any

from ....errors import DeployError, GateRefused, Unreachable, UsageError
from ...site import Site
from ..session import Known, client, translated


class Taken(GateRefused):
    """The name is in use."""


class Gone(UsageError):
    """Nothing of this name is there (any more)."""


class Unready(GateRefused):
    """Not in a state in which this can be done."""


_GROUP = "create it again, or choose another one for the database that is there; then restore again"
_KINDS: dict[str, tuple[type[DeployError], str, str]] = {
    "DBSnapshotAlreadyExists": (Taken, "a snapshot of this name is there already", "give it another name"),
    "DBInstanceAlreadyExists": (Taken, "an instance of this name is there already", "find out whose it is"),
    "DBClusterAlreadyExists": (Taken, "a cluster of this name is there already", "find out whose it is"),
    "InvalidDBInstanceState": (Unready, "the instance is not in a state for it", "wait until it is `available`"),
    "InvalidDBClusterState": (Unready, "the cluster is not in a state for it", "wait until it is `available`"),
    "InvalidDBSnapshotState": (Unready, "the snapshot is not in a state for it", "choose one that is `available`"),
    "InvalidDBClusterSnapshotState": (Unready, "the snapshot is not in a state for it", "choose an `available` one"),
    "SnapshotQuotaExceeded": (
        GateRefused, "the account has as many manual snapshots in this region as it may have",
        "lower `database.keep`, delete snapshots that nobody needs, or ask AWS for a higher quota",
    ),
    "InstanceQuotaExceeded": (
        GateRefused, "the account has as many instances in this region as it may have",
        "delete one that nobody needs, or ask AWS for a higher quota",
    ),
    "DBClusterQuotaExceeded": (
        GateRefused, "the account has as many clusters in this region as it may have",
        "delete one that nobody needs, or ask AWS for a higher quota",
    ),
    "StorageQuotaExceeded": (
        GateRefused, "the account has as much storage in this region as it may have", "ask AWS for a higher quota",
    ),
    "InsufficientDBInstanceCapacity": (
        Unreachable, "AWS has no room for an instance of this class there now", "try again later, or change its class",
    ),
    "InsufficientDBClusterCapacity": (
        Unreachable, "AWS has no room for a cluster there now", "try again later",
    ),
    "DBInstanceNotFound": (Gone, "there is no such instance", "check `database.instance`, and the region"),
    "DBClusterNotFound": (Gone, "there is no such cluster", "check `database.cluster`, and the region"),
    "DBSnapshotNotFound": (UsageError, "there is no such snapshot", "choose another one"),
    "DBClusterSnapshotNotFound": (UsageError, "there is no such snapshot", "choose another one"),
    "PointInTimeRestoreNotEnabled": (
        GateRefused, "it keeps no automated backups, so that there is no point in time to go back to",
        "restore a snapshot: `inv restore-database --backup NAME`",
    ),
    "KMSKeyNotAccessible": (
        GateRefused, "its encryption key cannot be used", "let the role that deploys use the KMS key",
    ),
    "InvalidRestore": (GateRefused, "it cannot be restored in this way", "AWS says why"),
    "DBParameterGroupNotFound": (GateRefused, "its parameter group is gone", _GROUP),
    "DBClusterParameterGroupNotFound": (GateRefused, "its parameter group is gone", _GROUP),
    "OptionGroupNotFound": (GateRefused, "its option group is gone", _GROUP),
    "DBSubnetGroupNotFound": (GateRefused, "its subnet group is gone", _GROUP),
    "DBSubnetGroupDoesNotCoverEnoughAZs": (GateRefused, "its subnet group covers too few zones", _GROUP),
}  # fmt: skip
"""The code, without the ``Fault`` that some end with → what it is here, what it means, and what to do."""
_SAME = {"DBClusterSnapshotAlreadyExists": "DBSnapshotAlreadyExists"}


class Api:
    """The client of RDS for one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def ask(self, operation: str, doing: str, *, state: str = "", **params: Any) -> Any:
        """What an operation answers; named as boto3 does. ``doing``: for people, as in "AWS did not …".

        Raises ``Taken``, ``Unready``, and what else the refusals mean; ``Unreachable`` for all others.
        """
        with translated(doing, _known(doing), state=state):
            return getattr(client("rds", self._site), operation)(**params)

    def all(self, operation: str, part: str, doing: str, **params: Any) -> list[Any]:
        """All pages of what an operation lists."""
        with translated(doing, _known(doing)):
            pages = client("rds", self._site).get_paginator(operation).paginate(**params)
            return [one for page in pages for one in page.get(part) or ()]


def _known(doing: str) -> dict[str, Known]:
    known = {code: Known(kind, f"cannot {doing}: {what}", do) for code, (kind, what, do) in _KINDS.items()}
    known |= {code: known[like] for code, like in _SAME.items()}
    return {**known, **{f"{code}Fault": one for code, one in known.items()}}
