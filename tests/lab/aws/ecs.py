"""ECS: definitions with revisions, services that keep their tasks running, and tasks by themselves.

Time passes when somebody asks: each operation first lets tasks start, fail and end.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .ecs_native import Native, NativeDeployments
from .ecs_tasks import Task, new_id, now
from .images import Registry
from .logs import Logs
from .service import AwsError, Params

_KEPT = [
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "runtimePlatform",
    "ephemeralStorage",
]


@dataclass
class Rollout:
    """An entry of a service's ``deployments``."""

    definition: str
    id: str = field(default_factory=lambda: f"ecs-svc/{new_id()[:19]}")
    state: str = "IN_PROGRESS"
    why: str = ""
    failed: int = 0


@dataclass
class Standing:
    """One service."""

    name: str
    arn: str
    cluster: str
    desired: int
    facts: dict[str, Any]
    tags: dict[str, str]
    rollouts: list[Rollout]
    status: str = "ACTIVE"
    events: list[str] = field(default_factory=list)
    native: Native | None = None

    def say(self, text: str) -> None:
        self.events.insert(0, f"(service {self.name}) {text}")


class Containers(NativeDeployments):
    """``Containers(registry, logs, balancer)``; ``starts``: seconds until a task runs.

    ``balancer``: the lab's service ``elbv2``, where tasks are registered that run as processes.
    """

    name = "ecs"

    def __init__(
        self, registry: Registry, logs: Logs | None = None, balancer: Any = None, *, starts: float = 0.0
    ) -> None:
        super().__init__()
        self.registry, self.logs, self.balancer, self.starts = registry, logs, balancer, starts
        self.clusters: set[str] = set()
        self.definitions: dict[str, dict[str, Any]] = {}
        self.definition_tags: dict[str, dict[str, str]] = {}
        self.standing: dict[tuple[str, str], Standing] = {}
        self.tasks: dict[str, Task] = {}
        self.tokens: dict[str, list[str]] = {}
        self.most_definitions = 1_000_000
        self.is_full = False
        """No room for a task: ``RunTask`` answers with failures."""

    def close(self) -> None:
        for task in self.tasks.values():
            task.kill()

    # -- what happens by itself -------------------------------------------------------------

    def pass_by(self) -> None:
        """Let tasks and services come as far as they are by now."""
        for task in list(self.tasks.values()):
            self._live(task)
        for service in self.standing.values():
            if service.native is None:
                self._schedule(service)
            else:
                self.go_on(service)

    def _live(self, task: Task) -> None:
        if task.status == "PENDING" and time.monotonic() - task.since >= self.starts:
            self._begin(task)
        elif task.status == "RUNNING" and task.process is not None and task.process.poll() is not None:
            code, said = task.process.returncode, task.said()
            self._log(task, said)
            self._end(task, "Essential container in task exited", "EssentialContainerExited", code)
        elif task.status == "RUNNING" and task.image and task.image.is_sick and task.group.startswith("service:"):
            why = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:…)"
            self._end(task, why, "ServiceSchedulerInitiated")

    def _begin(self, task: Task) -> None:
        reference = task.main["image"]
        image = self.registry.find(reference)
        if image is None:
            why = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {reference}: not found"
            self._end(task, why, "TaskFailedToStart", why=why)
            return
        task.launch(image)
        if image.exit_code is not None and task.process is None:
            self._log(task, image.said)
            self._end(task, "Essential container in task exited", "EssentialContainerExited", image.exit_code)
        elif task.command and task.process is None:
            self._log(task, [f"ran {' '.join(task.command)}"])
            self._end(task, "Essential container in task exited", "EssentialContainerExited", 0)
        else:
            self._register(task)

    def _end(self, task: Task, reason: str, code: str, exit_code: int | None = None, why: str = "") -> None:
        self._deregister(task)
        task.end(reason, code, exit_code, why)
        if task.group.startswith("service:") and code != "UserInitiated" and not reason.startswith("Scaling"):
            for service in self.standing.values():
                for rollout in service.rollouts:
                    if rollout.id == task.started_by:
                        rollout.failed += 1
                        service.say(f"has stopped 1 running tasks: (task {task.id}). {reason}")

    def _log(self, task: Task, lines: Iterable[str]) -> None:
        options = (task.main.get("logConfiguration") or {}).get("options", {})
        if self.logs is not None and "awslogs-group" in options:
            stream = f"{options.get('awslogs-stream-prefix')}/{task.main['name']}/{task.id}"
            self.logs.put(options["awslogs-group"], stream, *lines)

    def _register(self, task: Task) -> None:
        if self.balancer is None or task.process is None or not task.targets:
            return
        with self.balancer.lock:
            for group in task.targets:
                self.balancer.register_targets(_target(group, task.port))

    def _deregister(self, task: Task) -> None:
        if self.balancer is None or task.process is None:
            return
        with self.balancer.lock:
            for group in task.targets:
                self.balancer.deregister_targets(_target(group, task.port))

    def of(self, service: Standing, rollout: str = "", *statuses: str) -> list[Task]:
        """A service's tasks that are not over."""
        return [
            task
            for task in self.tasks.values()
            if task.group == f"service:{service.name}"
            and task.cluster == self.cluster_arn(service.cluster)
            and task.status in (statuses or ("PENDING", "RUNNING"))
            and (not rollout or task.started_by == rollout)
        ]

    def start_one(self, service: Standing, rollout: str, definition: str, targets: tuple[str, ...]) -> Task:
        """One more task of a service."""
        arn = self.arn(f"task/{service.cluster}/{new_id()}")
        launch = service.facts.get("launchType", "FARGATE")
        task = Task(
            arn,
            self.cluster_arn(service.cluster),
            self.definitions[definition],
            f"service:{service.name}",
            rollout,
            launch_type=launch,
            targets=targets,
        )
        if service.facts["loadBalancers"]:
            task.container = service.facts["loadBalancers"][0]["containerName"]
        self.tasks[arn] = task
        return task

    def scale_in(self, task: Task) -> None:
        """A service stops one of its tasks."""
        self._end(task, f"Scaling activity initiated by (deployment {task.started_by})", "ServiceSchedulerInitiated")

    def _schedule(self, service: Standing) -> None:
        """A rolling service: new tasks first, then the old ones go."""
        primary = service.rollouts[0]
        groups = tuple(one["targetGroupArn"] for one in service.facts["loadBalancers"])
        breaker = service.facts["deploymentConfiguration"].get("deploymentCircuitBreaker", {})
        if breaker.get("enable") and primary.failed >= 3 and primary.state == "IN_PROGRESS":
            primary.state, primary.why = "FAILED", f"ECS deployment {primary.id} failed: tasks failed to start."
        alive = self.of(service, primary.id)
        if primary.state != "FAILED":
            for _ in range(service.desired - len(alive)):
                alive.append(self.start_one(service, primary.id, primary.definition, groups))
        for task in alive[service.desired :]:
            self.scale_in(task)
        running = self.of(service, primary.id, "RUNNING")
        if len(running) < service.desired or primary.state == "FAILED":
            return
        for rollout in service.rollouts[1:]:
            for task in self.of(service, rollout.id):
                self.scale_in(task)
        del service.rollouts[1:]
        if primary.state == "IN_PROGRESS":
            primary.state, primary.why = "COMPLETED", f"ECS deployment {primary.id} completed."
            service.say("has reached a steady state.")

    # -- clusters and definitions ---------------------------------------------------------------

    def cluster_arn(self, name: str) -> str:
        return self.arn(f"cluster/{name}")

    def _cluster(self, params: Params) -> str:
        name = str(params.get("cluster", "default")).rpartition("/")[2]
        if name not in self.clusters:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    def describe_clusters(self, params: Params) -> Params:
        found = [one.rpartition("/")[2] for one in params.get("clusters", ["default"])]
        there = [{"clusterArn": self.cluster_arn(one), "clusterName": one, "status": "ACTIVE"} for one in found]
        return {
            "clusters": [one for one in there if one["clusterName"] in self.clusters],
            "failures": [
                {"arn": self.cluster_arn(one), "reason": "MISSING"} for one in found if one not in self.clusters
            ],
        }

    def register_task_definition(self, params: Params) -> Params:
        family = params["family"]
        revision = 1 + sum(one["family"] == family for one in self.definitions.values())
        if len(self.definitions) >= self.most_definitions:
            raise AwsError("LimitExceededException", "The limit for the resource has been exceeded.")
        names = [one.get("name") for one in params["containerDefinitions"]]
        if not names or len(set(names)) != len(names) or any("image" not in o for o in params["containerDefinitions"]):
            raise AwsError("ClientException", "Container.image should not be null or empty.")
        arn = self.arn(f"task-definition/{family}:{revision}")
        kept = {key: params[key] for key in _KEPT if key in params}
        made = {
            **kept,
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "registeredAt": now(),
            "registeredBy": self.arn("user/ann", "iam"),
            "compatibilities": ["EC2", "FARGATE"],
            "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"}],
        }
        made["containerDefinitions"] = [
            {"cpu": 0, "portMappings": [], "essential": True, "environment": [], "mountPoints": [], **one}
            for one in made["containerDefinitions"]
        ]
        self.definitions[arn] = made
        self.definition_tags[arn] = {one["key"]: one["value"] for one in params.get("tags", [])}
        if any(key.startswith("aws:") for key in self.definition_tags[arn]):
            raise AwsError("InvalidParameterException", "aws: is a reserved prefix")
        return {"taskDefinition": made, "tags": self._tagged(self.definition_tags[arn])}

    def _definition(self, given: str) -> str:
        name = given.rpartition("/")[2]
        family, _, revision = name.partition(":")
        ours = [
            arn
            for arn, one in self.definitions.items()
            if one["family"] == family and (str(one["revision"]) == revision if revision else one["status"] == "ACTIVE")
        ]
        if not ours:
            raise AwsError("ClientException", "Unable to describe task definition.")
        return ours[-1]

    def describe_task_definition(self, params: Params) -> Params:
        arn = self._definition(params["taskDefinition"])
        tags = {"tags": self._tagged(self.definition_tags[arn])} if "TAGS" in params.get("include", []) else {}
        return {"taskDefinition": self.definitions[arn], **tags}

    def list_task_definitions(self, params: Params) -> Params:
        family, status = params.get("familyPrefix"), params.get("status", "ACTIVE")
        found = [
            arn
            for arn, one in self.definitions.items()
            if one["status"] == status and (not family or one["family"] == family)
        ]
        found = found[::-1] if params.get("sort") == "DESC" else found
        return self._page("taskDefinitionArns", found, params)

    def deregister_task_definition(self, params: Params) -> Params:
        if ":" not in params["taskDefinition"].rpartition("/")[2]:
            raise AwsError("InvalidParameterException", "a revision is needed")
        arn = self._definition(params["taskDefinition"])
        if self.definitions[arn]["status"] != "ACTIVE":
            raise AwsError("ClientException", "The specified task definition is inactive.")
        self.definitions[arn]["status"] = "INACTIVE"
        return {"taskDefinition": self.definitions[arn]}

    # -- services -----------------------------------------------------------------------------------

    def create_service(self, params: Params) -> Params:
        """For the test that sets the scene: nothing of ours creates one."""
        cluster = self._cluster(params)
        definition = self._definition(params["taskDefinition"])
        facts = {
            "loadBalancers": params.get("loadBalancers", []),
            "deploymentConfiguration": params.get("deploymentConfiguration", {}),
            "deploymentController": params.get("deploymentController", {"type": "ECS"}),
        }
        for key in ("launchType", "networkConfiguration", "capacityProviderStrategy", "platformVersion"):
            if key in params:
                facts[key] = params[key]
        service = Standing(
            params["serviceName"],
            self.arn(f"service/{cluster}/{params['serviceName']}"),
            cluster,
            params.get("desiredCount", 0),
            facts,
            {one["key"]: one["value"] for one in params.get("tags", [])},
            [Rollout(definition)],
        )
        self.standing[cluster, service.name] = service
        self.born(service)
        return {"service": self._told(service)}

    def _service(self, params: Params, name: str) -> Standing:
        cluster = self._cluster(params)
        found = self.standing.get((cluster, name.rpartition("/")[2]))
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return found

    def describe_services(self, params: Params) -> Params:
        self.pass_by()
        cluster = self._cluster(params)
        if len(params["services"]) > 10:
            raise AwsError("InvalidParameterException", "at most 10 services")
        names = [one.rpartition("/")[2] for one in params["services"]]
        there = [self.standing[cluster, one] for one in dict.fromkeys(names) if (cluster, one) in self.standing]
        with_tags = "TAGS" in params.get("include", [])
        told = [
            {**self._told(one), **({"tags": self._tagged(one.tags)} if with_tags and one.tags else {})} for one in there
        ]
        gone = [one for one in names if (cluster, one) not in self.standing]
        missing = [{"arn": self.arn(f"service/{cluster}/{one}"), "reason": "MISSING"} for one in gone]
        return {"services": told, "failures": missing}

    def update_service(self, params: Params) -> Params:
        self.pass_by()
        service = self._service(params, params["service"])
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        controller = service.facts["deploymentController"]["type"]
        definition = service.rollouts[0].definition
        if "taskDefinition" in params:
            if controller != "ECS":
                raise AwsError("InvalidParameterException", "Unable to update task definition on this controller")
            definition = self._definition(params["taskDefinition"])
            if self.definitions[definition]["status"] != "ACTIVE":
                raise AwsError("ClientException", "TaskDefinition is inactive")
        service.desired = params.get("desiredCount", service.desired)
        is_new = definition != service.rollouts[0].definition or params.get("forceNewDeployment", False)
        if "deploymentConfiguration" in params:
            self.check_configuration(params["deploymentConfiguration"], params.get("loadBalancers"), service)
            service.facts["deploymentConfiguration"] = params["deploymentConfiguration"]
        if service.native is not None:
            if is_new:
                self.begin_native(service, definition)
        elif is_new:
            service.rollouts.insert(0, Rollout(definition))
        elif service.rollouts[0].state == "COMPLETED" and "desiredCount" in params:
            service.say(f"was scaled to {service.desired}.")
        self.pass_by()
        return {"service": self._told(service)}

    def tag_resource(self, params: Params) -> Params:
        tags = self._tags_of(params["resourceArn"])
        new = {one["key"]: one["value"] for one in params["tags"]}
        if any(key.lower().startswith("aws:") for key in new):
            raise AwsError("InvalidParameterException", "aws: is a reserved prefix")
        tags.update(new)
        return {}

    def untag_resource(self, params: Params) -> Params:
        tags = self._tags_of(params["resourceArn"])
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def _tags_of(self, arn: str) -> dict[str, str]:
        service = next((one for one in self.standing.values() if one.arn == arn), None)
        found = service.tags if service else self.definition_tags.get(arn)
        if found is None:
            raise AwsError("InvalidParameterException", "The specified resource cannot be found.")
        return found

    def _told(self, service: Standing) -> dict[str, Any]:
        deployments = []
        for at, one in enumerate(service.rollouts):
            running, pending = len(self.of(service, one.id, "RUNNING")), len(self.of(service, one.id, "PENDING"))
            deployments.append(
                {
                    "id": one.id,
                    "status": "ACTIVE" if at else "PRIMARY",
                    "taskDefinition": one.definition,
                    "desiredCount": 0 if at else service.desired,
                    "runningCount": running,
                    "pendingCount": pending,
                    "failedTasks": one.failed,
                    "rolloutState": one.state,
                    "rolloutStateReason": one.why or f"ECS deployment {one.id} in progress.",
                    "createdAt": now(),
                }
            )
        told = {
            "serviceArn": service.arn,
            "serviceName": service.name,
            "clusterArn": self.cluster_arn(service.cluster),
            "status": service.status,
            "desiredCount": service.desired,
            "runningCount": len(self.of(service, "", "RUNNING")),
            "pendingCount": len(self.of(service, "", "PENDING")),
            "taskDefinition": service.rollouts[0].definition,
            "deployments": deployments,
            "events": [{"id": str(at), "createdAt": now(), "message": one} for at, one in enumerate(service.events)],
            **service.facts,
        }
        return {**told, **self.native_facts(service)}

    # -- tasks ------------------------------------------------------------------------------------------

    def run_task(self, params: Params) -> Params:
        self.pass_by()
        cluster = self._cluster(params)
        definition = self._definition(params["taskDefinition"])
        if self.definitions[definition]["status"] != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        is_awsvpc = self.definitions[definition].get("networkMode") == "awsvpc"
        if is_awsvpc and "networkConfiguration" not in params:
            raise AwsError(
                "InvalidParameterException",
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            )
        if self.is_full:
            reason = {"arn": self.cluster_arn(cluster), "reason": "RESOURCE:MEMORY"}
            return {"tasks": [], "failures": [reason]}
        token = params.get("clientToken", "")
        if token and token in self.tokens:
            return {"tasks": [self.tasks[arn].told() for arn in self.tokens[token]], "failures": []}
        over = params.get("overrides", {}).get("containerOverrides", [{}])[0]
        family = self.definitions[definition]["family"]
        task = Task(
            self.arn(f"task/{cluster}/{new_id()}"),
            self.cluster_arn(cluster),
            self.definitions[definition],
            params.get("group", f"family:{family}"),
            params.get("startedBy", ""),
            over.get("command"),
            over.get("name", ""),
            params.get("launchType", "EC2"),
        )
        self.tasks[task.arn] = task
        self.tokens.setdefault(token, []).append(task.arn)
        return {"tasks": [task.told()], "failures": []}

    def stop_task(self, params: Params) -> Params:
        self._cluster(params)
        task = next((one for one in self.tasks.values() if params["task"] in (one.arn, one.id)), None)
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        if task.status != "STOPPED":
            self._end(task, params.get("reason", "Task stopped by user"), "UserInitiated", 137)
        return {"task": task.told()}

    def list_tasks(self, params: Params) -> Params:
        self.pass_by()
        cluster = self.cluster_arn(self._cluster(params))
        if "serviceName" in params:
            self._service(params, params["serviceName"])
        wanted = params.get("desiredStatus", "RUNNING")
        found = [
            one.arn
            for one in self.tasks.values()
            if one.cluster == cluster
            and one.desired == wanted
            and ("serviceName" not in params or one.group == f"service:{params['serviceName'].rpartition('/')[2]}")
            and ("startedBy" not in params or one.started_by == params["startedBy"])
        ]
        return self._page("taskArns", found, params)

    def describe_tasks(self, params: Params) -> Params:
        self.pass_by()
        self._cluster(params)
        if len(params["tasks"]) > 100:
            raise AwsError("InvalidParameterException", "at most 100 tasks")
        there = [self.tasks[arn].told() for arn in params["tasks"] if arn in self.tasks]
        gone = [{"arn": arn, "reason": "MISSING"} for arn in params["tasks"] if arn not in self.tasks]
        return {"tasks": there, "failures": gone}

    # -- small parts --------------------------------------------------------------------------------------

    @staticmethod
    def _page(key: str, found: list[str], params: Params) -> Params:
        begin, size = int(params.get("nextToken") or 0), min(int(params.get("maxResults", 100)), 100)
        end = begin + size
        return {key: found[begin:end], **({"nextToken": str(end)} if end < len(found) else {})}

    @staticmethod
    def _tagged(tags: dict[str, str]) -> list[dict[str, str]]:
        return [{"key": key, "value": value} for key, value in tags.items()]


def _target(group: str, port: int) -> Params:
    return {"TargetGroupArn": group, "Targets": [{"Id": "127.0.0.1", "Port": port}]}
