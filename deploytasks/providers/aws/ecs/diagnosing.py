"""What ``doctor`` finds out about a cluster and its services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import DeployError
from ....ports import Finding
from . import logs, revision
from .asking import Ecs
from .owning import require_ours
from .settling import primary_of, unsettled


def diagnose(ecs: Ecs, names: Sequence[str], container: str | None, *, by_ecs: bool = False) -> Sequence[Finding]:
    """The cluster, then each service with its definition. ``by_ecs``: its traffic is ECS' own to move."""
    cluster = ecs.settings.cluster
    try:
        answer = ecs.call(f"describe the cluster {cluster}", "describe_clusters", clusters=[cluster])
        states = [str(one["status"]) for one in answer["clusters"]]
        if states != ["ACTIVE"]:
            return [Finding("cluster", "fail", f"{cluster} is {states[0] if states else 'not there'}", "mend `fleet`")]
        services = ecs.services(names)
    except DeployError as error:
        return [Finding("cluster", "fail", error.what, error.do)]
    found = [Finding("cluster", "ok", f"{cluster} is active")]
    for service in services.values():
        found += _service(ecs, service, container, by_ecs=by_ecs)
    return found


def _service(ecs: Ecs, service: Mapping[str, Any], container: str | None, *, by_ecs: bool) -> list[Finding]:
    subject = f"service {service['serviceName']}"
    try:
        if not by_ecs:
            require_ours(service)
        definition, said = ecs.definition(str(primary_of(service)["taskDefinition"]))
        name = revision.container_of(definition, container)
    except DeployError as error:
        return [Finding(subject, "fail", error.what, error.do)]
    doubt = unsettled(service)
    told = f"{said.get('release', 'nothing of ours')}, {service['runningCount']} of {service['desiredCount']} tasks run"
    found = [Finding(subject, "warn" if doubt else "ok", f"{told}{f'; {doubt}' if doubt else ''}")]
    if not service.get("loadBalancers"):
        found.append(Finding(subject, "warn", "it has no target group: no balancer sends it anything", "give it one"))
    if logs.place_of(definition, name) is None:
        what = f"{name} does not log to CloudWatch: `inv run` and `inv logs` show nothing"
        found.append(Finding(subject, "warn", what, "logDriver awslogs, with awslogs-stream-prefix"))
    return found
