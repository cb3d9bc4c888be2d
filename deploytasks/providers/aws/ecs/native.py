"""One service whose rollouts are ECS' own: what it is at, and what may be asked of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from ....errors import DeployError, Unreachable, UsageError
from ....ports import Color, Split
from ....settings.ecs import EcsFleetSettings
from ....settings.ecs_traffic import EcsTrafficSettings
from ...site import Site
from ..session import Known
from . import handed
from .asking import Ecs, tags_of
from .handed import Handed, Revision

_NONE = "none"
_KNOWN = {
    "ConflictException": Known(Unreachable, "it cannot be stopped any more: {said}", "`inv status`"),
    "ServiceDeploymentNotFoundException": Known(
        Unreachable, "ECS knows that service deployment no more: {said}", "`inv status` says what is live"
    ),
}


class Look(NamedTuple):
    """One look. ``deployment``: the newest one, if there ever was any; ``live``: what is in production when none is at
    work; ``noted``: our tags on the service."""

    service: Mapping[str, Any]
    deployment: Handed | None
    live: Revision | None
    noted: Mapping[str, str]

    @property
    def split(self) -> Split:
        """How traffic is shared."""
        way_back = cast("Color | None", self.noted.get("way_back", _NONE).replace(_NONE, "") or None)
        writer = self.noted.get("writer")
        if self.deployment is not None:
            return handed.split(self.deployment, way_back, writer)
        return Split.all_on(self.live.color if self.live else None, way_back, writer)

    def given(self, color: Color) -> str | None:
        """The revision that is a color's release: what it runs, or what was installed on it."""
        of = self.deployment
        if of is not None and (of.is_at_work or of.status in handed.GOING_BACK):
            runs = {one.color: one.definition for one in (of.home, of.target) if one}
        else:
            runs = {self.live.color: self.live.definition} if self.live else {}
        noted = self.noted.get(f"current-{color}", _NONE)
        return runs.get(color) or (None if noted == _NONE else noted)


class Native:
    """The service of a fleet that ECS rolls out."""

    def __init__(self, site: Site) -> None:
        fleet, traffic = site.sections.get("fleet"), site.sections.get("traffic")
        if not isinstance(fleet, EcsFleetSettings) or not isinstance(traffic, EcsTrafficSettings):
            raise UsageError(
                "`strategy: ecs-native` needs both `fleet: {kind: ecs}` and `traffic: {kind: ecs}`",
                do="see docs/ecs.md",
            )
        if not fleet.is_one_service:
            raise UsageError(
                "ECS moves the traffic of one service; `fleet.services` names two",
                do="say the same service for both colors, or let our stages move the traffic: `traffic: {kind: alb}`",
            )
        self.fleet, self.traffic, self.site = fleet, traffic, site
        self.name = fleet.services["blue"]
        self.ecs = Ecs(fleet, site, _KNOWN)
        self._known: dict[str, Revision] = {}
        """A revision never changes."""
        self.colors = {traffic.groups.blue: "blue", traffic.groups.green: "green"}

    # -- reading -------------------------------------------------------------

    def look(self) -> Look:
        """What it is at, in four requests; in three, where its revisions are known."""
        service = self.ecs.service(self.name)
        newest = self._newest()
        arns = [one["arn"] for one in service.get("currentServiceRevisions") or ()]
        if newest is not None:
            arns += [one["arn"] for one in newest.get("sourceServiceRevisions") or ()]
            arns.append(newest["targetServiceRevision"]["arn"])
        revisions = self._revisions(list(dict.fromkeys(arns)))
        of = handed.handed(newest, revisions) if newest is not None else None
        current = [revisions[one["arn"]] for one in service.get("currentServiceRevisions") or ()]
        live = current[0] if current else None
        if of is not None and of.status in handed.OVER:
            live = of.target if of.status == "SUCCESSFUL" else of.home or live
        return Look(service, of, live, tags_of(service))

    def _newest(self) -> Mapping[str, Any] | None:
        doing = f"list the service deployments of {self.name}"
        listed = self.ecs.ask(doing, "list_service_deployments", service=self.name)["serviceDeployments"]
        if not listed:
            return None
        newest = max(listed, key=lambda one: one["createdAt"])["serviceDeploymentArn"]
        answer = self.ecs.call(
            "describe a service deployment", "describe_service_deployments", serviceDeploymentArns=[newest]
        )
        found = answer["serviceDeployments"]
        return cast("Mapping[str, Any]", found[0]) if found else None

    def _revisions(self, arns: list[str]) -> Mapping[str, Revision]:
        new = [arn for arn in arns if arn not in self._known]
        if new:
            answer = self.ecs.call("describe service revisions", "describe_service_revisions", serviceRevisionArns=new)
            self._known |= {str(one["serviceRevisionArn"]): self._revision(one) for one in answer["serviceRevisions"]}
        return self._known

    def _revision(self, told: Mapping[str, Any]) -> Revision:
        balancers = (told.get("resolvedConfiguration") or {}).get("loadBalancers") or told.get("loadBalancers") or ()
        groups = [str(one.get("targetGroupArn", "")) for one in balancers]
        color = next((self.colors[group] for group in groups if group in self.colors), None)
        if color is None:
            raise UsageError(
                f"{self.name} is in the target group {groups[0] if groups else 'of nobody'}, which is no color's",
                do="mend `traffic.groups`: the service's target group and its alternate one",
            )
        return Revision(str(told["serviceRevisionArn"]), cast("Color", color), str(told["taskDefinition"]))

    # -- writing -------------------------------------------------------------

    def sign(self, look: Look, way_back: Color | None, writer: str | None) -> None:
        """Note who wrote the split, and where home is; what is noted already is not written."""
        new = {"way_back": way_back or _NONE, "writer": writer or _NONE}
        if any(look.noted.get(key) != value for key, value in new.items()):
            self.ecs.tag(look.service, **new)

    def release(self, of: Handed) -> None:
        """Let go of the pause that waits. One that somebody has released meanwhile is no mistake: a lost answer."""
        params = {"serviceDeploymentArn": of.arn, "hookId": of.hook, "action": "CONTINUE"}
        try:
            self.ecs.call("continue the service deployment", "continue_service_deployment", **params)
        except DeployError:
            now = self.look().deployment
            if now is None or now.arn != of.arn or now.hook == of.hook:
                raise

    def take_back(self, of: Handed) -> None:
        """Have ECS take it back. That it does already, or has, is no mistake."""
        try:
            self.ecs.call(
                "stop the service deployment",
                "stop_service_deployment",
                serviceDeploymentArn=of.arn,
                stopType="ROLLBACK",
            )
        except DeployError:
            now = self.look().deployment
            if now is not None and now.arn == of.arn and now.is_at_work:
                raise

    def follow(self, within: float, what: str, is_there: Callable[[Look], bool]) -> Look:
        """Look until it is there; a moment in which AWS is silent is none in which it fails. Raises ``Unreachable``
        when that takes too long."""
        until = time.monotonic() + within
        while True:
            try:
                look, state = self.look(), ""
            except Unreachable as error:
                look, state = None, error.what
            if look is not None and is_there(look):
                return look
            if time.monotonic() >= until:
                state = state or _described(look.deployment if look else None)
                raise Unreachable(f"ECS {what} not within {within:g} s: {state}", do="`inv status`, `inv doctor`")
            time.sleep(self.fleet.poll)


def _described(of: Handed | None) -> str:
    return f"it is {of.status}, {of.share} % on {of.target.color}" if of else "there is none"
