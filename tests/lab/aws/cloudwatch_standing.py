"""Where a provider of metrics stands: a CloudWatch whose clock the test holds, and what a load balancer tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from deploytasks.ports import Color
from deploytasks.providers.aws.cloudwatch import Metrics
from deploytasks.settings.alb import TargetGroups, TrafficSettings
from deploytasks.settings.cloudwatch import MetricsSettings

from .cloud import Cloud
from .cloudwatch import CloudWatch
from .cloudwatch_feeds import samples, suffix
from .standing import site_in

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
LOAD_BALANCER = f"{_ELB}:loadbalancer/app/shop/50dc6c495c0c9188"
GROUPS: dict[Color, str] = {
    "blue": f"{_ELB}:targetgroup/shop-blue/0a1b2c3d4e5f6071",
    "green": f"{_ELB}:targetgroup/shop-green/1a1b2c3d4e5f6072",
}


class Hit(NamedTuple):
    """A request that was answered."""

    at: float
    group: str
    status: int = 200
    seconds: float = 0.1
    by_target: bool = True


class World:
    """``at(90)``: ninety seconds after the start it is now."""

    def __init__(self, cloud: Cloud, root: Path) -> None:
        self.cloud, self.root = cloud, root
        self.lab: CloudWatch = cloud["cloudwatch"]
        self.lab.now = self.seconds
        self.now = START

    def seconds(self) -> float:
        """Unix time by the clock of the test."""
        return self.now.timestamp()

    def at(self, seconds: float) -> None:
        self.now = START + timedelta(seconds=seconds)

    def serve(
        self,
        color: Color | None,
        at: float,
        status: int = 200,
        seconds: float = 0.1,
        late: float | None = None,
        **more: Any,
    ) -> None:
        """One request, ``at`` seconds after the start; without a color, of none."""
        group = GROUPS[color] if color is not None else ""
        for sample in samples(Hit(START.timestamp() + at, group, status, seconds, **more), suffix(LOAD_BALANCER)):
            self.lab.observe(dict(sample.metric.dimensions), sample.metric.name, sample.value, sample.at, late=late)

    def have_targets(self, until: float) -> None:
        """Both groups have two targets, minute by minute."""
        for group in GROUPS.values():
            of = {"TargetGroup": suffix(group), "LoadBalancer": suffix(LOAD_BALANCER)}
            for minute in range(0, int(until), 60):
                self.lab.observe(of, "HealthyHostCount", 2, START.timestamp() + minute)

    def metrics(self, **given: Any) -> Metrics:
        traffic = TrafficSettings(
            public="https://shop.example",
            listener=f"{_ELB}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2",
            groups=TargetGroups(**GROUPS),
        )
        site = site_in(self.cloud, self.root, traffic=traffic)
        return Metrics(MetricsSettings(**given), site, now=lambda: self.now)
