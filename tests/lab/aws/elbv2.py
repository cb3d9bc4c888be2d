"""Elastic Load Balancing v2 as AWS documents it, strict: what AWS refuses is refused here.

Where a request's traffic really goes is ``balancer.Balancer``'s part; this is the control plane.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import elbv2_actions
from .elbv2_actions import groups_in
from .service import AwsError, Params, Service
from .wire import signing_name

Target = tuple[str, int]
"""Address and port."""
State = tuple[str, str]
"""As AWS says it: ``("unhealthy", "Target.FailedHealthChecks")``."""
_TAG = re.compile(r"[\w\s.:/=+\-@]*")
_MOST_TAGS = 50
_NOT_FOUND = {
    "loadbalancer": "LoadBalancerNotFound",
    "targetgroup": "TargetGroupNotFound",
    "listener": "ListenerNotFound",
    "listener-rule": "RuleNotFound",
}
_WHY = {
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotRegistered": "Target is not registered to the target group",
}


@dataclass
class Group:
    """A target group. ``healthy_after``: seconds from when it is both registered and attached."""

    arn: str
    name: str
    healthy_after: float
    path: str | None
    """Asked for at each target, when health is real; else whoever was not said to be unhealthy is healthy."""
    targets: dict[Target, float] = field(default_factory=dict)
    """With the moment of registration."""
    leaving: dict[Target, float] = field(default_factory=dict)
    """Those that drain, and until when."""
    said: dict[Target, State] = field(default_factory=dict)
    """What a test says of a target."""
    attached_at: float | None = None
    attributes: dict[str, str] = field(
        default_factory=lambda: {
            "deregistration_delay.timeout_seconds": "300",
            "stickiness.enabled": "false",
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": "86400",
            "load_balancing.algorithm.type": "round_robin",
        }
    )


@dataclass
class Rule:
    """A rule; a listener's default one has no priority."""

    arn: str
    listener: str
    priority: int | None
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]


class ElasticLoadBalancing(Service):
    """``lab = ElasticLoadBalancing(); blue = lab.group("shop-blue", [("127.0.0.1", 8001)]); lab.listener(blue)``."""

    name = "elbv2"

    def __init__(self, *, page: int = 400, most_rules: int = 100, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.now = now
        self.page = page
        self.most_rules = most_rules
        self.balancers: dict[str, str] = {}
        """ARN → name."""
        self.listeners: dict[str, str] = {}
        """ARN → its load balancer's."""
        self.rules: dict[str, Rule] = {}
        """ARN → rule; a listener's default one under the listener's ARN."""
        self.groups: dict[str, Group] = {}
        self.tags: dict[str, dict[str, str]] = {}

    # -- what a test sets up -------------------------------------------------

    def balancer(self, name: str = "shop") -> str:
        """The load balancer of this name, made when it is not there; its ARN."""
        for arn, known in self.balancers.items():
            if known == name:
                return arn
        return self._made(self.balancers, f"loadbalancer/app/{name}/{_id()}", name)

    def group(
        self, name: str, targets: Sequence[Target] = (), *, healthy_after: float = 0.0, path: str | None = None
    ) -> str:
        """A target group with these targets; its ARN."""
        arn = self.of(f"targetgroup/{name}/{_id()}")
        self.groups[arn] = Group(arn, name, healthy_after, path, dict.fromkeys(targets, self.now()))
        self.tags[arn] = {}
        return arn

    def listener(self, *actions: dict[str, Any] | str, balancer: str = "shop") -> str:
        """A listener with these default actions (an ARN: forwarded to); its ARN."""
        owner = self.balancer(balancer)
        arn = self._made(self.listeners, f"listener/{owner.partition(':loadbalancer/')[2]}/{_id()}", owner)
        self.rules[arn] = Rule(arn, arn, None, [], [])
        self._set(self.rules[arn], [_action(each) for each in actions])
        return arn

    def rule(self, listener: str, priority: int, *actions: dict[str, Any] | str, path: str = "/shop/*") -> str:
        """A rule for some paths; its ARN."""
        found = self.create_rule(
            {
                "ListenerArn": listener,
                "Priority": priority,
                "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
                "Actions": [_action(each) for each in actions],
            }
        )
        return str(found["Rules"][0]["RuleArn"])

    def says(self, group: str, state: str, reason: str = "", *targets: Target) -> None:
        """From now on, AWS says so of these targets, or of all of the group; ``""``: what it finds itself."""
        with self.lock:
            for target in targets or tuple(self.groups[group].targets):
                self.groups[group].said.pop(target, None)
                if state:
                    self.groups[group].said[target] = (state, reason)

    def weights(self, arn: str) -> dict[str, int]:
        """The groups that a listener or rule forwards to, with their weights, by name; none: it does not forward."""
        with self.lock:
            return {self.groups[group].name: weight for group, weight in groups_in(self.rules[arn].actions).items()}

    def of(self, rest: str) -> str:
        """An ARN of this service."""
        return self.arn(rest, signing_name(self.name))

    def _made(self, where: dict[str, str], rest: str, value: str) -> str:
        arn = self.of(rest)
        where[arn] = value
        self.tags[arn] = {}
        return arn

    # -- balancers, listeners, rules -----------------------------------------

    def describe_load_balancers(self, params: Params) -> Params:
        """All, or those that are named."""
        wanted, names = params.get("LoadBalancerArns"), params.get("Names")
        found = [arn for arn in self.balancers if _is_among(arn, wanted) and _is_among(self.balancers[arn], names)]
        if len(found) < len(wanted or names or ()):
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        shown = [
            {"LoadBalancerArn": arn, "LoadBalancerName": self.balancers[arn], "Type": "application"} for arn in found
        ]
        return self._paged("LoadBalancers", shown, params)

    def describe_listeners(self, params: Params) -> Params:
        """Those that are named, or all of a load balancer."""
        wanted, owner = params.get("ListenerArns"), params.get("LoadBalancerArn")
        if not wanted and not owner:
            raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
        if owner and owner not in self.balancers:
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        for arn in wanted or ():
            self._require(arn, "listener")
        found = wanted or [arn for arn, its in self.listeners.items() if its == owner]
        return self._paged("Listeners", [self._listener(arn) for arn in found], params)

    def modify_listener(self, params: Params) -> Params:
        """Replace its default actions, whole."""
        arn = params["ListenerArn"]
        self._require(arn, "listener")
        if "DefaultActions" in params:
            self._set(self.rules[arn], params["DefaultActions"])
        return {"Listeners": [self._listener(arn)]}

    def describe_rules(self, params: Params) -> Params:
        """Those that are named, or all of a listener, the default one last."""
        wanted, listener = params.get("RuleArns"), params.get("ListenerArn")
        if bool(wanted) == bool(listener):
            raise AwsError("ValidationError", "You must specify either rule ARNs or a listener ARN, not both")
        if listener:
            self._require(listener, "listener")
        for arn in wanted or ():
            self._require(arn, "listener-rule")
        found = [self.rules[arn] for arn in wanted] if wanted else self.rules_of(listener)
        return self._paged("Rules", [self._rule(rule) for rule in found], params)

    def modify_rule(self, params: Params) -> Params:
        """Replace its actions or conditions, whole."""
        rule = self._numbered(params["RuleArn"])
        if "Actions" in params:
            self._set(rule, params["Actions"])
        if "Conditions" in params:
            rule.conditions = params["Conditions"]
        return {"Rules": [self._rule(rule)]}

    def create_rule(self, params: Params) -> Params:
        """A rule at a priority that is free."""
        listener, priority = params["ListenerArn"], params["Priority"]
        self._require(listener, "listener")
        if not 1 <= priority <= 50000:
            raise AwsError("ValidationError", f"Priority '{priority}' is not valid")
        others = [rule for rule in self.rules_of(listener) if rule.priority is not None]
        if priority in {rule.priority for rule in others}:
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
        if len(others) >= self.most_rules:
            raise AwsError("TooManyRules", "The maximum number of rules on the listener has been reached")
        arn = listener.replace(":listener/", ":listener-rule/") + f"/{_id()}"
        tags = self._checked({}, params.get("Tags", []))
        rule = Rule(arn, listener, priority, params["Conditions"], [])
        self.rules[arn] = rule
        try:
            self._set(rule, params["Actions"])
        except AwsError:
            del self.rules[arn]
            raise
        self.tags[arn] = tags
        return {"Rules": [self._rule(rule)]}

    def delete_rule(self, params: Params) -> Params:
        """Gone for good."""
        rule = self._numbered(params["RuleArn"])
        del self.rules[rule.arn], self.tags[rule.arn]
        self._attach()
        return {}

    def set_rule_priorities(self, params: Params) -> Params:
        """All of them, or none."""
        wanted = {pair["RuleArn"]: pair["Priority"] for pair in params["RulePriorities"]}
        moved = [self._numbered(arn) for arn in wanted]
        for listener in {rule.listener for rule in moved}:
            after = [wanted.get(rule.arn, rule.priority) for rule in self.rules_of(listener)]
            if len(set(after)) < len(after):
                raise AwsError("PriorityInUse", "One or more priorities are currently in use")
        if not all(1 <= priority <= 50000 for priority in wanted.values()):
            raise AwsError("ValidationError", "A priority is not valid")
        for rule in moved:
            rule.priority = wanted[rule.arn]
        return {"Rules": [self._rule(rule) for rule in moved]}

    def rules_of(self, listener: str) -> list[Rule]:
        """In the order in which they are tried."""
        own = [rule for rule in self.rules.values() if rule.listener == listener]
        return sorted(own, key=lambda rule: rule.priority or 99999)

    def _listener(self, arn: str) -> Params:
        shown = elbv2_actions.shown(self.rules[arn].actions)
        owner = self.listeners[arn]
        return {"ListenerArn": arn, "LoadBalancerArn": owner, "Port": 80, "Protocol": "HTTP", "DefaultActions": shown}

    def _rule(self, rule: Rule) -> Params:
        arn = rule.arn if rule.priority else rule.arn.replace(":listener/", ":listener-rule/") + "/default"
        priority = str(rule.priority or "default")
        shown = elbv2_actions.shown(rule.actions)
        return {
            "RuleArn": arn,
            "Priority": priority,
            "Conditions": rule.conditions,
            "Actions": shown,
            "IsDefault": not rule.priority,
        }

    def _numbered(self, arn: str) -> Rule:
        self._require(arn, "listener-rule")
        return self.rules[arn]

    def _set(self, rule: Rule, actions: Sequence[dict[str, Any]]) -> None:
        elbv2_actions.check(actions, rule.actions, self.groups)
        owner = self.listeners[rule.listener]
        for group in groups_in(actions):
            used_by = {
                self.listeners[each.listener] for each in self.rules.values() if group in groups_in(each.actions)
            }
            if used_by - {owner}:
                raise AwsError(
                    "TargetGroupAssociationLimit",
                    f"The following target groups cannot be associated with more than one load balancer: {group}",
                )
        rule.actions = [dict(action) for action in actions]
        self._attach()

    def _attach(self) -> None:
        used = {group for rule in self.rules.values() for group in groups_in(rule.actions)}
        for arn, group in self.groups.items():
            group.attached_at = (group.attached_at or self.now()) if arn in used else None

    # -- target groups -------------------------------------------------------

    def describe_target_groups(self, params: Params) -> Params:
        """All, or those that are named."""
        wanted, names = params.get("TargetGroupArns"), params.get("Names")
        found = [one for one in self.groups.values() if _is_among(one.arn, wanted) and _is_among(one.name, names)]
        if len(found) < len(wanted or names or ()):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        shown = [
            {"TargetGroupArn": one.arn, "TargetGroupName": one.name, "Protocol": "HTTP", "TargetType": "ip"}
            for one in found
        ]
        return self._paged("TargetGroups", shown, params)

    def describe_target_group_attributes(self, params: Params) -> Params:
        """Deregistration delay, stickiness and others."""
        return {"Attributes": _pairs(self._group(params).attributes)}

    def modify_target_group_attributes(self, params: Params) -> Params:
        """Some of them."""
        group = self._group(params)
        group.attributes.update({pair["Key"]: pair["Value"] for pair in params["Attributes"]})
        return {"Attributes": _pairs(group.attributes)}

    def register_targets(self, params: Params) -> Params:
        """From now on they are checked."""
        group = self._group(params)
        for each in params["Targets"]:
            target = (each["Id"], each.get("Port", 80))
            group.leaving.pop(target, None)
            group.targets.setdefault(target, self.now())
        return {}

    def deregister_targets(self, params: Params) -> Params:
        """They drain for a while, then they are gone."""
        group = self._group(params)
        delay = float(group.attributes["deregistration_delay.timeout_seconds"])
        for each in params["Targets"]:
            target = (each["Id"], each.get("Port", 80))
            if target not in group.targets:
                raise AwsError("InvalidTarget", f"The following targets are not registered: {each['Id']}")
            del group.targets[target]
            group.leaving[target] = self.now() + delay
        return {}

    def describe_target_health(self, params: Params) -> Params:
        """What AWS says of each target, also of those that drain."""
        group = self._group(params)
        asked = [(each["Id"], each.get("Port", 80)) for each in params.get("Targets", ())]
        found = self.health(group.arn)
        found = {target: found.get(target, ("unused", "Target.NotRegistered")) for target in asked or found}
        shown = [
            {
                "Target": {"Id": target[0], "Port": target[1]},
                "TargetHealth": {
                    "State": state,
                    **({"Reason": reason, "Description": _WHY.get(reason, reason)} if reason else {}),
                },
            }
            for target, (state, reason) in found.items()
        ]
        return {"TargetHealthDescriptions": shown}

    def health(self, group: str) -> dict[Target, State]:
        """The state of every target, and why."""
        found = self.groups[group]
        now = self.now()
        for target in [target for target, until in found.leaving.items() if until <= now]:
            del found.leaving[target]
        leaving = dict.fromkeys(found.leaving, ("draining", "Target.DeregistrationInProgress"))
        return {**{target: self._state(found, target) for target in found.targets}, **leaving}

    def _state(self, group: Group, target: Target) -> State:
        if group.attached_at is None:
            return "unused", "Target.NotInUse"
        if target in group.said:
            return group.said[target]
        if self.now() - max(group.targets[target], group.attached_at) < group.healthy_after:
            return "initial", "Elb.InitialHealthChecking"
        if group.path is None or _answers(target, group.path):
            return "healthy", ""
        return "unhealthy", "Target.FailedHealthChecks"

    def _group(self, params: Params) -> Group:
        self._require(params["TargetGroupArn"], "targetgroup")
        return self.groups[params["TargetGroupArn"]]

    # -- tags ----------------------------------------------------------------

    def describe_tags(self, params: Params) -> Params:
        """Of 20 resources at most."""
        if len(params["ResourceArns"]) > 20:
            raise AwsError("ValidationError", "Up to 20 resources can be described at once")
        for arn in params["ResourceArns"]:
            self._require(arn)
        tags = {arn: _pairs(self.tags[arn]) for arn in params["ResourceArns"]}
        return {
            "TagDescriptions": [{"ResourceArn": arn, **({"Tags": its} if its else {})} for arn, its in tags.items()]
        }

    def add_tags(self, params: Params) -> Params:
        """All of them to all resources, or none."""
        after = {}
        for arn in params["ResourceArns"]:
            self._require(arn)
            after[arn] = self._checked(self.tags[arn], params["Tags"])
        self.tags.update(after)
        return {}

    def remove_tags(self, params: Params) -> Params:
        """Those that are not there are no mistake."""
        for arn in params["ResourceArns"]:
            self._require(arn)
            for key in params["TagKeys"]:
                self.tags[arn].pop(key, None)
        return {}

    def _checked(self, before: Mapping[str, str], tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
        keys = [tag["Key"] for tag in tags]
        if len(set(keys)) < len(keys):
            raise AwsError("DuplicateTagKeys", "A tag key was specified more than once")
        for tag in tags:
            key, value = tag["Key"], tag.get("Value", "")
            is_long = not 1 <= len(key) <= 128 or len(value) > 256
            if is_long or key.lower().startswith("aws:") or not (_TAG.fullmatch(key) and _TAG.fullmatch(value)):
                raise AwsError("ValidationError", f"The tag {key!r} = {value!r} is not valid")
        after = {**before, **{tag["Key"]: tag.get("Value", "") for tag in tags}}
        if len(after) > _MOST_TAGS:
            raise AwsError("TooManyTags", "The limit on the number of tags per resource has been reached")
        return after

    # -- others --------------------------------------------------------------

    def _require(self, arn: str, kind: str = "") -> None:
        found = re.fullmatch(r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:([a-z-]+)/.+", arn)
        if found is None or (kind and found[1] != kind):
            raise AwsError("ValidationError", f"'{arn}' is not a valid {kind or 'resource'} ARN")
        known: Mapping[str, Any] = {
            "loadbalancer": self.balancers,
            "targetgroup": self.groups,
            "listener": self.listeners,
            "listener-rule": self.rules,
        }.get(found[1], {})
        if arn not in known:
            raise AwsError(_NOT_FOUND.get(found[1], "ValidationError"), f"'{arn}' not found")

    def _paged(self, key: str, found: Sequence[Params], params: Params) -> Params:
        size = params.get("PageSize", self.page)
        if not 1 <= size <= 400:
            raise AwsError("ValidationError", "PageSize must be between 1 and 400")
        begin = int(params.get("Marker") or 0)
        more = {"NextMarker": str(begin + size)} if begin + size < len(found) else {}
        return {key: list(found[begin : begin + size]), **more}


def forward(*weights: tuple[str, int], sticky: int = 0, **more: Any) -> dict[str, Any]:
    """A forward action. ``sticky``: seconds for which visitors stay with their group."""
    config: dict[str, Any] = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]}
    if sticky:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": sticky}
    return {"Type": "forward", "ForwardConfig": config, **more}


def _action(given: dict[str, Any] | str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": given} if isinstance(given, str) else given


def _answers(target: Target, path: str) -> bool:
    import http.client

    link = http.client.HTTPConnection(*target, timeout=1.0)
    try:
        link.request("GET", path)
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()


def _is_among(one: str, wanted: Sequence[str] | None) -> bool:
    return not wanted or one in wanted


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def _id() -> str:
    return secrets.token_hex(8)
