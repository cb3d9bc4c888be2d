"""A listener with two colors, and a scheduler that can change it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lab.aws import Cloud
from lab.aws.elbv2 import ElasticLoadBalancing, forward
from lab.aws.scheduler import Scheduler
from lab.aws.standing import site_in

from deploytasks.errors import DeployError
from deploytasks.ports import Split
from deploytasks.providers.aws.alb.traffic import Traffic
from deploytasks.providers.aws.eventbridge import EventBridge
from deploytasks.settings.alb import TrafficSettings
from deploytasks.settings.eventbridge import EventBridgeSettings

if TYPE_CHECKING:
    from pathlib import Path

    from deploytasks.providers.site import Site

ROLE = "arn:aws:iam::123456789012:role/way-home"
MAY = frozenset({"elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"})
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:failed"
NAME = "deploytasks-shop-production"
BLUE = Split.all_on("blue", None, "settled:20260101-000000-before")
OLD, NOW, NEW = (f"2026112{day}-100000-abcdef" for day in (2, 3, 4))
"""Deployments, each newer than the one before."""


def stage(green: int, deployment: str = NOW) -> Split:
    """While a deployment is at work."""
    return Split.partly_on("green", green, "blue", f"deploy:{deployment}")


def home(deployment: str = NOW) -> Split:
    """Where its switch puts everything."""
    return Split.all_on("blue", None, f"deadman:{deployment}")


class House:
    """One environment: its listener or rule, and what EventBridge may do with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.elb = ElasticLoadBalancing()
        self.blue, self.green = (self.elb.group(f"shop-{color}", [("10.0.0.1", 80)]) for color in ("blue", "green"))
        self.listener = self.elb.listener(forward((self.blue, 100), (self.green, 0)))
        self.scheduler = Scheduler({"elasticloadbalancingv2": self.elb}, roles={ROLE: MAY})
        self.cloud = Cloud(self.elb, self.scheduler)
        self.place: dict[str, Any] = {"listener": self.listener}
        self._ends = ExitStack()

    @property
    def site(self) -> Site:
        """As whoever deploys has it."""
        groups = {"blue": self.blue, "green": self.green}
        given = {"public": "https://shop.example", "groups": groups, "up_within": 0, **self.place}
        return site_in(self.cloud, self.root, traffic=TrafficSettings.model_validate(given))

    @property
    def traffic(self) -> Traffic:
        """The balancer."""
        settings = self.site.sections["traffic"]
        assert isinstance(settings, TrafficSettings)
        return Traffic(settings, self.site)

    def switch(self, grace: float = 600, **named: Any) -> EventBridge:
        """As a new process opens it."""
        settings = EventBridgeSettings(kind="eventbridge", grace=grace, role_arn=ROLE, **named)
        found = EventBridge(settings, self.site)
        self._ends.callback(lambda: put_away(found))
        return found

    def set(self, split: Split) -> None:
        """Somebody shares traffic like this."""
        self.traffic.shift(split).perform(10)

    def out(self, grace: float = 600, green: int = 25, deployment: str = NOW) -> EventBridge:
        """A deployer that has armed and shifted."""
        self.set(Split.all_on("blue", "blue", f"deploy:{deployment}"))
        switch = self.switch(grace)
        switch.arm(deployment, home(deployment)).perform(10)
        self.set(stage(green, deployment))
        return switch

    @property
    def schedule(self) -> dict[str, Any]:
        """The one there is."""
        (found,) = self.scheduler.schedules.values()
        return found

    @property
    def weights(self) -> tuple[int, ...]:
        """Of blue and green."""
        return tuple(self.elb.weights(self.listener).values())

    @property
    def tags(self) -> dict[str, str]:
        """The switch's own."""
        names = ("deploytasks:home", "deploytasks:due")
        return {key: value for key, value in self.elb.tags[self.listener].items() if key in names}

    def pass_time(self, seconds: float) -> None:
        """It is later at AWS."""
        ahead = timedelta(seconds=seconds)
        self.scheduler.clock = lambda: datetime.now(UTC) + ahead

    def fired(self) -> None:
        """Wait until the schedule has gone off, with nobody acting."""
        until(lambda: self.scheduler.shots)

    def end(self) -> None:
        """No deployer beats any more."""
        self._ends.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    with found.cloud:
        found.set(BLUE)
        yield found
        found.end()


def put_away(switch: EventBridge) -> None:
    """No beat comes from it any more."""
    for batch in switch.stand_down():
        with suppress(DeployError):
            batch[0].perform(1)


def until(claim: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.02)
