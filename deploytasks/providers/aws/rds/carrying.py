"""What a restored database takes over from the one that it replaces, and what it cannot. Pure.

RDS gives a restored database the default security group and parameter group, and one zone, unless it is told otherwise.
What no restore takes is changed afterwards; what no change brings is lost, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Facts = Mapping[str, Any]
"""A database as RDS describes it."""

_COMMON = ("CopyTagsToSnapshot", "DeletionProtection", "NetworkType", "StorageType")
_INSTANCE = (
    *_COMMON,
    "DBInstanceClass",
    "MultiAZ",
    "PubliclyAccessible",
    "AutoMinorVersionUpgrade",
    "DedicatedLogVolume",
)
_MEMBER = (
    "DBInstanceClass", "Engine", "PubliclyAccessible", "AutoMinorVersionUpgrade", "PromotionTier",
    "PreferredMaintenanceWindow", "CACertificateIdentifier", "MonitoringInterval", "MonitoringRoleArn",
)  # fmt: skip
_LATER = ("BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow")
_INSTANCE_LATER = (*_LATER, "MonitoringInterval", "MonitoringRoleArn", "MaxAllocatedStorage", "DatabaseInsightsMode")
_LICENSED = ("oracle", "sqlserver", "custom-", "db2")
_FREE_CHOICE = 400
"""GiB from which the rate of gp3 volumes can be chosen."""


def instance(of: Facts) -> dict[str, Any]:
    """The parameters of a restore that make an instance like this one."""
    found = {
        **_same(of, _INSTANCE),
        "DBSubnetGroupName": (of.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "VpcSecurityGroupIds": groups(of),
        "DBParameterGroupName": parameter_group(of),
        "OptionGroupName": next((one["OptionGroupName"] for one in of.get("OptionGroupMemberships") or ()), None),
        "EnableIAMDatabaseAuthentication": of.get("IAMDatabaseAuthenticationEnabled"),
        "EnableCloudwatchLogsExports": list(of.get("EnabledCloudwatchLogsExports") or ()),
        "CACertificateIdentifier": of.get("CACertificateIdentifier"),
        "Port": (of.get("Endpoint") or {}).get("Port"),
        "ProcessorFeatures": list(of.get("ProcessorFeatures") or ()),
        "AvailabilityZone": None if of.get("MultiAZ") else of.get("AvailabilityZone"),
        "LicenseModel": of.get("LicenseModel") if str(of.get("Engine")).startswith(_LICENSED) else None,
        **_rate(of),
    }
    return _said(found)


def cluster(of: Facts) -> dict[str, Any]:
    """The parameters of a restore that make a cluster like this one."""
    scaling = of.get("ServerlessV2ScalingConfiguration") or {}
    found = {
        **_same(of, _COMMON),
        "DBSubnetGroupName": of.get("DBSubnetGroup"),
        "VpcSecurityGroupIds": groups(of),
        "DBClusterParameterGroupName": of.get("DBClusterParameterGroup"),
        "EnableIAMDatabaseAuthentication": of.get("IAMDatabaseAuthenticationEnabled"),
        "EnableCloudwatchLogsExports": list(of.get("EnabledCloudwatchLogsExports") or ()),
        "Port": of.get("Port"),
        "BacktrackWindow": of.get("BacktrackWindow"),
        "ServerlessV2ScalingConfiguration": _same(scaling, ("MinCapacity", "MaxCapacity", "SecondsUntilAutoPause")),
    }
    return _said(found)


def member(of: Facts) -> dict[str, Any]:
    """The parameters that create an instance of a cluster like this one."""
    return _said({**_same(of, _MEMBER), "DBParameterGroupName": parameter_group(of), **_insights(of, {})})


def later_for_instance(old: Facts, new: Facts) -> dict[str, Any]:
    """What must still be changed at a restored instance."""
    return {**_other(old, new, _INSTANCE_LATER), **_insights(old, new)}


def later_for_cluster(old: Facts, new: Facts) -> dict[str, Any]:
    """What must still be changed at a restored cluster."""
    return _other(old, new, _LATER)


def differences(wanted: Facts, found: Facts) -> Iterator[str]:
    """What a restored database has otherwise than it was told, for people."""
    for key, value in wanted.items():
        if key in found and found[key] != value:
            yield f"{key} is {_shown(found[key])}, not {_shown(value)}"


def described(wanted: Facts) -> str:
    """The part of it that people look for in a plan."""
    groups_of = ", ".join(wanted.get("VpcSecurityGroupIds") or ()) or "the default one"
    parameters = wanted.get("DBParameterGroupName") or wanted.get("DBClusterParameterGroupName") or "default"
    said = [
        str(wanted.get("DBInstanceClass") or ""),
        "" if "MultiAZ" not in wanted else "Multi-AZ" if wanted["MultiAZ"] else "Single-AZ",
        f"subnet group {wanted.get('DBSubnetGroupName', 'default')}",
        f"security group {groups_of}",
        f"parameter group {parameters}",
        f"deletion protection {'on' if wanted.get('DeletionProtection') else 'off'}",
    ]
    return ", ".join(one for one in said if one)


def groups(of: Facts) -> list[str]:
    """The ids of its security groups."""
    return [str(one["VpcSecurityGroupId"]) for one in of.get("VpcSecurityGroups") or ()]


def parameter_group(of: Facts) -> str | None:
    """The name of an instance's parameter group."""
    return next((str(one["DBParameterGroupName"]) for one in of.get("DBParameterGroups") or ()), None)


def _same(of: Facts, keys: Iterable[str]) -> dict[str, Any]:
    return {key: of[key] for key in keys if of.get(key) is not None}


def _other(old: Facts, new: Facts, keys: Iterable[str]) -> dict[str, Any]:
    return {key: old[key] for key in keys if old.get(key) is not None and old[key] != new.get(key)}


def _insights(old: Facts, new: Facts) -> dict[str, Any]:
    if not old.get("PerformanceInsightsEnabled") or new.get("PerformanceInsightsEnabled"):
        return {}
    keys = ("PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod")
    return {"EnablePerformanceInsights": True, **_same(old, keys)}


def _rate(of: Facts) -> dict[str, Any]:
    """Operations and bytes per second, where RDS lets one choose them."""
    kind, size = of.get("StorageType"), int(of.get("AllocatedStorage") or 0)
    if kind in ("io1", "io2"):
        return {"Iops": of.get("Iops")}
    if kind == "gp3" and size >= _FREE_CHOICE:
        return {"Iops": of.get("Iops"), "StorageThroughput": of.get("StorageThroughput")}
    return {}


def _said(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None and value not in ([], {})}


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
