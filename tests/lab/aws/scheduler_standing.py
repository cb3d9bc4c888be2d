"""A deployer with a switch of EventBridge, for tours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploytasks.ports import Split
from deploytasks.providers.aws.eventbridge import EventBridge
from deploytasks.settings.alb import TrafficSettings
from deploytasks.settings.eventbridge import EventBridgeSettings

from .cloud import Cloud
from .elbv2 import ElasticLoadBalancing
from .scheduler import Scheduler
from .standing import site_in

ROLE = "arn:aws:iam::123456789012:role/shop-production-deadman"
HOME = Split.all_on("blue", None, "deadman:d-1")


@contextmanager
def armed(root: Path, grace: float, *, by_rule: bool = False) -> Iterator[tuple[EventBridge, Cloud]]:
    """A switch that is armed, and its cloud."""
    lab = ElasticLoadBalancing()
    groups = {color: lab.group(f"shop-{color}", [("10.0.0.1", 8001)]) for color in ("blue", "green")}
    listener = lab.listener(groups["blue"])
    place = {"rule": lab.rule(listener, 1, groups["blue"])} if by_rule else {"listener": listener}
    given = {"public": "https://shop.example", "groups": groups, **place}
    settings = EventBridgeSettings(kind="eventbridge", grace=grace, role_arn=ROLE)
    with Cloud(lab, Scheduler({"elasticloadbalancingv2": lab})) as cloud:
        switch = EventBridge(settings, site_in(cloud, root, traffic=TrafficSettings.model_validate(given)))
        switch.arm("d-1", HOME).perform(10)
        yield switch, cloud
        switch.disarm().perform(10)


def switched(root: Path) -> set[str]:
    """Armed, moved by a beat, looked at, disarmed."""
    with armed(root, 1.5) as (switch, cloud):

        def beaten() -> bool:
            switch.beat()
            return "UpdateSchedule" in cloud.operations()

        _until(beaten)
        switch.diagnose()
    return {f"{seen.service}:{seen.operation}" for seen in cloud.seen}


def gone_off(root: Path) -> set[str]:
    """What its role was used for, once nobody beats."""
    found: set[str] = set()
    for by_rule in (False, True):
        with armed(root, 600, by_rule=by_rule) as (_, cloud):
            lab = cloud["scheduler"]
            lab.clock = lambda: datetime.now(UTC) + timedelta(minutes=11)
            _until(lambda lab=lab: bool(lab.shots))  # type: ignore[misc]  # a default binds it
            found |= set(lab.done)
    return found


def _until(claim: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not claim():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.02)
