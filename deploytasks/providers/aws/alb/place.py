"""The listener or rule at which traffic is shared: its actions and its tags, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import Unreachable
from ...site import Site
from ..lists import as_tags, tags_of
from ..session import Known, client, translated
from .actions import Action

_MEND_PLACE = "mend traffic.listener or traffic.rule: `aws elbv2 describe-listeners` and `describe-rules` name them"
_MEND_GROUPS = "mend traffic.groups: `aws elbv2 describe-target-groups` names them"
KNOWN = {
    "ListenerNotFound": Known(Unreachable, "AWS has no such listener", _MEND_PLACE),
    "RuleNotFound": Known(Unreachable, "AWS has no such rule", _MEND_PLACE),
    "LoadBalancerNotFound": Known(Unreachable, "AWS has no such load balancer", _MEND_PLACE),
    "TargetGroupNotFound": Known(Unreachable, "AWS has no such target group", _MEND_GROUPS),
    "TargetGroupAssociationLimit": Known(
        Unreachable,
        "a target group is used by another load balancer already, and may have only one",
        "give each load balancer target groups of its own, and name them in traffic.groups",
    ),
    "TooManyTargets": Known(
        Unreachable,
        "the load balancer would have more targets than its quota allows",
        "take targets out, or have the quota raised (Service Quotas, Elastic Load Balancing)",
    ),
    "TooManyUniqueTargetGroupsPerLoadBalancer": Known(
        Unreachable,
        "the load balancer would have more target groups than its quota allows",
        "take unused rules out, or have the quota raised (Service Quotas, Elastic Load Balancing)",
    ),
    "InvalidLoadBalancerAction": Known(
        Unreachable,
        "AWS does not take these actions together",
        "look at the actions: `aws elbv2 describe-listeners` or `describe-rules` shows them; the last one must forward",
    ),
    "TooManyTags": Known(
        Unreachable,
        "the listener or rule has 50 tags already, and a split needs three",
        "take some out: `aws elbv2 describe-tags` shows them",
    ),
    "OperationNotPermitted": Known(
        Unreachable, "AWS lets nobody change this rule: a default one is the listener's", "name traffic.listener"
    ),
    "HealthUnavailable": Known(
        Unreachable, "AWS cannot say how the targets are, because of an error of its own", "try again in a minute"
    ),
    "InvalidTarget": Known(Unreachable, "a target is not registered any more", "try again"),
}
"""What the load balancer's own error codes mean, whatever was asked."""


class Place:
    """A listener (``listener/…``) or a rule (``listener-rule/…``). Every method raises ``Unreachable``."""

    def __init__(self, arn: str, site: Site) -> None:
        self.arn = arn
        self.is_rule = ":listener-rule/" in arn
        self.name = ("rule " if self.is_rule else "listener ") + arn.rpartition(":")[2].partition("/app/")[2]
        self._site = site

    @property
    def client(self) -> Any:
        """Of the load balancer's API; made on first use, which costs more than a request."""
        return client("elbv2", self._site)

    @property
    def listener(self) -> str:
        """The ARN of the listener: itself, or the one whose rule it is."""
        return self.arn.replace(":listener-rule/", ":listener/").rpartition("/")[0] if self.is_rule else self.arn

    def described(self) -> Mapping[str, Any]:
        """All that AWS says of it but its tags, in boto3's shape."""
        with translated(f"describe {self.name}", KNOWN):
            if self.is_rule:
                found = self.client.describe_rules(RuleArns=[self.arn])["Rules"]
            else:
                found = self.client.describe_listeners(ListenerArns=[self.arn])["Listeners"]
        if not found:
            raise Unreachable(f"AWS has no {self.name}", do=_MEND_PLACE)
        first: Mapping[str, Any] = found[0]
        return first

    def actions(self) -> Sequence[Action]:
        """What it does with a request, in order."""
        found: Sequence[Action] = self.described()["Actions" if self.is_rule else "DefaultActions"]
        return sorted(found, key=lambda action: int(action.get("Order", 1)))

    def request(self, actions: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
        """The operation that replaces all actions, as boto3 calls it, and its parameters."""
        if self.is_rule:
            return "modify_rule", {"RuleArn": self.arn, "Actions": list(actions)}
        return "modify_listener", {"ListenerArn": self.arn, "DefaultActions": list(actions)}

    def write(self, actions: Sequence[Mapping[str, Any]], *, state: str = "") -> None:
        """Replace all actions."""
        operation, params = self.request(actions)
        with translated(f"change {self.name}", KNOWN, state=state):
            getattr(self.client, operation)(**params)

    def tags(self) -> dict[str, str]:
        """All of them."""
        with translated(f"read the tags of {self.name}", KNOWN):
            found = self.client.describe_tags(ResourceArns=[self.arn])["TagDescriptions"]
        return {key: value for each in found for key, value in tags_of(each.get("Tags")).items()}

    def tag(self, tags: Mapping[str, str], *, state: str = "") -> None:
        """Set some tags, at once."""
        with translated(f"tag {self.name}", KNOWN, state=state):
            self.client.add_tags(ResourceArns=[self.arn], Tags=as_tags(tags))

    def untag(self, *keys: str) -> None:
        """Remove some tags; those that are not there are no mistake."""
        with translated(f"remove tags of {self.name}", KNOWN):
            self.client.remove_tags(ResourceArns=[self.arn], TagKeys=list(keys))
