"""Settings of an Application Load Balancer: one place, two groups; and who counts what it shares."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deploytasks.rules import rollout_rules
from deploytasks.settings.alb import TrafficSettings
from deploytasks.settings.loading import load

PREFIX = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"
LISTENER = PREFIX + "listener/app/shop/1a2b/3c4d"
RULE = PREFIX + "listener-rule/app/shop/1a2b/3c4d/9e0f"
BLUE, GREEN = (f"{PREFIX}targetgroup/shop-{color}/5e6f" for color in ("blue", "green"))
LEAST: dict[str, Any] = {"public": "https://shop.example", "groups": {"blue": BLUE, "green": GREEN}}


@pytest.mark.parametrize("place", [{"listener": LISTENER}, {"rule": RULE}])
def test_a_listener_or_a_rule(place: dict[str, str]) -> None:
    """Either is where traffic is shared."""
    found = TrafficSettings.model_validate({**LEAST, **place, "healthy_share": "75%", "up_within": "2m"})
    assert (found.place, found.healthy_share, found.up_within) == (*place.values(), 0.75, 120.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"listener": LISTENER, "rule": RULE},
        {"listener": RULE},
        {"rule": LISTENER},
        {"listener": LISTENER.replace("/app/", "/net/")},
        {"listener": LISTENER, "groups": {"blue": BLUE, "green": BLUE}},
        {"listener": LISTENER, "groups": {"blue": BLUE, "green": LISTENER}},
        {"listener": LISTENER, "healthy": 0},
        {"listener": LISTENER, "public": "shop.example"},
    ],
)
def test_what_cannot_be(wrong: dict[str, Any]) -> None:
    """Two places or none, a network load balancer, one group for both colors, no healthy target at all."""
    with pytest.raises(ValidationError):
        TrafficSettings.model_validate({**LEAST, **wrong})


@pytest.mark.parametrize(
    ("metrics", "more", "expected"),
    [
        ({"kind": "cloudwatch"}, {}, True),
        ({"kind": "cloudwatch"}, {"measured_share": False}, False),
        ({"kind": "prometheus", "url": "http://prometheus:9090", "counts": "django"}, {}, False),
    ],
)
def test_a_share_is_measured_where_the_balancer_counts_it(
    metrics: dict[str, Any], more: dict[str, Any], expected: bool
) -> None:
    """An application counts health checks, too; and it can be turned off."""
    environment = {
        "aws": {"region": "eu-central-1"},
        "traffic": {"kind": "alb", **LEAST, "listener": LISTENER},
        "metrics": metrics,
        **more,
    }
    config = {"application": "shop", "environments": {"production": environment}}
    found = load(config, "production", {"traffic", "metrics", "rollout", "probe"})
    assert rollout_rules(found, "d-1", "blue", "green", (10, 100)).measured_share is expected
