"""Which actions AWS takes for a listener or rule, and how it shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .service import AwsError

Action = Mapping[str, Any]
_TYPES = {"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
_LAST = {"forward", "redirect", "fixed-response"}
_MOST_GROUPS = 5


def groups_in(actions: Sequence[Action]) -> dict[str, int]:
    """The ARNs of the groups that actions forward to, with their weights."""
    found: dict[str, int] = {}
    for action in actions:
        if action["Type"] == "forward":
            found.update({each["TargetGroupArn"]: int(each.get("Weight", 1)) for each in _listed(action)})
    return found


def check(actions: Sequence[Action], before: Sequence[Action], groups: Collection[str]) -> None:
    """Raises ``AwsError`` as AWS does: nothing is changed then."""
    if not actions:
        raise AwsError("ValidationError", "At least one action must be specified")
    ordered = sorted(actions, key=lambda action: action.get("Order", 1))
    orders = [action.get("Order") for action in actions]
    if len(actions) > 1 and (None in orders or len(set(orders)) < len(orders)):
        raise AwsError("InvalidLoadBalancerAction", "Each action must have an order of its own")
    if ordered[-1]["Type"] not in _LAST or any(action["Type"] in _LAST for action in ordered[:-1]):
        raise AwsError("InvalidLoadBalancerAction", "The last action must be forward, redirect or fixed-response")
    for action in actions:
        if action["Type"] == "forward":
            _check_forward(action, groups)
        elif action["Type"] == "fixed-response":
            _check_fixed(action["FixedResponseConfig"])
        elif action["Type"] == "authenticate-oidc":
            _check_oidc(action["AuthenticateOidcConfig"], before)


def shown(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """As they are described: never a secret, and one group in two places."""
    return [_shown(action, number) for number, action in enumerate(actions, 1)]


def _check_forward(action: Action, groups: Collection[str]) -> None:
    listed = _listed(action)
    if action.get("ForwardConfig") and action.get("TargetGroupArn"):
        arns = [each["TargetGroupArn"] for each in listed]
        if arns != [action["TargetGroupArn"]]:
            raise AwsError("ValidationError", "TargetGroupArn and ForwardConfig must name the same single target group")
    if not 1 <= len(listed) <= _MOST_GROUPS:
        raise AwsError("ValidationError", f"A forward action takes 1 to {_MOST_GROUPS} target groups")
    if len({each["TargetGroupArn"] for each in listed}) < len(listed):
        raise AwsError("ValidationError", "A target group was specified more than once")
    for each in listed:
        if not 0 <= each.get("Weight", 1) <= 999:
            raise AwsError("ValidationError", f"Weight '{each['Weight']}' must be between 0 and 999")
        if each["TargetGroupArn"] not in groups:
            raise AwsError("TargetGroupNotFound", f"Target groups '{each['TargetGroupArn']}' not found")
    if not any(each.get("Weight", 1) for each in listed):
        raise AwsError("ValidationError", "The lab takes no action without any weight: AWS documents none")
    sticky = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    if sticky.get("Enabled") and not 1 <= sticky.get("DurationSeconds", 0) <= 604800:
        raise AwsError("ValidationError", "Stickiness duration must be between 1 and 604800 seconds")


def _check_fixed(config: Mapping[str, Any]) -> None:
    if len(config.get("MessageBody", "").encode()) > 1024:
        raise AwsError("ValidationError", "The message body must be at most 1024 bytes")
    if config.get("ContentType", "text/plain") not in _TYPES:
        raise AwsError("ValidationError", f"The content type '{config['ContentType']}' is not supported")
    if config["StatusCode"][0] not in "245" or len(config["StatusCode"]) != 3:
        raise AwsError("ValidationError", f"The status code '{config['StatusCode']}' is not valid")


def _check_oidc(config: Mapping[str, Any], before: Sequence[Action]) -> None:
    knows = any(action["Type"] == "authenticate-oidc" for action in before)
    if not config.get("ClientSecret") and not (config.get("UseExistingClientSecret") and knows):
        raise AwsError("ValidationError", "You must specify a client secret, or use the existing one")


def _listed(action: Action) -> Sequence[Mapping[str, Any]]:
    config = action.get("ForwardConfig") or {}
    short = [{"TargetGroupArn": action["TargetGroupArn"]}] if "TargetGroupArn" in action else []
    found: Sequence[Mapping[str, Any]] = config.get("TargetGroups") or short
    return found


def _shown(action: Action, number: int) -> dict[str, Any]:
    found = {"Order": number, **action}
    if action["Type"] == "authenticate-oidc":
        hidden = {"ClientSecret", "UseExistingClientSecret"}
        config = action["AuthenticateOidcConfig"]
        found["AuthenticateOidcConfig"] = {key: value for key, value in config.items() if key not in hidden}
    if action["Type"] == "forward":
        config = dict(action.get("ForwardConfig") or {})
        config["TargetGroups"] = [
            {"TargetGroupArn": each["TargetGroupArn"], "Weight": each.get("Weight", 1)} for each in _listed(action)
        ]
        config.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
        found["ForwardConfig"] = config
        found.pop("TargetGroupArn", None)
        if len(config["TargetGroups"]) == 1:
            found["TargetGroupArn"] = config["TargetGroups"][0]["TargetGroupArn"]
    return found
