"""CloudWatch: what a load balancer counts per target group, readings of databases and hosts, and alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Duration, Value
from .environment import Text
from .measures import Measure, Measuring

Period = Annotated[Duration, Field(gt=0, le=3600)]
"""Seconds: 1, 5, 10, 30 or whole minutes, as CloudWatch has them."""
TargetGroup = Annotated[str, Field(pattern=r"^(arn:[^\s'\"]+:)?targetgroup/[^\s/'\"]+/[0-9a-f]+$")]
"""``targetgroup/shop-blue/0a1b2c``, or the ARN that ends so."""
LoadBalancer = Annotated[str, Field(pattern=r"^(arn:[^\s'\"]+:loadbalancer/)?app/[^\s/'\"]+/[0-9a-f]+$")]
"""``app/shop/0a1b2c``, or the ARN that ends so."""


class TargetGroups(Value):
    """The target group of each color."""

    blue: TargetGroup
    green: TargetGroup


class DatabaseLevels(Value):
    """A database of RDS whose readings are looked at."""

    instance: Text
    """The identifier of the instance."""
    connections: Annotated[int, Field(ge=1)] | None = None
    """How many it allows (``max_connections``): ``pool`` is the share in use."""
    storage: Annotated[float, Field(gt=0)] | None = None
    """GiB that it was given; for ``disk``, the share in use. An instance of Aurora has none."""
    aurora: bool = False
    """Whether it is one of Aurora's, whose metrics have other names."""


class EcsLevels(Value):
    """Services of ECS whose readings are looked at."""

    cluster: Text
    """The cluster."""
    services: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Services in it, of both colors."""


class CloudWatchLevels(Value):
    """Readings of databases and hosts. The worst counts; what has no data is not watched."""

    databases: tuple[DatabaseLevels, ...] = ()
    """Databases of RDS."""
    instances: tuple[Annotated[str, Field(pattern=r"^i-[0-9a-f]+$")], ...] = ()
    """Instances of EC2."""
    groups: tuple[Text, ...] = ()
    """Auto Scaling groups: the average of their instances."""
    ecs: EcsLevels | None = None
    """Services of ECS."""
    agent: Text | None = None
    """The namespace of the CloudWatch agent (``CWAgent``), when memory and disk of ``instances`` are to be read."""

    @property
    def able(self) -> tuple[Measure, ...]:
        """What there is to read. A database of RDS has a processor, memory and disk of its own: those of its host."""
        hosts = self.databases or self.instances or self.groups or self.ecs
        return (*(("database",) if self.databases else ()), *(("hosts",) if hosts else ()))


class MetricsSettings(Measuring):
    """``metrics: {kind: cloudwatch}`` beside ``traffic: {kind: alb}``."""

    beside: ClassVar[tuple[str, ...]] = ("aws", "traffic")

    kind: Literal["cloudwatch"] = "cloudwatch"
    load_balancer: LoadBalancer | None = None
    """The load balancer; by default the one of ``traffic``."""
    target_groups: TargetGroups | None = None
    """The target group of each color; by default those of ``traffic``."""
    shared: bool = False
    """Whether other services have target groups behind the same load balancer."""
    period: Period = 60.0
    """Seconds of one data point."""
    lag: Annotated[Duration, Field(ge=0, le=3600)] = 120.0
    """Seconds until a data point is taken to be complete."""
    late: Annotated[Duration, Field(ge=0, le=86400)] | None = None
    """Seconds for which data points are read again, for what comes late; fifteen periods by default."""
    stale_after: Annotated[Duration, Field(gt=0, le=86400)] | None = None
    """Seconds without any data point after which nothing is known; five periods by default."""
    levels: CloudWatchLevels = CloudWatchLevels()

    @property
    def able(self) -> tuple[Measure, ...]:
        """Counts and latencies always; database and hosts as ``levels`` has them."""
        return (*self.can, *self.levels.able)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.period not in (1, 5, 10, 30) and self.period % 60:
            raise ValueError(f"period: CloudWatch has 1, 5, 10 and 30 s and whole minutes, not {self.period:g} s")
        if (self.load_balancer is None) != (self.target_groups is None):
            raise ValueError("`load_balancer` and `target_groups` belong together")
        if self.levels.agent is not None and not self.levels.instances:
            raise ValueError("levels.agent says whose memory and disk are read only with `levels.instances`")
        return self


class AlarmSettings(Value):
    """``alerts: {kind: cloudwatch, prefix: shop-}``, or ``{kind: cloudwatch, tags: {service: shop}}``."""

    beside: ClassVar[tuple[str, ...]] = ("aws",)

    kind: Literal["cloudwatch"] = "cloudwatch"
    prefix: Text | None = None
    """What the names of this service's alarms begin with."""
    tags: Mapping[Text, str] = {}
    """Tags that this service's alarms have, with these very values."""
    severity: Text | None = None
    """The tag that says how bad an alarm is. Without it, and where an alarm has none, it is critical."""
    critical: Annotated[tuple[str, ...], Field(min_length=1)] = ("critical", "page")
    """What that tag says when it is bad enough to take a release back; anything else warns."""
    warnings: tuple[Text, ...] = ()
    """Names of alarms that only warn, with ``*`` and ``?``: ``[shop-*-warn]``."""
    insufficient: Literal["warn", "missing", "ignore"] = "warn"
    """What an alarm means that has too little data to say anything: a warning, that nothing is known, or nothing."""

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if self.prefix is None and not self.tags:
            raise ValueError("say `prefix` or `tags`: which alarms are about this service")
        return self
