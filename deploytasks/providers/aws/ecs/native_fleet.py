"""A fleet of one service, both colors of which ECS keeps apart."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Self

from ....errors import GateRefused, SplitMoved, Unreachable
from ....ports import COLORS, Call, Calls, Color, Finding, Health, Installed
from ....settings.ecs import EcsFleetSettings
from ....settings.handing import nearest
from ...site import Site
from . import handed, revision, settling
from .fleet import EcsFleet
from .health import health
from .native import Look, Native

_PAUSES = ("PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")
"""The first is entered before each step of LINEAR and CANARY."""
_MOST = 20160
"""Minutes that a pause may last: 14 days."""


class NativeFleet(EcsFleet):
    """What stands on a color is what ECS runs in its target group, or what was installed for it."""

    def __init__(self, settings: EcsFleetSettings, site: Site) -> None:
        super().__init__(settings, site)
        self._native = Native(site)
        self._is_there = True

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        del color
        return [self._native.name] if self._is_there else []

    def only(self, hosts: Collection[str]) -> Self:
        fewer = copy.copy(self)
        fewer._is_there = self._native.name in hosts  # noqa: SLF001  # our own
        return fewer

    # -- reading -------------------------------------------------------------

    def colors(self) -> Mapping[Color, Installed | None]:
        look = self._native.look()
        return {color: self._of(look, color) if self._is_there else None for color in COLORS}

    def installed(self, color: Color) -> Installed | None:
        return self._of(self._native.look(), color)

    def _of(self, look: Look, color: Color) -> Installed | None:
        given = look.given(color)
        if given is None:
            return None
        _, said = self._ecs.definition(given)
        wanted, running = self._counted(look, color)
        well = wanted > 0 and running >= wanted
        return revision.installed(said, given.rpartition("/")[2], running=well, partly=running > 0)

    def _counted(self, look: Look, color: Color) -> tuple[int, int]:
        """How many tasks of a color are wanted, and run."""
        of, service = look.deployment, look.service
        wanted, running = int(service["desiredCount"]), int(service["runningCount"])
        if of is None or not (of.is_at_work or of.status in handed.GOING_BACK):
            return (wanted, running) if look.live and look.live.color == color else (0, 0)
        if of.target.color == color:
            return of.wanted, of.running
        return wanted, max(0, running - of.running)

    def health(self, color: Color) -> Health:
        look = self._native.look()
        wanted, running = self._counted(look, color)
        group = getattr(self._native.traffic.groups, color)
        seen = {
            **look.service,
            "desiredCount": wanted,
            "runningCount": running,
            "loadBalancers": [{"targetGroupArn": group}],
        }
        return health(self._settings, self._site, seen, self.address(color))

    # -- writing -------------------------------------------------------------

    def _service(self, color: Color) -> Mapping[str, Any]:
        """The service, with the tag ``current`` of a color."""
        look = self._native.look()
        tags = [*(look.service.get("tags") or ()), {"key": "deploytasks:current", "value": look.given(color) or "none"}]
        return {**look.service, "tags": [one for one in tags if one["key"] != "deploytasks:current"] + tags[-1:]}

    def _services(self) -> Mapping[str, Mapping[str, Any]]:
        return {self._native.name: self._ecs.service(self._native.name)}

    def _start(self, color: Color, timeout: float) -> None:
        """What ECS has in production gets its tasks back. Anything else comes to users by a deployment of ECS."""
        del timeout
        look = self._native.look()
        if look.live is None or look.live.color != color:
            raise GateRefused(f"{color} is not what ECS has in production", do="`inv deploy` hands a release to it")
        count = max(self._settings.count, int(look.service["desiredCount"]))
        if int(look.service["desiredCount"]) != count:
            name = self._native.name
            self._ecs.ask(f"start {name}", "update_service", service=name, desiredCount=count)
        settling.stable(self._ecs, self._native.name, self._settings.start_within, partial(self._ill, color))

    def _note(self, service: Mapping[str, Any], color: Color, current: str) -> None:
        self._ecs.tag(service, **{f"current-{color}": current})

    def begin(self, color: Color, stages: Sequence[int], patience: float) -> Calls:
        """Hand a color's release to ECS, with a pause before each step and one before the end. Done when its tasks are
        healthy, and ECS waits at the first pause. A pause that nobody releases within ``patience`` seconds takes the
        deployment back: no deployer is needed for that."""
        how = self._configuration(stages, patience)
        shown = ", ".join(f"{share} %" for share in nearest(stages).stages)
        text = (
            f"{self._native.name}: hand its release for {color} to ECS, {how['strategy']} by {shown}, a pause before "
            f"each step; taken back after {how['lifecycleHooks'][0]['timeoutConfiguration']['timeoutInMinutes']} "
            "minutes without an answer"
        )
        return [[Call(text, partial(self._begin, color, how), self._native.name)]]

    def _configuration(self, stages: Sequence[int], patience: float) -> dict[str, Any]:
        given = nearest(stages)
        minutes = min(_MOST, max(1, math.ceil(patience / 60)))
        how: dict[str, Any] = {
            "strategy": given.strategy,
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "bakeTimeInMinutes": 0,
            "lifecycleHooks": [
                {
                    "targetType": "PAUSE",
                    "lifecycleStages": list(_PAUSES),
                    "timeoutConfiguration": {"timeoutInMinutes": minutes, "action": "ROLLBACK"},
                }
            ],
        }
        if given.strategy == "LINEAR":
            how["linearConfiguration"] = {"stepPercent": float(given.percent), "stepBakeTimeInMinutes": 0}
        if given.strategy == "CANARY":
            how["canaryConfiguration"] = {"canaryPercent": float(given.percent), "canaryBakeTimeInMinutes": 0}
        if self._native.traffic.alarms:
            how["alarms"] = {"alarmNames": list(self._native.traffic.alarms), "enable": True, "rollback": True}
        return how

    def _begin(self, color: Color, how: Mapping[str, Any], timeout: float) -> None:
        del timeout
        look = self._native.look()
        current = look.given(color)
        if current is None:
            raise GateRefused(f"no release is current on {color}", do="`inv install` first")
        of = look.deployment
        if of is None or not of.is_at_work or of.target.definition != current:
            self._hand(look, color, current, how)
        self._until_paused(color, current)

    def _hand(self, look: Look, color: Color, current: str, how: Mapping[str, Any]) -> None:
        of = look.deployment
        if of is not None and (of.is_at_work or of.status in handed.GOING_BACK):
            raise GateRefused(
                f"a service deployment of {self._native.name} is under way: {of.status}",
                state="nothing was changed",
                do="wait for its end; `inv rollback --reason …` has it taken back",
            )
        if look.live is None or look.live.color == color:
            raise GateRefused(f"{color} is what ECS has in production", do="a release goes to the other color")
        self._ecs.ask(
            f"hand the release to {self._native.name}",
            "update_service",
            service=self._native.name,
            taskDefinition=current,
            desiredCount=max(self._settings.count, int(look.service["desiredCount"])),
            deploymentConfiguration=how,
            **({"forceNewDeployment": True} if look.live.definition == current else {}),
        )

    def _until_paused(self, color: Color, current: str) -> None:
        """Wait until its tasks run, and ECS waits for us."""

        def is_paused(look: Look) -> bool:
            of = look.deployment
            if of is None or of.target.definition != current:
                return False
            problem = handed.problem(of, current)
            if problem is None:
                return of.hook is not None and (of.share > 0 or self.health(color).healthy)
            if isinstance(problem, SplitMoved):
                raise problem
            raise Unreachable(f"{self._native.name} does not start: {settling.why(self._ecs, look.service)}")

        self._native.follow(self._settings.start_within, "has started it", is_paused)

    def stop(self, color: Color) -> Calls:
        """Have ECS take back what it has under way for a color, and wait for its end. What is live stays."""
        text = f"{self._native.name}: have ECS take back what it has under way for {color}"
        return [[Call(text, partial(self._stop, color), self._native.name)]]

    def _stop(self, color: Color, timeout: float) -> None:
        del timeout
        of = self._native.look().deployment
        if of is None or of.target.color != color or of.status in handed.OVER:
            return
        if of.is_at_work:
            self._native.take_back(of)

        def is_over(look: Look) -> bool:
            now = look.deployment
            if now is not None and now.arn == of.arn and now.status == "ROLLBACK_FAILED":
                raise handed.problem(now, None) or Unreachable("ECS could not take it back")
            return now is None or now.arn != of.arn or now.status in handed.OVER

        self._native.follow(self._settings.stop_within, "has taken it back", is_over)

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosing import diagnose

        return diagnose(self._ecs, [self._native.name], self._settings.container, by_ecs=True)
