"""One service of the lab that ECS rolls out, and a world whose traffic and fleet it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import memory

from deploytasks import plans
from deploytasks.engine.plan import new_deployment
from deploytasks.ports import Release
from deploytasks.providers.aws.ecs.native_fleet import NativeFleet
from deploytasks.providers.aws.ecs.native_traffic import NativeTraffic
from deploytasks.settings.ecs import EcsFleetSettings
from deploytasks.settings.ecs_traffic import EcsTrafficSettings
from deploytasks.world import World

from .ecs_place import Place, release
from .images import HOST
from .standing import site_in

__all__ = ["NativePlace", "new_deployment", "plans"]
SHORT = {
    "stages": [50, 100],
    "watch": "2s",
    "bake": "1s",
    "baseline": "1s",
    "poll": "1s",
    "hold": "2s",
    "rule": "threshold",
}
"""Seconds of the world's clock, which nobody waits for."""


class NativePlace:
    """``1.0.0`` is in production, as blue."""

    def __init__(self, place: Place) -> None:
        self.place, self.cloud, self.ecs = place, place.cloud, place.ecs
        balancer = place.cloud["elbv2"]
        self.balancer = balancer
        self.groups = {color: balancer.group(f"shop-{color}", [("10.0.0.1", 80)]) for color in ("blue", "green")}
        listener = balancer.listener(self.groups["blue"])
        self.rule = balancer.rule(listener, 10, self._shares())
        place.define("shop")
        advanced = {
            "alternateTargetGroupArn": self.groups["green"],
            "productionListenerRule": self.rule,
            "roleArn": "arn:aws:iam::123456789012:role/ecs",
        }
        one = {
            "targetGroupArn": self.groups["blue"],
            "containerName": "web",
            "containerPort": 80,
            "advancedConfiguration": advanced,
        }
        how = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
        place.serve("shop", desiredCount=1, loadBalancers=[one], deploymentConfiguration=how)
        for _ in range(2):  # its task starts, and runs
            self.ecs.pass_by()

    def _shares(self) -> dict[str, Any]:
        groups = [
            {"TargetGroupArn": self.groups["blue"], "Weight": 100},
            {"TargetGroupArn": self.groups["green"], "Weight": 0},
        ]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}

    @property
    def deployment(self) -> Any:
        """The newest service deployment."""
        return self.ecs.standing["shop", "shop"].native.deployments[0]

    def world(self, folder: Path, **changes: Any) -> World:
        """The environment, with a clock that nobody waits for; numbers follow the balancer's real weights."""
        base = memory.settings(**{**SHORT, "strategy": "stages", **changes.pop("rollout", {})})
        fleet = EcsFleetSettings.model_validate(
            {
                "cluster": "shop",
                "services": {"blue": "shop", "green": "shop"},
                "image": f"{HOST}/shop:{{version}}",
                "addresses": {"blue": self.place.page, "green": self.place.page},
                "poll": 0.02,
                "start_within": 5,
                "stop_within": 5,
            }
        )
        traffic = EcsTrafficSettings.model_validate(
            {"public": self.place.page, "groups": self.groups, "shift_within": 5, "end_within": 5, **changes}
        )
        sections = {**base.sections, "fleet": fleet, "traffic": traffic}
        for unused in ("aws", "deadman", "database"):
            sections.pop(unused, None)
        settings = replace(base, strategy="ecs-native", sections=sections)
        site = site_in(self.cloud, folder, "test", **sections)
        state = memory.State(folder / "state.json")
        store = memory.DirectoryStore(memory.DirectorySettings(path=str(folder / "ledger")), site)
        ports = memory.FakePorts(state, store)
        ports.sections |= {"traffic": NativeTraffic(traffic, site), "fleet": NativeFleet(fleet, site)}
        for unused in ("deadman", "database"):
            ports.sections.pop(unused)
        clock = _Clock(state, self)
        return World(settings, site, ports=ports, clock=clock, listeners=(memory.Teller(),))

    def push(self, version: str = "1.4.2", **facts: Any) -> Release:
        self.place.push(version, **facts)
        return release(version, (version.replace(".", "") * 32)[:64])


class _Clock(memory.VirtualClock):
    def __init__(self, state: memory.State, place: NativePlace) -> None:
        super().__init__(state)
        self._of, self._place = state, place

    def sleep(self, seconds: float) -> None:
        weights = self._place.balancer.weights(self._place.rule)
        blue, green = weights.get("shop-blue", 0), weights.get("shop-green", 0)
        if self._of.read()["split"][:2] != [blue, green]:
            self._of.change(split=[blue, green, None, None])
        super().sleep(seconds)
