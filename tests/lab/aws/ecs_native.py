"""Service deployments of the lab's ECS: what ``strategy`` BLUE_GREEN, LINEAR or CANARY makes of an update.

A deployment goes through its stages as far as it can whenever somebody asks. It waits at pauses, for its tasks, and for
its bake; ``minute`` is how many seconds the lab has in one.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .ecs_tasks import new_id, now
from .service import AwsError, Params, Service

OVER = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
STRATEGIES = ("BLUE_GREEN", "LINEAR", "CANARY")
PAUSES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)


@dataclass
class Revision:
    """A service revision. ``group``: the target group its tasks are in; ``rollout``: what its tasks were started by."""

    arn: str
    definition: str
    group: str
    rollout: str


@dataclass
class Deployment:
    """A service deployment on its way."""

    arn: str
    source: Revision
    target: Revision
    how: dict[str, Any]
    path: list[tuple[str, float | None]]
    status: str = "PENDING"
    why: str = ""
    at: int = 0
    share: float = 0.0
    since: float = field(default_factory=time.monotonic)
    hooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    alarmed: list[str] = field(default_factory=list)

    @property
    def stage(self) -> str:
        return self.path[min(self.at, len(self.path) - 1)][0]


@dataclass
class Native:
    """What such a service has beside others. ``live``: the revision in production."""

    live: Revision
    deployments: list[Deployment] = field(default_factory=list)


def steps(how: dict[str, Any]) -> list[float]:
    """The shares of the new revision, one after the other."""
    if how["strategy"] == "CANARY":
        share = how.get("canaryConfiguration", {}).get("canaryPercent", 5.0)
        return [share, 100.0] if share < 100 else [100.0]
    if how["strategy"] == "LINEAR":
        step = how.get("linearConfiguration", {}).get("stepPercent", 10.0)
        return [min(100.0, step * at) for at in range(1, math.ceil(100 / step) + 1)]
    return [100.0]


def path(how: dict[str, Any]) -> list[tuple[str, float | None]]:
    """The stages with the share that each leads to."""
    before = ["PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT"]
    found: list[tuple[str, float | None]] = [(name, None) for name in before]
    for share in steps(how):
        found += [("PRE_PRODUCTION_TRAFFIC_SHIFT", None), ("PRODUCTION_TRAFFIC_SHIFT", share)]
    return [*found, ("POST_PRODUCTION_TRAFFIC_SHIFT", None), ("BAKE_TIME", None), ("CLEAN_UP", None)]


class NativeDeployments(Service):
    """What ``Containers`` knows about them."""

    balancer: Any
    standing: dict[tuple[str, str], Any]
    minute = 0.0
    firing: tuple[str, ...] = ()
    """Alarms that fire."""
    cannot_go_back = False

    def born(self, service: Any) -> None:
        """A service of such a strategy has a revision in production from the beginning."""
        how = service.facts["deploymentConfiguration"]
        if how.get("strategy", "ROLLING") in STRATEGIES:
            self.check_configuration(how, None, service)
            group = service.facts["loadBalancers"][0]["targetGroupArn"]
            service.native = Native(
                self._revision(service, service.rollouts[0].definition, group, service.rollouts[0].id)
            )
            service.rollouts[0].state = "COMPLETED"

    def _revision(self, service: Any, definition: str, group: str, rollout: str) -> Revision:
        arn = self.arn(f"service-revision/{service.cluster}/{service.name}/{new_id()[:19]}")
        return Revision(arn, definition, group, rollout)

    def check_configuration(self, given: dict[str, Any], balancers: Any, service: Any) -> None:
        """What ECS refuses."""
        strategy = given.get("strategy", "ROLLING")
        own = balancers or service.facts["loadBalancers"]
        if strategy in STRATEGIES and not (
            own and own[0].get("advancedConfiguration", {}).get("productionListenerRule")
        ):
            raise AwsError("InvalidParameterException", "advancedConfiguration is required for this strategy")
        if strategy == "BLUE_GREEN" and "bakeTimeInMinutes" not in given:
            raise AwsError("InvalidParameterException", "bakeTimeInMinutes is required for BLUE_GREEN")
        if strategy != "ROLLING" and given.get("deploymentCircuitBreaker", {}).get("enable"):
            raise AwsError("InvalidParameterException", "the circuit breaker is for ROLLING only")
        step = given.get("linearConfiguration", {}).get("stepPercent", 10.0)
        canary = given.get("canaryConfiguration", {}).get("canaryPercent", 5.0)
        if not 3 <= step <= 100 or not 0.1 <= canary <= 100:
            raise AwsError("InvalidParameterException", "a percentage is out of range")
        for hook in given.get("lifecycleHooks", []):
            if hook.get("targetType", "AWS_LAMBDA") == "PAUSE" and set(hook.get("lifecycleStages", [])) - set(PAUSES):
                raise AwsError("InvalidParameterException", "PAUSE hooks are not supported at this stage")

    def begin_native(self, service: Any, definition: str) -> None:
        """An update begins a deployment; one that is under way is stopped by it."""
        native: Native = service.native
        for one in native.deployments:
            if one.status not in OVER:
                self._home(service, one)
                self._end_tasks(service, one.target)
                one.status, one.why = "STOPPED", "replaced by a newer service deployment"
        own = service.facts["loadBalancers"][0]
        groups = [own["targetGroupArn"], own["advancedConfiguration"]["alternateTargetGroupArn"]]
        group = groups[0] if native.live.group == groups[1] else groups[1]
        rollout = type(service.rollouts[0])(definition)
        target = self._revision(service, definition, group, rollout.id)
        how = dict(service.facts["deploymentConfiguration"])
        arn = self.arn(f"service-deployment/{service.cluster}/{service.name}/{new_id()[:19]}")
        service.rollouts.insert(0, rollout)
        native.deployments.insert(0, Deployment(arn, native.live, target, how, path(how)))

    # -- going on ------------------------------------------------------------------------------

    def go_on(self, service: Any) -> None:
        """As far as it can come now."""
        native: Native = service.native
        self._keep(service, native.live)
        one = native.deployments[0] if native.deployments else None
        if one is None or one.status in OVER:
            return
        if one.status == "PENDING":
            one.status = "IN_PROGRESS"
        alarms = one.how.get("alarms", {})
        fired = [name for name in alarms.get("alarmNames", []) if name in self.firing]
        if one.status == "IN_PROGRESS" and alarms.get("enable") and fired:
            one.alarmed, one.status, one.why = fired, "ROLLBACK_REQUESTED", "an alarm was triggered"
        while one.status == "IN_PROGRESS" and self._step(service, one):
            pass
        if one.status in ("ROLLBACK_REQUESTED", "STOP_REQUESTED"):
            self._go_back(service, one)

    def _keep(self, service: Any, revision: Revision) -> bool:
        """Start the tasks that a revision lacks; whether all of them run."""
        alive = self.of(service, revision.rollout)  # type: ignore[attr-defined]  # of Containers
        for _ in range(service.desired - len(alive)):
            self.start_one(service, revision.rollout, revision.definition, (revision.group,))  # type: ignore[attr-defined]  # of Containers
        return len(self.of(service, revision.rollout, "RUNNING")) >= service.desired  # type: ignore[attr-defined]  # of Containers

    def _step(self, service: Any, one: Deployment) -> bool:
        """Go through the stage it is at; ``False``: it waits there."""
        stage, share = one.path[one.at]
        if not self._released(one, stage):
            return False
        if stage == "SCALE_UP" and not self._keep(service, one.target):
            failed = next((each.failed for each in service.rollouts if each.id == one.target.rollout), 0)
            if failed >= 3:
                one.status, one.why = "ROLLBACK_REQUESTED", "tasks failed to start"
            return False
        if stage == "PRODUCTION_TRAFFIC_SHIFT" and share is not None:
            self._weigh(service, one, share)
        if stage == "BAKE_TIME" and time.monotonic() - one.since < one.how.get("bakeTimeInMinutes", 0) * self.minute:
            return False
        if stage == "CLEAN_UP":
            self._succeed(service, one)
            return False
        one.at += 1
        one.since = time.monotonic()
        return True

    def _released(self, one: Deployment, stage: str) -> bool:
        pauses = [
            hook for hook in one.how.get("lifecycleHooks", [])
            if hook.get("targetType") == "PAUSE" and stage in hook["lifecycleStages"]
        ]  # fmt: skip
        if not pauses:
            return True
        if one.at not in one.hooks:
            timeout = pauses[0].get("timeoutConfiguration", {})
            minutes = timeout.get("timeoutInMinutes", 1440)
            one.hooks[one.at] = {
                "hookId": f"ecs-pause-{new_id()}",
                "targetType": "PAUSE",
                "status": "AWAITING_ACTION",
                "expiresAt": now() + timedelta(minutes=minutes),
                "timeoutAction": timeout.get("action", "ROLLBACK"),
            }
        hook = one.hooks[one.at]
        if hook["status"] == "AWAITING_ACTION" and hook["expiresAt"] <= now():
            hook["status"] = "TIMED_OUT"
            if hook["timeoutAction"] == "ROLLBACK":
                one.status, one.why = "ROLLBACK_REQUESTED", "a lifecycle hook timed out"
        return hook["status"] == "SUCCEEDED" or (hook["status"] == "TIMED_OUT" and hook["timeoutAction"] == "CONTINUE")

    def _weigh(self, service: Any, one: Deployment, share: float) -> None:
        """ECS writes the rule, whatever is there."""
        one.share = share
        rule = service.facts["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"]
        if self.balancer is None:
            return
        weights = {one.source.group: round(100 - share), one.target.group: round(share)}
        action = {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
            },
        }
        with self.balancer.lock:
            self.balancer.modify_rule({"RuleArn": rule, "Actions": [action]})

    def _home(self, service: Any, one: Deployment) -> None:
        self._weigh(service, one, 0.0)

    def _end_tasks(self, service: Any, revision: Revision) -> None:
        for task in self.of(service, revision.rollout):  # type: ignore[attr-defined]  # of Containers
            self.scale_in(task)  # type: ignore[attr-defined]  # of Containers
        service.rollouts[:] = [each for each in service.rollouts if each.id != revision.rollout]

    def _succeed(self, service: Any, one: Deployment) -> None:
        self._end_tasks(service, one.source)
        service.native.live, one.status = one.target, "SUCCESSFUL"
        service.rollouts[0].state = "COMPLETED"

    def _go_back(self, service: Any, one: Deployment) -> None:
        if self.cannot_go_back:
            one.status, one.why = "ROLLBACK_FAILED", f"{one.why}; the listener rule cannot be changed"
            return
        self._home(service, one)
        self._end_tasks(service, one.target)
        one.status = "STOPPED" if one.status == "STOP_REQUESTED" else "ROLLBACK_SUCCESSFUL"

    # -- operations ----------------------------------------------------------------------------

    def _found(self, arn: str) -> tuple[Any, Deployment]:
        self.pass_by()  # type: ignore[attr-defined]  # of Containers
        for service in self.standing.values():
            for one in service.native.deployments if service.native else ():
                if one.arn == arn:
                    return service, one
        raise AwsError("ServiceDeploymentNotFoundException", "Service deployment not found.")

    def list_service_deployments(self, params: Params) -> Params:
        self.pass_by()  # type: ignore[attr-defined]  # of Containers
        service = self._service(params, params["service"])  # type: ignore[attr-defined]  # of Containers
        wanted = params.get("status")
        found = [
            {
                "serviceDeploymentArn": one.arn,
                "serviceArn": service.arn,
                "clusterArn": self.cluster_arn(service.cluster),  # type: ignore[attr-defined]  # of Containers
                "createdAt": one.created,
                "startedAt": one.created,
                "targetServiceRevisionArn": one.target.arn,
                "status": one.status,
                "statusReason": one.why,
            }
            for one in (service.native.deployments if service.native else ())
            if not wanted or one.status in wanted
        ]
        return {"serviceDeployments": found}

    def describe_service_deployments(self, params: Params) -> Params:
        there, gone = [], []
        for arn in params["serviceDeploymentArns"]:
            try:
                there.append(self._deployment(*self._found(arn)))
            except AwsError:
                gone.append({"arn": arn, "reason": "MISSING"})
        return {"serviceDeployments": there, "failures": gone}

    def _deployment(self, service: Any, one: Deployment) -> Params:
        def revision(of: Revision, share: float) -> Params:
            return {
                "arn": of.arn,
                "requestedTaskCount": service.desired,
                "runningTaskCount": len(self.of(service, of.rollout, "RUNNING")),  # type: ignore[attr-defined]  # of Containers
                "pendingTaskCount": len(self.of(service, of.rollout, "PENDING")),  # type: ignore[attr-defined]  # of Containers
                "requestedProductionTrafficWeight": share,
                "requestedTestTrafficWeight": 0.0,
            }

        told: Params = {
            "serviceDeploymentArn": one.arn,
            "serviceArn": service.arn,
            "clusterArn": self.cluster_arn(service.cluster),  # type: ignore[attr-defined]  # of Containers
            "createdAt": one.created,
            "status": one.status,
            "statusReason": one.why,
            "sourceServiceRevisions": [revision(one.source, 100.0 - one.share)],
            "targetServiceRevision": revision(one.target, one.share),
            "lifecycleHookDetails": list(one.hooks.values()),
            "deploymentConfiguration": one.how,
            "alarms": {
                "status": "TRIGGERED" if one.alarmed else "MONITORING",
                "alarmNames": one.how.get("alarms", {}).get("alarmNames", []),
                "triggeredAlarmNames": one.alarmed,
            },
        }
        if one.stage != "PRE_PRODUCTION_TRAFFIC_SHIFT":  # the model's list of stages does not have it
            told["lifecycleStage"] = one.stage
        if one.status.startswith("ROLLBACK"):
            told["rollback"] = {"reason": one.why, "serviceRevisionArn": one.source.arn}
        return told

    def describe_service_revisions(self, params: Params) -> Params:
        found: list[Params] = []
        for service in self.standing.values():
            if service.native is None:
                continue
            every = [service.native.live]
            for one in service.native.deployments:
                every += [one.source, one.target]
            told = {one.arn: one for one in every if one.arn in params["serviceRevisionArns"]}
            rule = service.facts["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"]
            found += [
                {
                    "serviceRevisionArn": one.arn,
                    "serviceArn": service.arn,
                    "taskDefinition": one.definition,
                    "resolvedConfiguration": {
                        "loadBalancers": [{"targetGroupArn": one.group, "productionListenerRule": rule}]
                    },
                }
                for one in told.values()
            ]
        return {"serviceRevisions": found, "failures": []}

    def stop_service_deployment(self, params: Params) -> Params:
        _, one = self._found(params["serviceDeploymentArn"])
        if one.status not in ("PENDING", "IN_PROGRESS"):
            raise AwsError("ConflictException", f"The service deployment is {one.status}.")
        back = params.get("stopType", "ROLLBACK") == "ROLLBACK"
        one.status, one.why = "ROLLBACK_REQUESTED" if back else "STOP_REQUESTED", "stopped by a request"
        return {"serviceDeploymentArn": one.arn}

    def continue_service_deployment(self, params: Params) -> Params:
        _, one = self._found(params["serviceDeploymentArn"])
        hook = next((each for each in one.hooks.values() if each["hookId"] == params["hookId"]), None)
        if hook is None or hook["status"] != "AWAITING_ACTION" or one.status != "IN_PROGRESS":
            raise AwsError("InvalidParameterException", "The lifecycle hook is not awaiting action.")
        if params.get("action", "CONTINUE") == "ROLLBACK":
            hook["status"], one.status, one.why = "FAILED", "ROLLBACK_REQUESTED", "a lifecycle hook was rolled back"
        else:
            hook["status"] = "SUCCEEDED"
        self.pass_by()  # type: ignore[attr-defined]  # of Containers
        return {"serviceDeploymentArn": one.arn}

    def native_facts(self, service: Any) -> dict[str, Any]:
        """What ``DescribeServices`` adds."""
        if service.native is None:
            return {}
        found: dict[str, Any] = {"currentServiceRevisions": [{"arn": service.native.live.arn}]}
        if service.native.deployments:
            found["currentServiceDeployment"] = service.native.deployments[0].arn
        return found
