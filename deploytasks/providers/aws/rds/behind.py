"""What stays with the replaced database when another one takes its name: told, so that somebody sees to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ....errors import DeployError
from .api import Api
from .carrying import differences
from .clusters import members
from .sorts import Machine, Sort


def stays_behind(api: Api, sort: Sort, old: Machine, new: Machine) -> list[str]:
    """All that can be found out about it now, for people. ``new`` has the live name."""
    return [*_of_itself(old), *_around(api, old, new), *_otherwise(sort, old, new)]


def _of_itself(old: Machine) -> Iterator[str]:
    facts = old.facts
    for key in ("ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBClusterIdentifiers", "ReadReplicaIdentifiers"):
        for name in facts.get(key) or ():
            yield f"the read replica {name}: it follows {old.name}"
    if facts.get("MasterUserSecret"):
        yield (
            f"the password that Secrets Manager rotates: the restored database has the one of its snapshot, "
            f"and the secret belongs to {old.name}"
        )
    for role in facts.get("AssociatedRoles") or ():
        yield f"the role {role.get('RoleArn')} ({role.get('FeatureName') or 'any feature'})"
    for one in facts.get("DomainMemberships") or ():
        yield f"the membership in the domain {one.get('Domain')}"
    if facts.get("ActivityStreamStatus") in ("started", "starting"):
        yield "the database activity stream"
    if facts.get("GlobalClusterIdentifier"):
        yield f"the global database {facts['GlobalClusterIdentifier']}"
    if old.retention:
        yield f"points in time before the restore: they belong to {old.name}, and go with it"


def _around(api: Api, old: Machine, new: Machine) -> Iterator[str]:
    """What names the database elsewhere. What may not be looked at is said to be unknown."""
    names = {old.name, new.name, *members(old), *members(new)}
    for what, find in (("proxies", _proxies), ("event subscriptions", _subscriptions)):
        try:
            yield from find(api, names)
        except DeployError as error:
            yield f"{what}, which could not be looked at: {error.what}"


def _proxies(api: Api, names: set[str]) -> Sequence[str]:
    found = []
    for proxy in api.all("describe_db_proxies", "DBProxies", "list the proxies"):
        name = str(proxy["DBProxyName"])
        targets = api.all("describe_db_proxy_targets", "Targets", f"look at the proxy {name}", DBProxyName=name)
        if any(_is_of(one, names) for one in targets):
            found.append(f"the proxy {name}: register its targets again (`aws rds register-db-proxy-targets`)")
    return found


def _is_of(target: Any, names: set[str]) -> bool:
    return bool({target.get("RdsResourceId"), target.get("TrackedClusterId")} & names)


def _subscriptions(api: Api, names: set[str]) -> Sequence[str]:
    listed = api.all("describe_event_subscriptions", "EventSubscriptionsList", "list the event subscriptions")
    return [
        f"the event subscription {one.get('CustSubscriptionId')}: see whether it still names the right database"
        for one in listed
        if names & set(one.get("SourceIdsList") or ())
    ]


def _otherwise(sort: Sort, old: Machine, new: Machine) -> Iterator[str]:
    """What was to be carried over, and was not."""
    wanted, found = sort.wanted(old), sort.wanted(new)
    yield from differences({key: value for key, value in wanted.items() if key != "AvailabilityZone"}, found)
    pending = new.facts.get("PendingModifiedValues") or {}
    for key, value in sort.missing(old, new).items():
        if key not in pending:
            yield f"{key} {value}"
