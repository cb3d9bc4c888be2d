"""A fleet of ECS, and who moves its traffic."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import SettingsError
from deploytasks.settings import load

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"
GROUPS = {color: f"{ARN}targetgroup/shop-{color}/1a" for color in ("blue", "green")}
TWO, ONE = {"blue": "shop-blue", "green": "shop-green"}, {"blue": "shop", "green": "shop"}
BY_ALB = {"kind": "alb", "public": "https://shop.example", "listener": f"{ARN}listener/app/shop/1/2", "groups": GROUPS}
BY_ECS = {"kind": "ecs", "public": "https://shop.example", "groups": GROUPS}


def loaded(services: dict[str, str] = TWO, traffic: Any = BY_ALB, fleet: Any = None, **more: Any) -> Any:
    fleet = {
        "kind": "ecs",
        "cluster": "shop",
        "services": services,
        "image": "registry.example/shop:{version}",
        "addresses": {"blue": "https://blue.example/", "green": "https://green.example"},
        **(fleet or {}),
    }
    environment = {"traffic": traffic, "fleet": fleet, "metrics": {"kind": "envoy"}, **more}
    return load({"application": "shop", "environments": {"staging": environment}}, "staging")


def mistakes(**given: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(**given)
    return "\n".join(caught.value.mistakes)


def test_both_ways_are_loaded() -> None:
    """Two services by our stages, or one by ECS; ``aws`` comes along."""
    by_us = loaded()
    assert (by_us.strategy, by_us.sections["fleet"].is_one_service) == ("stages", False)
    assert by_us.sections["fleet"].addresses["blue"] == "https://blue.example"
    assert "aws" in by_us.sections
    assert loaded(ONE, BY_ECS, strategy="ecs-native").strategy == "ecs-native"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"strategy": "ecs-native", "traffic": BY_ECS}, "needs {kind: ecs} with one service for both colors"),
        ({"services": ONE}, "two services are needed, one for each color, or `strategy: ecs-native`"),
        ({"services": ONE, "strategy": "ecs-native"}, "{kind: ecs} and `strategy: ecs-native` need each other"),
        ({"traffic": BY_ECS}, "{kind: ecs} and `strategy: ecs-native` need each other"),
        (
            {
                "services": ONE,
                "traffic": BY_ECS,
                "strategy": "ecs-native",
                "deadman": {"kind": "watchdog", "grace": "1m"},
            },
            "ECS is its own; another would write to its rule",
        ),
        ({"fleet": {"image": "shop:latest"}}, "an image of each release is needed"),
        ({"fleet": {"image": "shop:{release}"}}, "{release} is no placeholder; known: {version}, {commit}"),
        ({"fleet": {"image": "shop@sha256:{version}"}}, "the digest is looked up"),
        ({"fleet": {"addresses": {"blue": "https://blue.example"}}}, "green is missing"),
        ({"fleet": {"poll": "60s", "start_within": "30s"}}, "`poll` is longer than `start_within`"),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], said: str) -> None:
    """Each mistake is told before anything is asked of AWS."""
    assert said in mistakes(**given)
