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
    """ARN of blue's target group, or ``targetgroup/NAME/ID``."""
    green: TargetGroup
    """The same, of green."""


class DatabaseLevels(Value):
    """A database of RDS whose readings are looked at."""

    instance: Text
    """The instance's identifier."""
    connections: Annotated[int, Field(ge=1)] | None = None
    """Its ``max_connections``: ``pool`` is the share in use."""
    storage: Annotated[float, Field(gt=0)] | None = None
    """GiB that it was given: ``disk`` is the share in use."""
    aurora: bool = False
    """Whether it is one of Aurora's, whose metrics have other names."""


class EcsLevels(Value):
    """Services of ECS whose readings are looked at."""

    cluster: Text
    """Their cluster."""
    services: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Their names."""


class CloudWatchLevels(Value):
    """Readings of databases and hosts. The worst counts; what has no data is not watched."""

    databases: tuple[DatabaseLevels, ...] = ()
    """Databases of RDS whose readings warn (``warn_when``)."""
    instances: tuple[Annotated[str, Field(pattern=r"^i-[0-9a-f]+$")], ...] = ()
    """Instances of EC2, for ``cpu``."""
    groups: tuple[Text, ...] = ()
    """Auto Scaling groups, for ``cpu``: the average of their instances."""
    ecs: EcsLevels | None = None
    """Services of ECS, for ``cpu`` and ``memory``."""
    agent: Text | None = None
    """The namespace of the CloudWatch agent (``CWAgent``): ``memory`` and ``disk`` of ``levels.instances``."""

    @property
    def able(self) -> tuple[Measure, ...]:
        """What there is to read. A database of RDS has a processor, memory and disk of its own: those of its host."""
        hosts = self.databases or self.instances or self.groups or self.ecs
        return (*(("database",) if self.databases else ()), *(("hosts",) if hosts else ()))


class MetricsSettings(Measuring):
    """``metrics: {kind: cloudwatch}`` beside ``traffic: {kind: alb}``."""

    means: ClassVar[dict[str, str]] = {
        "measures": (
            "What it gives, of several sources: `errors`, `latency`, `database`, `hosts`. By default all that it "
            "can: of the last two what `levels` has; processor, memory and disk of a database are among `hosts`."
        ),
    }

    beside: ClassVar[tuple[str, ...]] = ("aws", "traffic")

    kind: Literal["cloudwatch"] = "cloudwatch"
    load_balancer: LoadBalancer | None = None
    """ARN of the load balancer, or ``app/NAME/ID``; by default that of ``traffic: {kind: alb}``."""
    target_groups: TargetGroups | None = None
    """The target group of each color; by default those of ``traffic``. Belongs to ``load_balancer``."""
    shared: bool = False
    """Whether other services have target groups behind the same load balancer: its own errors may be theirs."""
    period: Period = 60.0
    """How long a data point lasts: 1, 5, 10, 30 seconds or whole minutes. A load balancer has none below a minute."""
    lag: Annotated[Duration, Field(ge=0, le=3600)] = 120.0
    """How long after its end a data point is taken to be complete. What happens shows after ``period`` and ``lag``."""
    late: Annotated[Duration, Field(ge=0, le=86400)] | None = None
    """For how long data points are read again, for what comes late; fifteen periods by default."""
    stale_after: Annotated[Duration, Field(gt=0, le=86400)] | None = None
    """How long there may be no data point at all before nothing is known; five periods by default."""
    levels: CloudWatchLevels = CloudWatchLevels()

    @property
    def shows_after(self) -> float:
        """A request shows when its period is over and complete."""
        return self.lag + self.period

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
    """Tags that they have: ``{service: library}``. At least one of both is needed; with both, both must hold."""
    severity: Text | None = None
    """The tag that says how bad an alarm is. An alarm without it is critical."""
    critical: Annotated[tuple[str, ...], Field(min_length=1)] = ("critical", "page")
    """What that tag says when a release must go back; anything else warns."""
    warnings: tuple[Text, ...] = ()
    """Names of alarms that only warn, with ``*`` and ``?``: ``[library-*-warn]``."""
    insufficient: Literal["warn", "missing", "ignore"] = "warn"
    """What an alarm with too little data means: ``warn``, a warning; ``missing``, that nothing is known; ``ignore``,
    nothing."""

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if self.prefix is None and not self.tags:
            raise ValueError("say `prefix` or `tags`: which alarms are about this service")
        return self
