"""The checklist's items on monitoring, where CloudWatch is what is asked."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from lab.aws.cloudwatch_alarms import Alarm
from lab.aws.standing import site_in

from deploytasks.checklist.alerting import alerts_answer, no_critical_alert, rules_were_tested
from deploytasks.checklist.feeding import limits_are_fed, metrics_answer
from deploytasks.ports import Split
from deploytasks.providers.aws.cloudwatch import Alarms
from deploytasks.settings.cloudwatch import AlarmSettings, MetricsSettings
from deploytasks.settings.gates import Gates
from deploytasks.settings.rollout import Rollout

if TYPE_CHECKING:
    from lab.aws.cloudwatch_standing import World


@pytest.fixture
def subject(world: World) -> Any:
    """An environment with blue live, whose metrics and alarms are CloudWatch's; three minutes after noon."""
    world.lab.put_alarm(Alarm("shop-errors"))
    world.serve("blue", 10)
    world.at(180)
    settings = AlarmSettings(prefix="shop-")
    sections = {"metrics": MetricsSettings(), "alerts": settings}
    split = Split.all_on("blue")
    return SimpleNamespace(
        gates=Gates(),
        world=SimpleNamespace(
            metrics=world.metrics(),
            alerts=Alarms(settings, site_in(world.cloud, world.root)),
            settings=SimpleNamespace(sections=sections, rollout=Rollout(), level="production"),
            clock=SimpleNamespace(now=lambda: world.now),
            traffic=SimpleNamespace(at_rest=lambda: split),
        ),
    )


def test_metrics_answer_and_say_how_old_they_are(subject: Any) -> None:
    """Blue has users, and is known."""
    found = metrics_answer(subject)
    assert (found.answer, found.evidence) == (
        "pass",
        "cloudwatch answers: the newest sample of blue is 120 s old; what happens shows within 180 s",
    )


def test_metrics_that_have_fallen_silent_do_not_pass(subject: Any, world: World) -> None:
    """An hour later nothing is known any more."""
    world.now += timedelta(hours=1)
    with pytest.raises(Exception, match="no data points"):
        metrics_answer(subject)


def test_every_limit_is_fed(subject: Any) -> None:
    """Errors, latencies and alerts by CloudWatch."""
    found = limits_are_fed(subject)
    assert found.answer == "pass"
    assert "P99: cloudwatch" in found.evidence
    assert "alerts: cloudwatch" in found.evidence


def test_alarms_answer_and_are_the_rules(subject: Any, world: World) -> None:
    """That there are some is found out; that they were tested, a person signs."""
    assert [no_critical_alert(subject).answer, alerts_answer(subject).answer] == ["pass", "pass"]
    assert rules_were_tested(subject).answer == "needs a signature"
    world.lab.put_alarm(Alarm("shop-errors", "ALARM"))
    assert no_critical_alert(subject).answer == "fail"
    world.lab.alarms.clear()
    assert rules_were_tested(subject).answer == "fail"
