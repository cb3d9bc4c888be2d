"""A rule before all others closes the site, and says so to whoever reads it."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from lab.aws.balancer import Balancer
from lab.aws.elbv2 import forward
from lab.aws.standing import site_in

from deploytasks.errors import Unreachable, UsageError
from deploytasks.ports import Notice
from deploytasks.providers.aws.alb.maintenance import Maintenance
from deploytasks.settings.alb import MaintenanceSettings

if TYPE_CHECKING:
    from .conftest import House

NOTICE = Notice("Back at noon, we're <moving>; 100%!", 300, datetime(2026, 11, 23, 9, tzinfo=UTC), "ann@laptop")


def maintenance(house: House, environment: str = "production", **named: object) -> Maintenance:
    """A provider as a new process opens it."""
    site = site_in(house.cloud, house.root, environment, traffic=house.settings(**named))
    return Maintenance(MaintenanceSettings(), site)


def priorities(house: House) -> list[tuple[int | None, str]]:
    """The rules of the listener in their order: priority and what the action is."""
    return [(rule.priority, rule.actions[0]["Type"]) for rule in house.elb.rules_of(house.listener)]


def test_a_notice_is_read_back(house: House) -> None:
    """Message, who, since and for how long; open again, there is none."""
    port = maintenance(house)
    assert port.read() is None
    port.write(NOTICE).perform(10)
    assert maintenance(house).read() == NOTICE
    port.write(None).perform(10)
    assert (port.read(), priorities(house)) == (None, [(None, "forward")])


def test_visitors_get_503_and_the_page(house: House) -> None:
    """Whatever they ask for, with the message escaped."""
    maintenance(house).write(NOTICE).perform(10)
    with Balancer(house.elb, house.listener) as balancer, pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(balancer.url + "/shop/cart?x=1", timeout=10)
    assert (caught.value.code, caught.value.headers["content-type"]) == (503, "text/html")
    assert b"Back at noon, we&#x27;re &lt;moving&gt;; 100%!" in caught.value.read()


def test_twice_is_once(house: House) -> None:
    """Closed twice, with another notice; opened twice."""
    port = maintenance(house)
    port.write(NOTICE).perform(10)
    port.write(NOTICE._replace(message="Later.")).perform(10)
    assert priorities(house) == [(1, "fixed-response"), (None, "forward")]
    assert port.read() == NOTICE._replace(message="Later.")
    port.write(None).perform(10)
    port.write(None).perform(10)
    assert port.read() is None


def test_room_is_made_at_the_top(house: House) -> None:
    """Rules without a gap move down by one, in their order; the one behind a gap stays."""
    rules = [house.elb.rule(house.listener, at, house.blue, path=f"/{at}") for at in (1, 2, 5)]
    maintenance(house).write(NOTICE).perform(10)
    assert [house.elb.rules[rule].priority for rule in rules] == [2, 3, 5]
    assert priorities(house)[0] == (1, "fixed-response")


def test_it_is_put_first_again(house: House) -> None:
    """Somebody put a rule before it."""
    port = maintenance(house)
    port.write(NOTICE).perform(10)
    [ours] = [rule for rule in house.elb.rules_of(house.listener) if rule.priority == 1]
    ours.priority = 2
    other = house.elb.rule(house.listener, 1, house.blue)
    port.write(NOTICE).perform(10)
    assert (ours.priority, house.elb.rules[other].priority) == (1, 2)


def test_only_what_the_rule_serves_is_closed(house: House) -> None:
    """Where traffic is shared at a rule, its conditions are kept: others on the listener stay open."""
    rule = house.elb.rule(house.listener, 10, forward((house.blue, 1), (house.green, 0)), path="/shop/*")
    maintenance(house, rule=rule).write(NOTICE).perform(10)
    first = house.elb.rules_of(house.listener)[0]
    assert first.conditions == house.elb.rules[rule].conditions
    assert first.actions[0]["Type"] == "fixed-response"


def test_another_environment_s_rule_is_not_ours(house: House) -> None:
    """Two environments on one listener, each with its own notice."""
    maintenance(house, "staging").write(NOTICE).perform(10)
    assert maintenance(house).read() is None
    maintenance(house).write(None).perform(10)
    assert maintenance(house, "staging").read() == NOTICE


@pytest.mark.parametrize("operation", ["CreateRule", "ModifyRule", "AddTags", "SetRulePriorities", "DeleteRule"])
def test_a_lost_answer_does_no_harm(house: House, operation: str) -> None:
    """The retry finds it done, and so do we."""
    house.elb.rule(house.listener, 1, house.blue)
    port = maintenance(house)
    if operation in {"ModifyRule", "AddTags"}:
        port.write(NOTICE._replace(message="Soon.")).perform(10)
    house.cloud.drop_answer("elbv2", operation)
    port.write(NOTICE).perform(10)
    assert port.read() == NOTICE
    assert [kind for _, kind in priorities(house)].count("fixed-response") == 1
    port.write(None).perform(10)
    assert port.read() is None


@pytest.mark.parametrize(("code", "why"), [("TooManyRules", "no room for one"), ("PriorityInUse", "just now")])
def test_a_refusal_leaves_the_site_open(house: House, code: str, why: str) -> None:
    """With what it means."""
    house.cloud.fail("elbv2", "CreateRule", code)
    with pytest.raises(Unreachable, match=why):
        maintenance(house).write(NOTICE).perform(10)
    assert maintenance(house).read() is None


def test_a_page_that_is_too_large_is_refused_before_anything_is_written(house: House) -> None:
    """1024 bytes is all that AWS takes; bytes, not characters."""
    with pytest.raises(UsageError, match="1024 at most"):
        maintenance(house).write(NOTICE._replace(message="ö" * 400))


def test_a_listener_with_many_rules_is_read_whole(house: House) -> None:
    """Page by page, and tags for twenty at a time."""
    house.elb.page = 7
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    for at in range(1, 31):
        house.elb.rule(house.listener, at, fixed, path=f"/{at}")
    port = maintenance(house)
    port.write(NOTICE).perform(10)
    assert port.read() == NOTICE


def test_it_needs_the_balancer(house: House) -> None:
    """Its listener is the traffic's."""
    with pytest.raises(UsageError, match="needs traffic"):
        Maintenance(MaintenanceSettings(), house.site)
