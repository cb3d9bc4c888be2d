"""What the lab's balancer did, as an Application Load Balancer tells CloudWatch of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from .cloudwatch import Metric, Sample

if TYPE_CHECKING:
    from .elbv2 import ElasticLoadBalancing

NAMESPACE = "AWS/ApplicationELB"


class Answered(Protocol):
    """A request that was answered; ``balancer.Hit`` is one."""

    @property
    def at(self) -> float: ...
    @property
    def group(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def by_target(self) -> bool: ...


class Requests:
    """``cloudwatch.feed(Requests(balancer.hits, load_balancer_arn, elbv2))``: each request once, as all its metrics.

    With ``groups`` there is also, for each period, how many targets are registered: those are told of without any
    request. ``hits`` only grows.
    """

    def __init__(
        self,
        hits: Sequence[Answered],
        load_balancer: str,
        groups: ElasticLoadBalancing | None = None,
        *,
        period: float = 60.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._hits, self._balancer, self._groups = hits, suffix(load_balancer), groups
        self.period, self._now = period, now
        self._taken, self._told = 0, now() - now() % period

    def __call__(self) -> Iterable[Sample]:
        upto = len(self._hits)
        for hit in self._hits[self._taken : upto]:
            yield from samples(hit, self._balancer)
        self._taken = upto
        while self._groups is not None and self._told <= self._now():
            for arn, group in self._groups.groups.items():
                if group.targets:
                    yield _one("HealthyHostCount", arn, self._balancer, self._told, float(len(group.targets)))
            self._told += self.period


def samples(hit: Answered, balancer: str) -> Iterator[Sample]:
    """One request as an Application Load Balancer counts it: what found no target belongs to no group."""
    if not hit.by_target:
        family = hit.status // 100
        if family >= 4:
            yield _one(f"HTTPCode_ELB_{family}XX_Count", "", balancer, hit.at)
        if not hit.group:
            yield _one("HTTP_Fixed_Response_Count", "", balancer, hit.at)
        if not hit.group or hit.status == 503:
            return
    yield _one("RequestCount", hit.group, balancer, hit.at)
    if hit.by_target:
        yield _one(f"HTTPCode_Target_{hit.status // 100}XX_Count", hit.group, balancer, hit.at)
        yield _one("TargetResponseTime", hit.group, balancer, hit.at, hit.seconds)
    elif hit.status == 502:
        yield _one("TargetConnectionErrorCount", hit.group, balancer, hit.at)


def suffix(arn: str) -> str:
    """What CloudWatch calls a load balancer or a target group: ``app/shop/50dc6c495c0c9188``."""
    last = arn.rpartition(":")[2]
    return last.removeprefix("loadbalancer/")


def _one(name: str, group: str, balancer: str, at: float, value: float = 1.0) -> Sample:
    of_group = [("TargetGroup", suffix(group))] if group else []
    return Sample(Metric(NAMESPACE, name, frozenset([("LoadBalancer", balancer), *of_group])), at, value)
