"""What is asked of ECS, with its errors as ours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from ....errors import GateRefused, Unreachable, UsageError
from ....settings.ecs import EcsFleetSettings
from ...site import Site
from ..lists import pages
from ..session import Known, client
from .meaning import meaning

OWN = "deploytasks:"
"""What the keys of our tags begin with."""
_DESCRIBED = 10
"""Services that one question may name."""


class Ecs:
    """The cluster of an environment. ``known``: what more codes mean to whoever asks."""

    def __init__(self, settings: EcsFleetSettings, site: Site, known: Mapping[str, Known] | None = None) -> None:
        self.settings = settings
        self.site = site
        self.known = {**_known(settings), **(known or {})}

    def ask(self, doing: str, operation: str, **params: Any) -> Any:
        """One operation in the cluster; ``doing`` completes "AWS did not …"."""
        return self.call(doing, operation, cluster=self.settings.cluster, **params)

    def call(self, doing: str, operation: str, **params: Any) -> Any:
        """One operation that knows no cluster."""
        ask: Callable[..., Any] = getattr(client("ecs", self.site), operation)
        with meaning(doing, self.known):
            return ask(**params)

    # -- services ------------------------------------------------------------

    def services(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """What ECS says of services, by name. Raises ``UsageError`` for one that is not there, or not active."""
        wanted = list(dict.fromkeys(names))
        answer = self.ask(
            f"describe {' and '.join(wanted)}", "describe_services", services=wanted[:_DESCRIBED], include=["TAGS"]
        )
        found = {str(one["serviceName"]): one for one in answer["services"] if one["status"] == "ACTIVE"}
        for name in wanted:
            if name not in found:
                raise UsageError(
                    f"there is no active service {name} in the cluster {self.settings.cluster}",
                    do="create it, or mend `fleet.services`",
                )
        return found

    def service(self, name: str) -> Mapping[str, Any]:
        """What ECS says of one service."""
        return self.services([name])[name]

    def tag(self, service: Mapping[str, Any], **tags: str) -> None:
        """Note something on a service: ``current``."""
        listed = [{"key": OWN + key, "value": value} for key, value in tags.items()]
        self.call(f"tag {service['serviceName']}", "tag_resource", resourceArn=service["serviceArn"], tags=listed)

    # -- definitions ---------------------------------------------------------

    def definition(self, arn: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """A task definition, and its tags."""
        name = arn.rpartition("/")[2]
        answer = self.call(f"describe {name}", "describe_task_definition", taskDefinition=arn, include=["TAGS"])
        return answer["taskDefinition"], tags_of(answer)

    def definitions(self, family: str) -> Sequence[str]:
        """The active revisions of a family, the newest first."""
        ask = partial(self.call, f"list the revisions of {family}", "list_task_definitions")
        found = pages(ask, "nextToken", familyPrefix=family, status="ACTIVE", sort="DESC")
        return [str(arn) for page in found for arn in page["taskDefinitionArns"]]

    # -- tasks ---------------------------------------------------------------

    def tasks(self, doing: str, **wanted: str) -> Sequence[Mapping[str, Any]]:
        """The tasks of a service, or those that somebody started; at most the hundred that are listed first."""
        answer = self.ask(doing, "list_tasks", maxResults=100, **wanted)
        return self.described(answer["taskArns"]) if answer["taskArns"] else []

    def described(self, arns: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Tasks by their ARNs; those that ECS has forgotten are left out."""
        found: Sequence[Mapping[str, Any]] = self.ask("describe tasks", "describe_tasks", tasks=list(arns))["tasks"]
        return found


def tags_of(answer: Mapping[str, Any]) -> Mapping[str, str]:
    """Our tags in an answer, without what all of their keys begin with."""
    return {
        str(one["key"]).removeprefix(OWN): str(one["value"])
        for one in answer.get("tags") or ()
        if str(one["key"]).startswith(OWN)
    }


def _known(settings: EcsFleetSettings) -> Mapping[str, Known]:
    """What ECS' codes mean to a fleet."""
    cluster = settings.cluster
    platform = "choose a platform version that Fargate has, on the service itself"
    return {
        "ClusterNotFoundException": Known(
            UsageError, f"there is no cluster {cluster} in this account and region", "mend `fleet.cluster`, or `aws:`"
        ),
        "ServiceNotFoundException": Known(
            UsageError, f"there is no such service in the cluster {cluster}", "mend `fleet.services`"
        ),
        "ServiceNotActiveException": Known(
            GateRefused, "the service is being deleted: {said}", "create it anew, or mend `fleet.services`"
        ),
        "InvalidParameterException": Known(UsageError, "ECS does not take it: {said}", "mend what it names"),
        "ClientException": Known(UsageError, "ECS cannot do it: {said}", "`inv doctor` looks at cluster and services"),
        "LimitExceededException": Known(
            GateRefused, "a quota of ECS is used up: {said}", "have it raised, or deregister what nobody uses"
        ),
        "PlatformUnknownException": Known(UsageError, "there is no such platform version: {said}", platform),
        "PlatformTaskDefinitionIncompatibilityException": Known(
            UsageError, "the platform version cannot run this task definition: {said}", platform
        ),
        "UnsupportedFeatureException": Known(UsageError, "not in this region: {said}", "ask for it in another region"),
        "NamespaceNotFoundException": Known(UsageError, "the Service Connect namespace is gone: {said}", "mend it"),
        "BlockedException": Known(
            Unreachable, "AWS has blocked this account for ECS: {said}", "open a case with AWS support"
        ),
        "ServerException": Known(Unreachable, "ECS has trouble of its own: {said}", "run it again in a few minutes"),
    }
