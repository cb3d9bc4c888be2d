"""How databases and hosts are: the newest data point of each metric, and the worst of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..lists import pages
from ..session import client, translated
from .data import Query, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ....settings.cloudwatch import CloudWatchLevels, DatabaseLevels
    from ...site import Site

LOOK = 900.0
"""Seconds that a look goes back: instances without detailed monitoring have a data point every five minutes."""
_PERIOD = 60.0
_GIB = 1 << 30
_PERCENT = 0.01
_MILLISECONDS = 0.001
_BROKEN = 86400.0
"""Seconds for a replica that is not behind, but does not follow at all."""


class Source(NamedTuple):
    """A metric that says something about a level. ``what``: whose it is; ``read``: its value in our unit."""

    level: str
    what: str
    query: Query
    read: Callable[[float], float]


def wanted(levels: CloudWatchLevels) -> bool:
    """Whether anything is configured."""
    return bool(levels.databases or levels.instances or levels.groups or levels.ecs)


class Levels:
    """The readings that are configured. AWS is asked once a minute, for every metric that is asked for costs money, and
    once for which metrics an agent writes."""

    def __init__(self, settings: CloudWatchLevels, site: Site) -> None:
        self._settings, self._site = settings, site
        self._sources: Sequence[Source] | None = None
        self._minute = 0.0
        self._read: Mapping[str, float] = {}

    def read(self, now: float) -> Mapping[str, float]:
        """The worst of each level that has data. Raises ``Unreachable``."""
        if not wanted(self._settings) or now - now % _PERIOD == self._minute:
            return self._read
        if self._sources is None:
            self._sources = sources(self._settings, self._site)
        found: dict[str, float] = {}
        for source, value in read_sources(self._sources, self._site, now):
            if value is not None:
                found[source.level] = max(value, found.get(source.level, value))
        self._minute, self._read = now - now % _PERIOD, found
        return found


def read_sources(asked: Sequence[Source], site: Site, now: float) -> Iterator[tuple[Source, float | None]]:
    """Each metric's newest value; ``None``: it has none. Raises ``Unreachable``."""
    end = now - now % _PERIOD + _PERIOD
    points = fetch(site, list(dict.fromkeys(source.query for source in asked)), end - LOOK, end, _PERIOD)
    for source in asked:
        own = points[source.query]
        yield source, source.read(own[max(own)]) if own else None


def sources(levels: CloudWatchLevels, site: Site) -> list[Source]:
    """All that is configured. Asks CloudWatch which metrics its agent writes; raises ``Unreachable``."""
    found = [source for database in levels.databases for source in _of_database(database)]
    found += [_cpu("AWS/EC2", name, ("InstanceId", name)) for name in levels.instances]
    found += [_cpu("AWS/EC2", name, ("AutoScalingGroupName", name)) for name in levels.groups]
    if levels.ecs is not None:
        for name in levels.ecs.services:
            dimensions = ("ClusterName", levels.ecs.cluster), ("ServiceName", name)
            found.append(_cpu("AWS/ECS", name, *dimensions))
            query = Query("AWS/ECS", "MemoryUtilization", dimensions, "Average")
            found.append(Source("memory", name, query, _times(_PERCENT)))
    if levels.agent is not None:
        for name in levels.instances:
            found += _of_agent(levels.agent, name, site)
    return found


def _of_database(given: DatabaseLevels) -> Iterator[Source]:
    of = (("DBInstanceIdentifier", given.instance),)

    def source(level: str, metric: str, stat: str, read: Callable[[float], float]) -> Source:
        return Source(level, given.instance, Query("AWS/RDS", metric, of, stat), read)

    yield source("cpu", "CPUUtilization", "Average", _times(_PERCENT))
    if given.connections is not None:
        yield source("pool", "DatabaseConnections", "Maximum", _times(1 / given.connections))
    if given.aurora:
        yield source("replication_lag", "AuroraReplicaLag", "Maximum", _times(_MILLISECONDS))
        for metric in ("SelectLatency", "DMLLatency"):
            yield source("query_time", metric, "Average", _times(_MILLISECONDS))
        return
    yield source("replication_lag", "ReplicaLag", "Maximum", _lag)
    for metric in ("ReadLatency", "WriteLatency"):
        yield source("query_time", metric, "Average", _times(1.0))
    if given.storage is not None:
        yield source("disk", "FreeStorageSpace", "Minimum", _used(given.storage * _GIB))


def _of_agent(namespace: str, instance: str, site: Site) -> Iterator[Source]:
    """The agent gives its metrics more dimensions than the instance; which ones is its configuration's affair."""
    for level, metric in (("memory", "mem_used_percent"), ("disk", "disk_used_percent")):
        for dimensions in _written(namespace, metric, instance, site):
            where = dict(dimensions).get("path", "")
            yield Source(
                level, f"{instance} {where}".strip(), Query(namespace, metric, dimensions, "Average"), _times(_PERCENT)
            )


def _written(namespace: str, metric: str, instance: str, site: Site) -> Iterator[tuple[tuple[str, str], ...]]:
    asked: dict[str, Any] = {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": "InstanceId", "Value": instance}],
        "RecentlyActive": "PT3H",
    }
    with translated("list the metrics of the CloudWatch agent"):
        found = [each for page in pages(client("cloudwatch", site).list_metrics, **asked) for each in page["Metrics"]]
    for each in found:
        yield tuple(sorted((one["Name"], one["Value"]) for one in each["Dimensions"]))


def _cpu(namespace: str, what: str, *dimensions: tuple[str, str]) -> Source:
    return Source("cpu", what, Query(namespace, "CPUUtilization", dimensions, "Average"), _times(_PERCENT))


def _times(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor


def _lag(seconds: float) -> float:
    """A replica that does not replicate says -1."""
    return seconds if seconds >= 0 else _BROKEN


def _used(size: float) -> Callable[[float], float]:
    return lambda free: max(0.0, 1 - free / size)
