"""Alarms of CloudWatch: whose they are, what they mean, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lab.aws.cloudwatch_alarms import Alarm
from lab.aws.standing import site_in

from deploytasks.ports import Alert, NoData
from deploytasks.providers.aws.cloudwatch import Alarms
from deploytasks.settings.cloudwatch import AlarmSettings

if TYPE_CHECKING:
    from lab.aws.cloudwatch_standing import World

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def alarms(world: World, **given: Any) -> Alarms:
    return Alarms(AlarmSettings(**(given or {"prefix": "shop-"})), site_in(world.cloud, world.root))


def put(world: World, name: str, state: str = "ALARM", tags: dict[str, str] | None = None, **given: Any) -> str:
    arn = world.lab.put_alarm(Alarm(name, state, NOON.timestamp(), **given))
    if tags:
        world.cloud["resourcegroupstaggingapi"].tag(arn, **tags)
    return arn


def firing(of: Alarms) -> dict[str, Alert]:
    found = of.firing()
    assert not isinstance(found, NoData), found.why
    return {alert.name: alert for alert in found}


def test_alarms_in_alarm_fire_and_are_critical(world: World) -> None:
    """Unless something says less of them: an alarm has no severity of its own."""
    put(world, "shop-errors", description="5xx of the shop")
    put(world, "shop-slow", "OK")
    put(world, "other-errors")
    assert firing(alarms(world)) == {"shop-errors": Alert("shop-errors", "critical", NOON, "5xx of the shop")}


def test_composite_alarms_are_asked_for(world: World) -> None:
    """Without being asked, AWS leaves them out."""
    put(world, "shop-down", rule="ALARM(a) AND ALARM(b)")
    assert firing(alarms(world))["shop-down"].severity == "critical"


def test_an_alarm_fires_since_its_state_changed(world: World) -> None:
    """Not since AWS last wrote anything of it: one from before a deployment takes nothing back."""
    put(world, "shop-errors", updated=(NOON + timedelta(hours=1)).timestamp())
    assert firing(alarms(world))["shop-errors"].since == NOON


def test_an_alarm_that_comes_and_goes_fires_since_it_came_last(world: World) -> None:
    """What fires anew after a deployment began is news."""
    put(world, "shop-errors")
    world.lab.put_alarm(Alarm("shop-errors", "OK", NOON.timestamp() + 60))
    assert firing(alarms(world)) == {}
    world.lab.put_alarm(Alarm("shop-errors", "ALARM", NOON.timestamp() + 120))
    assert firing(alarms(world))["shop-errors"].since == NOON + timedelta(seconds=120)


def test_all_pages_are_read(world: World) -> None:
    """Metric alarms and composite ones, however they are spread over pages."""
    for number in range(7):
        put(world, f"shop-{number}", rule="ALARM(a)" if number % 2 else "")
    world.lab.page_of_alarms = 2
    assert len(firing(alarms(world))) == 7


def test_names_and_tags_may_say_that_an_alarm_only_warns(world: World) -> None:
    """A name by its pattern, a tag by its value; ``page`` is critical as well."""
    put(world, "shop-cpu-warn")
    put(world, "shop-disk", tags={"severity": "low"})
    put(world, "shop-down", tags={"severity": "Page"})
    put(world, "shop-bare")
    found = firing(alarms(world, prefix="shop-", warnings=["*-warn"], severity="severity"))
    assert {name: alert.severity for name, alert in found.items()} == {
        "shop-cpu-warn": "warning",
        "shop-disk": "low",
        "shop-down": "critical",
        "shop-bare": "critical",
    }


def test_no_severity_of_ones_own_can_be_taken_for_critical(world: World) -> None:
    """Where ``critical`` is not configured to be so, it warns."""
    put(world, "shop-disk", tags={"severity": "critical"})
    found = firing(alarms(world, prefix="shop-", severity="severity", critical=["page"]))
    assert found["shop-disk"].severity == "warning"


def test_alarms_are_chosen_by_tags(world: World) -> None:
    """All pairs must hold, page by page; other kinds of resources are left out."""
    tagging = world.cloud["resourcegroupstaggingapi"]
    for number in range(5):
        put(world, f"a-{number}", tags={"service": "shop", "team": "web"})
    put(world, "b", tags={"service": "shop", "team": "data"})
    tagging.tag("arn:aws:sns:eu-central-1:123456789012:topic", service="shop", team="web")
    tagging.page = 2
    assert set(firing(alarms(world, tags={"service": "shop", "team": "web"}))) == {f"a-{n}" for n in range(5)}


def test_tags_are_looked_at_once_more(world: World) -> None:
    """What finds resources by tags may be behind, and may name alarms that are gone."""
    tagging = world.cloud["resourcegroupstaggingapi"]
    put(world, "ours", tags={"service": "shop"})
    tagging.stale.add(put(world, "theirs", tags={"service": "blog"}))
    tagging.tag(world.lab.arn_of("gone"), service="shop")
    assert set(firing(alarms(world, tags={"service": "shop"}))) == {"ours"}


def test_prefix_and_tags_must_both_hold(world: World) -> None:
    """When both are given."""
    put(world, "shop-a", tags={"service": "shop"})
    put(world, "shop-b")
    put(world, "blog-c", tags={"service": "shop"})
    assert set(firing(alarms(world, prefix="shop-", tags={"service": "shop"}))) == {"shop-a"}


@pytest.mark.parametrize(
    ("given", "why"),
    [({"prefix": "shop-"}, "no alarm whose name begins with shop-"), ({"tags": {"a": "b"}}, "no alarm with a=b")],
)
def test_no_alarm_at_all_is_no_all_clear(world: World, given: dict[str, Any], why: str) -> None:
    """Nothing would ever fire: the prefix or the tags are wrong, or nobody made any."""
    put(world, "blog-errors")
    found = alarms(world, **given).firing()
    assert isinstance(found, NoData)
    assert why in found.why
    assert alarms(world, **given).diagnose()[0].state == "fail"


def test_too_little_data_is_not_ok(world: World) -> None:
    """It warns, unless it is said to mean that nothing is known, or nothing."""
    put(world, "shop-errors", "INSUFFICIENT_DATA")
    assert firing(alarms(world))["shop-errors"].severity == "insufficient data"
    assert firing(alarms(world, prefix="shop-", insufficient="ignore")) == {}
    missing = alarms(world, prefix="shop-", insufficient="missing").firing()
    assert isinstance(missing, NoData)
    assert "shop-errors" in missing.why


@pytest.mark.parametrize("how", [{"actions_enabled": False}, {"rule": "ALARM(a)", "suppressed_by": "Alarm"}])
def test_a_silenced_alarm_only_warns(world: World, how: dict[str, Any]) -> None:
    """Somebody knows of it: its actions are disabled, or suppressed."""
    put(world, "shop-errors", **how)
    assert firing(alarms(world))["shop-errors"].severity == "silenced"


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidNextToken"])
def test_what_cannot_be_read_is_not_known(world: World, code: str) -> None:
    """A refusal says what to allow."""
    put(world, "shop-errors")
    world.cloud.fail("cloudwatch", "DescribeAlarms", code, status=403 if code == "AccessDenied" else 400, times=2)
    of = alarms(world)
    assert isinstance(of.firing(), NoData)
    finding = of.diagnose()[0]
    assert finding.state == "fail"
    assert code != "AccessDenied" or "DescribeAlarms" in finding.do


def test_the_doctor_tells_what_fires_what_is_mute_and_what_is_broken(world: World) -> None:
    """One finding each."""
    put(world, "shop-errors")
    put(world, "shop-mute", "OK", actions_enabled=False)
    put(world, "shop-odd", "OK", evaluation="EVALUATION_ERROR")
    told = [(finding.state, finding.detail) for finding in alarms(world).diagnose()]
    assert told == [
        ("warn", "of 3 alarms: shop-errors (critical)"),
        ("warn", "actions are disabled, so that they only warn: shop-mute"),
        ("warn", "cannot be evaluated: shop-odd (its configuration is wrong)"),
    ]


def test_alarms_are_the_rules_by_which_alerts_fire(world: World) -> None:
    """The gate on alerts counts them, and names those that are broken."""
    put(world, "shop-errors", "OK", tags={"service": "shop"})
    put(world, "shop-odd", "OK", tags={"service": "shop"}, evaluation="EVALUATION_ERROR")
    rules = alarms(world, tags={"service": "shop"}).alert_rules()
    assert [(rule.name, dict(rule.labels), rule.broken) for rule in rules] == [
        ("shop-errors", {"service": "shop"}, ""),
        ("shop-odd", {"service": "shop"}, "its configuration is wrong"),
    ]


def test_settings_say_whose_alarms_they_are() -> None:
    """All alarms of an account are nobody's."""
    with pytest.raises(ValueError, match="`prefix` or `tags`"):
        AlarmSettings()
