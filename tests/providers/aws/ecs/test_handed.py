"""What ECS says of a service deployment, and what that means."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.errors import DeployError, SplitMoved, TakenBack, WayBackFailed
from deploytasks.providers.aws.ecs.handed import Revision, handed, problem, split

BLUE, GREEN = Revision("r-blue", "blue", "shop:1"), Revision("r-green", "green", "shop:2")


def said(status: str, weight: float = 0.0, **more: Any) -> Any:
    return handed(
        {
            "serviceDeploymentArn": "arn",
            "status": status,
            "sourceServiceRevisions": [{"arn": "r-blue", "requestedProductionTrafficWeight": 100 - weight}],
            "targetServiceRevision": {"arn": "r-green", "requestedProductionTrafficWeight": weight},
            **more,
        },
        {"r-blue": BLUE, "r-green": GREEN},
    )


HOOK = {"lifecycleHookDetails": [{"hookId": "h", "status": "AWAITING_ACTION", "targetType": "PAUSE"}]}
LATE = {"lifecycleHookDetails": [{"hookId": "h", "status": "TIMED_OUT", "targetType": "PAUSE"}]}
ALARM = {"alarms": {"status": "TRIGGERED", "alarmNames": ["slow"], "triggeredAlarmNames": ["slow"]}}
ASKED = {"rollback": {"reason": "stopped by a request"}}


@pytest.mark.parametrize(
    ("status", "weight", "expected"),
    [
        ("PENDING", 0.0, (100, 0)),
        ("IN_PROGRESS", 20.0, (80, 20)),
        ("IN_PROGRESS", 100.0, (0, 100)),
        ("SUCCESSFUL", 100.0, (0, 100)),
        ("STOP_REQUESTED", 20.0, (80, 20)),
        ("STOPPED", 20.0, (100, 0)),
        ("ROLLBACK_REQUESTED", 20.0, (80, 20)),
        ("ROLLBACK_IN_PROGRESS", 20.0, (80, 20)),
        ("ROLLBACK_SUCCESSFUL", 20.0, (100, 0)),
        ("ROLLBACK_FAILED", 20.0, (80, 20)),
    ],
)
def test_weights(status: str, weight: float, expected: tuple[int, int]) -> None:
    """In each state: what ECS asked of the balancer, and who has all of it in the end."""
    found = split(said(status, weight), "blue", "deploy:1")
    assert ((found.blue, found.green), (found.way_back, found.writer)) == (expected, ("blue", "deploy:1"))


@pytest.mark.parametrize(
    ("status", "more", "kind"),
    [
        ("PENDING", {}, None),
        ("IN_PROGRESS", {}, None),
        ("SUCCESSFUL", {}, None),
        ("STOP_REQUESTED", {}, SplitMoved),
        ("STOPPED", {}, SplitMoved),
        ("ROLLBACK_REQUESTED", ASKED, SplitMoved),
        ("ROLLBACK_IN_PROGRESS", ALARM, TakenBack),
        ("ROLLBACK_IN_PROGRESS", {"deploymentCircuitBreaker": {"status": "TRIGGERED"}}, TakenBack),
        ("ROLLBACK_SUCCESSFUL", LATE, TakenBack),
        ("ROLLBACK_SUCCESSFUL", {"rollback": {"reason": "tasks failed to start"}}, TakenBack),
        ("ROLLBACK_SUCCESSFUL", ASKED, SplitMoved),
        ("ROLLBACK_FAILED", ALARM, WayBackFailed),
    ],
)
def test_problems(status: str, more: dict[str, Any], kind: type[DeployError] | None) -> None:
    """Taken back by ECS for a reason of its own: 4. By somebody: 5. Not taken back though it should be: 8."""
    found = problem(said(status, **more), GREEN.definition)
    assert (type(found) if found else None) is kind


def test_a_deployment_of_another_revision_is_somebody_s() -> None:
    """It replaced ours."""
    assert isinstance(problem(said("IN_PROGRESS"), "shop:3"), SplitMoved)


def test_a_pause_waits_only_while_it_goes_forward() -> None:
    """Nobody may release what is taken back."""
    assert said("IN_PROGRESS", **HOOK).hook == "h"
    assert said("ROLLBACK_REQUESTED", **HOOK).hook is None
    assert said("IN_PROGRESS", **LATE).hook is None
