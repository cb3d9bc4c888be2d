"""Actions as shares, and with other shares."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import Unreachable
from deploytasks.providers.aws.alb.actions import (
    Groups,
    attached,
    entries_of,
    missing,
    shares,
    sticky_for,
    with_shares,
)

PREFIX = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup"
BLUE, GREEN, THIRD = (f"{PREFIX}/shop-{name}/0123456789abcdef" for name in ("blue", "green", "beta"))
GROUPS = Groups(BLUE, GREEN)
OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.example",
        "AuthorizationEndpoint": "https://id.example/authorize",
        "TokenEndpoint": "https://id.example/token",
        "UserInfoEndpoint": "https://id.example/user",
        "ClientId": "shop",
    },
}


def forward(*weights: tuple[str, int], sticky: int = 0, **more: Any) -> dict[str, Any]:
    """A forward action with several groups, as AWS shows it."""
    config: dict[str, Any] = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]}
    config["TargetGroupStickinessConfig"] = {"Enabled": bool(sticky), "DurationSeconds": sticky or 3600}
    return {"Type": "forward", "ForwardConfig": config, **more}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param(forward((BLUE, 90), (GREEN, 10)), (90, 10), id="percent"),
        pytest.param(forward((GREEN, 1), (BLUE, 2)), (67, 33), id="relative, in any order"),
        pytest.param(forward((BLUE, 999), (GREEN, 1)), (99, 1), id="a little is not nothing"),
        pytest.param(forward((BLUE, 1), (GREEN, 999)), (1, 99), id="and the rest is not all"),
        pytest.param(forward((BLUE, 1)), (100, 0), id="one group"),
        pytest.param({"Type": "forward", "TargetGroupArn": GREEN}, (0, 100), id="one group, the short way"),
        pytest.param(forward((BLUE, 0), (GREEN, 0)), (0, 0), id="both at 0"),
        pytest.param(forward((BLUE, 50), (GREEN, 50), (THIRD, 0)), (50, 50), id="a third one that gets nothing"),
        pytest.param({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}, (0, 0), id="closed"),
    ],
)
def test_weights_are_read_as_percent(action: dict[str, Any], expected: tuple[int, int]) -> None:
    """They are relative; a share is 0 or 100 only when it is."""
    assert shares([OIDC, action], GROUPS, "listener") == expected


@pytest.mark.parametrize(
    ("action", "why"),
    [
        pytest.param(forward((BLUE, 50), (GREEN, 40), (THIRD, 10)), "also sends traffic to shop-beta", id="a third"),
        pytest.param(forward((THIRD, 1)), "forwards to neither shop-blue nor shop-green", id="none of ours"),
        pytest.param({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}, "forwards nothing", id="none"),
    ],
)
def test_what_cannot_be_shared_between_two_is_refused(action: dict[str, Any], why: str) -> None:
    """With the name of what is in the way."""
    with pytest.raises(Unreachable, match=why):
        shares([action], GROUPS, "listener")


def test_everything_that_is_not_ours_comes_back() -> None:
    """Other actions, their order, an OIDC client's secret that nobody can read, stickiness and another group."""
    before = [OIDC, forward((THIRD, 0), (GREEN, 1), sticky=600, Order=2)]
    oidc, found = with_shares(before, GROUPS, 90, 10)
    assert oidc == {
        **OIDC,
        "AuthenticateOidcConfig": {**OIDC["AuthenticateOidcConfig"], "UseExistingClientSecret": True},
    }  # type: ignore[dict-item]
    assert found == forward((THIRD, 0), (GREEN, 10), (BLUE, 90), sticky=600, Order=2)


def test_a_single_group_is_written_the_long_way() -> None:
    """AWS shows it in two places, and takes only one of them when there are several."""
    both = {**forward((BLUE, 1)), "TargetGroupArn": BLUE}
    [found] = with_shares([both], GROUPS, 100, 0)
    assert "TargetGroupArn" not in found
    assert entries_of(found) == {BLUE: 100, GREEN: 0}


def test_nothing_exposed_is_a_fixed_response_and_back() -> None:
    """Never two weights of 0; its place among the actions stays."""
    closed = with_shares([OIDC, forward((BLUE, 1), Order=2)], GROUPS, 0, 0)
    assert [closed[1]["Type"], closed[1]["FixedResponseConfig"]["StatusCode"], closed[1]["Order"]] == [
        "fixed-response",
        "503",
        2,
    ]
    opened = with_shares(closed, GROUPS, 0, 100)[1]
    assert (entries_of(opened), opened["Order"]) == ({BLUE: 0, GREEN: 100}, 2)


def test_a_missing_group_is_attached_at_0() -> None:
    """And the other one keeps its weight, whatever it is."""
    before = [forward((GREEN, 7))]
    assert missing(before, GROUPS) == ["blue"]
    assert entries_of(attached(before, GROUPS)[0]) == {GREEN: 7, BLUE: 0}
    assert missing(attached(before, GROUPS), GROUPS) == []


def test_stickiness_is_seen() -> None:
    """Seconds, or 0."""
    assert sticky_for([forward((BLUE, 1), (GREEN, 1), sticky=600)]) == 600
    assert sticky_for([forward((BLUE, 1), (GREEN, 1))]) == 0
