"""What ``doctor`` finds out about a database at RDS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ....errors import DeployError
from ....ports import Finding
from .api import Api
from .instances import Instances
from .names import REHEARSAL, RESTORE
from .snapshots import Snapshots
from .sorts import Machine, Sort
from .waiting import is_well

_LATE = timedelta(minutes=30)
"""RDS saves the log every five minutes: a point in time that lags this much says that something is wrong."""
_FULL = 0.9
"""Of a quota, or of the storage that an instance may grow to."""


def diagnose(api: Api, sort: Sort, instances: Instances, name: str, snapshots: Snapshots) -> Sequence[Finding]:
    """Its state, how far back one can go, its copies, and what restores have left."""
    try:
        machine = sort.find(name).get(name)
        if machine is None:
            do = f"check `database.{sort.word}`, `aws.region` and whose credentials are used"
            return [Finding("database", "fail", f"there is no {sort.word} {name}", do)]
        found = [*_state(sort, machine), *_points(machine), _copies(api, sort, snapshots), *_left(instances, name)]
        return [*found, *_maintenance(api, machine)]
    except DeployError as error:
        return [Finding("database", "fail", error.what, error.do)]


def waiting_actions(api: Api, machine: Machine) -> Sequence[tuple[datetime, str]]:
    """Maintenance that AWS will do by itself, and when, the nearest first. What has no date yet comes last."""
    arn = str(machine.facts.get("DBInstanceArn") or machine.facts.get("DBClusterArn") or "")
    listed = api.all(
        "describe_pending_maintenance_actions", "PendingMaintenanceActions", "look for pending maintenance",
        ResourceIdentifier=arn,
    ) if arn else []  # fmt: skip
    actions: list[Any] = [one for each in listed for one in each.get("PendingMaintenanceActionDetails") or ()]
    return sorted((one.get("CurrentApplyDate") or _NEVER, str(one.get("Action"))) for one in actions)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _state(sort: Sort, machine: Machine) -> Iterator[Finding]:
    facts = machine.facts
    shown = f"{sort.word} {machine.name}, {facts.get('Engine')} {facts.get('EngineVersion')}"
    if is_well(machine.status):
        yield Finding("database", "ok", f"{shown}, is {machine.status}")
    else:
        yield Finding("database", "warn", f"{shown}, is `{machine.status}`", "the RDS console says why")
    if not facts.get("DeletionProtection"):
        do = "turn it on: `aws rds modify-db-" + sort.word + " --deletion-protection …`"
        yield Finding("database deletion", "warn", "nothing protects it from being deleted", do)
    size, most = int(facts.get("AllocatedStorage") or 0), int(facts.get("MaxAllocatedStorage") or 0)
    if most and size >= _FULL * most:
        yield Finding(
            "database storage", "warn", f"{size} GiB of the {most} to which it may grow", "let it grow further"
        )


def _points(machine: Machine) -> Iterator[Finding]:
    if not machine.retention:
        yield Finding(
            "database points in time", "warn", "no automated backups are kept: only snapshots can be restored",
            "set a backup retention of 7 days or more",
        )  # fmt: skip
        return
    latest = machine.restorable_to
    if latest is None:
        yield Finding("database points in time", "warn", "none yet", "wait for the first automated backup")
        return
    late = datetime.now(UTC) - latest > _LATE
    detail = f"kept {machine.retention} days; up to {latest:%Y-%m-%d %H:%M} UTC"
    do = "the newest is old: the events of the database in the RDS console say why" if late else ""
    yield Finding("database points in time", "warn" if late else "ok", detail, do)


def _copies(api: Api, sort: Sort, snapshots: Snapshots) -> Finding:
    found = snapshots.found()
    newest = f"the newest {found[0].name} of {found[0].at:%Y-%m-%d %H:%M}" if found else "none yet"
    detail = f"{len(found)}, {newest}" if found else newest
    quota = "ManualSnapshots" if sort.word == "instance" else "ManualClusterSnapshots"
    listed = api.ask("describe_account_attributes", "read the quotas")["AccountQuotas"]
    for one in listed:
        used, most = int(one.get("Used") or 0), int(one.get("Max") or 0)
        if one.get("AccountQuotaName") == quota and most:
            detail += f"; the account has {used} of {most}"
            if used >= _FULL * most:
                do = "lower `database.keep`, delete some that nobody needs, or ask AWS for a higher quota"
                return Finding("database copies", "warn", detail, do)
    return Finding("database copies", "ok", detail)


def _left(instances: Instances, name: str) -> Iterator[Finding]:
    """What restores and rehearsals have left beside the database: it costs."""
    for machine in instances.all().values():
        is_ours = bool({RESTORE, REHEARSAL} & machine.tags.keys())
        base = machine.name.startswith((f"{name}-r", f"{name}-old-"))
        if base and (is_ours or "-old-" in machine.name):
            detail = f"{machine.name} ({machine.status}) stands beside it since a restore or a rehearsal"
            yield Finding("database leftovers", "warn", detail, "delete it once nobody needs it: it costs")


def _maintenance(api: Api, machine: Machine) -> Iterator[Finding]:
    if waits := waiting_actions(api, machine):
        do = "apply it in a quiet time, before AWS does: `aws rds apply-pending-maintenance-action …`"
        dated = [f"{action} after {at:%Y-%m-%d %H:%M} UTC" if at != _NEVER else action for at, action in waits]
        yield Finding("database maintenance", "warn", f"pending: {', '.join(dated)}", do)
