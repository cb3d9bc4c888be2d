"""A listener's or rule's actions as the share of each color, and with other shares. Pure.

AWS replaces the whole list of actions: what is not ours (other actions and their order, authentication, stickiness)
must come back as it was. Weights are relative (0 to 999 each), and what both at 0 does is documented nowhere: so a
fixed response 503 stands where nothing is exposed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....errors import Unreachable
from ....ports import COLORS, Color

Action = Mapping[str, Any]
"""In boto3's shape."""

CLOSED: Action = {
    "Type": "fixed-response",
    "FixedResponseConfig": {
        "StatusCode": "503",
        "ContentType": "text/plain",
        "MessageBody": "There is nothing here yet.\n",
    },
}
"""What visitors get while nothing is exposed."""


class Groups(NamedTuple):
    """The ARN of each color's target group."""

    blue: str
    green: str

    def of(self, color: Color) -> str:
        """A color's."""
        return self.blue if color == "blue" else self.green


def shares(actions: Sequence[Action], groups: Groups, name: str) -> tuple[int, int]:
    """Percent of blue and of green; both 0 when a fixed response answers. ``name``: of the listener or rule.

    A color that gets anything has 1 at least, and one that does not get all has 99 at most.
    Raises ``Unreachable`` when there is no such answer: another group gets traffic, or none of ours is there.
    """
    forward = _forward(actions)
    if forward is None:
        if any(action["Type"] == "fixed-response" for action in actions):
            return 0, 0
        raise Unreachable(f"{name} forwards nothing: {_types(actions)}", do=_NAME_ANOTHER)
    entries = entries_of(forward)
    weights = {arn: weight for arn, weight in entries.items() if arn in groups}
    others = [arn for arn, weight in entries.items() if arn not in groups and weight]
    if others and weights:
        raise Unreachable(
            f"{name} also sends traffic to {short(others[0])}, which is neither blue nor green",
            state="nothing was written",
            do="set its weight to 0 or take it out of the action; only two colors share traffic here",
        )
    if not weights:
        raise Unreachable(
            f"{name} forwards to neither {short(groups.blue)} nor {short(groups.green)}", do=_NAME_ANOTHER
        )
    blue, green = (weights.get(groups.of(color), 0) for color in COLORS)
    if not (blue and green):
        return 100 * bool(blue), 100 * bool(green)
    share = min(99, max(1, round(100 * blue / (blue + green))))
    return share, 100 - share


def with_shares(actions: Sequence[Action], groups: Groups, blue: int, green: int) -> list[dict[str, Any]]:
    """All actions, as they are to be written: the same, but for the weights of our two groups, both of which are in."""
    wanted = {groups.blue: blue, groups.green: green}
    return [_changed(action, wanted) if _is_ours(action) else writable(action) for action in actions]


def missing(actions: Sequence[Action], groups: Groups) -> list[Color]:
    """The colors whose group is not attached here: nobody checks the health of its targets. None while closed."""
    forward = _forward(actions)
    return [] if forward is None else [color for color in COLORS if groups.of(color) not in entries_of(forward)]


def attached(actions: Sequence[Action], groups: Groups) -> list[dict[str, Any]]:
    """All actions, with groups that were missing at weight 0; the others' weights as they were."""
    forward = _forward(actions)
    now = entries_of(forward) if forward is not None else {}
    return with_shares(actions, groups, now.get(groups.blue, 0), now.get(groups.green, 0))


def sticky_for(actions: Sequence[Action]) -> int:
    """Seconds for which a visitor stays with the group he has, whatever the weights say; 0: he does not."""
    config = ((_forward(actions) or {}).get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    return int(config.get("DurationSeconds", 0)) if config.get("Enabled") else 0


def entries_of(forward: Action) -> dict[str, int]:
    """The groups of a forward action with their weights, in its order."""
    listed = (forward.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": forward["TargetGroupArn"]}]
    return {each["TargetGroupArn"]: int(each.get("Weight", 1)) for each in listed}


def writable(action: Action) -> dict[str, Any]:
    """An action as it was read, so that writing it changes nothing. AWS never shows an OIDC client's secret: it is
    told to keep the one it has."""
    found = dict(action)
    oidc = found.get("AuthenticateOidcConfig")
    if oidc is not None and "ClientSecret" not in oidc:
        found["AuthenticateOidcConfig"] = {**oidc, "UseExistingClientSecret": True}
    return found


def short(arn: str) -> str:
    """For people: ``targetgroup/shop-blue/0a1b2c`` as ``shop-blue``."""
    return arn.partition(":targetgroup/")[2].partition("/")[0] or arn


_NAME_ANOTHER = "mend traffic.listener or traffic.rule, or traffic.groups"


def _forward(actions: Sequence[Action]) -> Action | None:
    return next((action for action in actions if action["Type"] == "forward"), None)


def _is_ours(action: Action) -> bool:
    return action["Type"] in {"forward", "fixed-response"}


def _types(actions: Sequence[Action]) -> str:
    return ", ".join(str(action["Type"]) for action in actions) or "it has no actions"


def _changed(action: Action, wanted: Mapping[str, int]) -> dict[str, Any]:
    order = {"Order": action["Order"]} if "Order" in action else {}
    if not any(wanted.values()):
        return {**CLOSED, **order}
    before = action.get("ForwardConfig") or {}
    weights = {**(entries_of(action) if action["Type"] == "forward" else {}), **wanted}
    listed = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", **order, "ForwardConfig": {**before, "TargetGroups": listed}}
