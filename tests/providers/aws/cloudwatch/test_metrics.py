"""Counts from CloudWatch: whole periods, late data, gaps, and whose an error of the load balancer's own is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings as effort, strategies as st
from lab.aws.cloudwatch_feeds import suffix
from lab.aws.cloudwatch_standing import GROUPS, LOAD_BALANCER, START

from deploytasks.ports import COLORS, Color, NoData, Totals
from deploytasks.verdict.ladder import LADDER, since as since_last

if TYPE_CHECKING:
    from lab.aws.cloudwatch_standing import World

    from deploytasks.providers.aws.cloudwatch import Metrics


def read(metrics: Metrics, edges: tuple[float, ...] = (), since: float = 0) -> dict[str, Totals]:
    found = metrics.totals(START + timedelta(seconds=since), edges)
    assert not isinstance(found, NoData), found.why
    return dict(found)


def why(metrics: Metrics, since: float = 0) -> str:
    found = metrics.totals(START + timedelta(seconds=since), ())
    assert isinstance(found, NoData)
    return found.why


def test_counts_of_a_minute_show_when_it_is_over_and_complete(world: World) -> None:
    """Not a second before the lag after its end: a minute that is half told would be judged as a whole one."""
    metrics = world.metrics()
    world.serve("blue", -30)
    world.serve("green", 59, status=500)
    world.at(179)
    assert read(metrics)["green"] == Totals(0, 0, {})
    world.at(180)
    assert read(metrics)["green"] == Totals(1, 1, {})


def test_the_lag_that_is_told_covers_a_period(world: World) -> None:
    """What happens at the beginning of a period shows only after its end."""
    assert world.metrics().lag == 180


def test_the_first_period_counts_whole(world: World) -> None:
    """Nothing after ``since`` is lost, and nothing of an earlier period is counted."""
    world.serve("blue", 59)
    world.serve("blue", 61)
    world.serve("blue", 100)
    world.at(300)
    assert read(world.metrics(), since=90)["blue"].requests == 2


def test_a_finer_period_begins_within_a_minute(world: World) -> None:
    """CloudWatch tells of the whole minute; what was before the period of ``since`` does not count."""
    for at in (5, 29, 31, 45):
        world.serve("blue", at)
    world.at(70)
    assert read(world.metrics(period=10, lag=0, stale_after=60), since=33)["blue"].requests == 2


def test_errors_that_are_absent_are_none_where_requests_are(world: World) -> None:
    """``HTTPCode_Target_5XX_Count`` exists only when it is not zero."""
    world.serve("blue", 5)
    world.at(240)
    assert read(world.metrics())["blue"] == Totals(1, 0, {})


def test_a_group_without_requests_has_none_while_the_other_one_is_told_of(world: World) -> None:
    """Both hang on one load balancer, which tells of both at once."""
    world.serve("blue", 5)
    world.at(240)
    assert read(world.metrics())["green"] == Totals(0, 0, {})


def test_a_group_that_is_named_by_hand_and_never_told_of_is_not_known(world: World) -> None:
    """A typo in its name looks like a group without requests."""
    world.serve("blue", 5)
    world.at(240)
    named = {"load_balancer": LOAD_BALANCER, "target_groups": GROUPS}
    assert set(read(world.metrics(**named))) == {"blue"}


def test_targets_that_are_told_of_make_zero_certain(world: World) -> None:
    """CloudWatch is told of a group's targets also when nobody comes."""
    world.have_targets(60)
    world.at(240)
    assert read(world.metrics())["green"] == Totals(0, 0, {})


def test_no_data_point_is_no_zero(world: World) -> None:
    """Neither without any, nor when the newest one is from long ago."""
    metrics = world.metrics()
    world.at(240)
    assert "no data points" in why(metrics)
    world.serve("blue", 200)
    world.at(600)
    assert read(metrics)["blue"].requests == 1
    world.at(1200)
    assert "old" in why(metrics)


def test_before_the_first_period_is_over_nothing_is_counted_and_something_is_known(world: World) -> None:
    """A rollout's first reading says where it began, not that there is no data."""
    world.serve("blue", -200)
    assert read(world.metrics()) == {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})}


def test_latencies_are_counted_above_every_edge(world: World) -> None:
    """What took exactly as long as an edge is not slower; all edges of the ladder go into one request."""
    for seconds in (0.5, 0.5000001, 2.5):
        world.serve("green", 10, seconds=seconds)
    world.at(240)
    with world.cloud.counting() as asked:
        found = read(world.metrics(), LADDER)["green"].slower
    assert asked == ["GetMetricData"]
    assert (found[0.5], found[2.0], max(found)) == (2, 1, max(edge for edge in LADDER if edge < 2.5))


def test_late_data_lets_counts_rise(world: World) -> None:
    """A minute that was counted already is read again for a quarter of an hour."""
    metrics = world.metrics()
    world.serve("green", 10)
    world.serve("green", 11, status=500, late=600)
    world.at(240)
    assert read(metrics)["green"] == Totals(1, 0, {})
    world.serve("blue", 540)
    world.at(720)
    assert read(metrics)["green"] == Totals(2, 1, {})


def test_counts_never_fall(world: World) -> None:
    """Requests that arrive before their answers look like errors of the load balancer's own for a while."""
    metrics = world.metrics()
    world.serve("green", 10, status=502, by_target=False)
    world.serve("blue", 10)
    of = {"TargetGroup": suffix(GROUPS["blue"]), "LoadBalancer": suffix(LOAD_BALANCER)}
    world.lab.observe(of, "RequestCount", 1, START.timestamp() + 12)
    world.lab.observe(of, "HTTPCode_Target_2XX_Count", 1, START.timestamp() + 12, late=300)
    world.at(240)
    assert read(metrics)["blue"].errors == 1
    world.at(420)
    assert read(metrics)["blue"] == Totals(2, 1, {})


def test_polls_within_a_period_cost_nothing(world: World) -> None:
    """Each metric that is asked for costs money, and nothing new is complete before the next period."""
    metrics = world.metrics()
    world.serve("blue", 10)
    with world.cloud.counting() as asked:
        for at in (240, 255, 270, 285, 300):
            world.at(at)
            read(metrics)
    assert asked == ["GetMetricData"] * 2


def test_pages_are_put_together(world: World) -> None:
    """What does not fit on a page is partial, until it is on the next one."""
    for at in range(0, 600, 30):
        world.serve("green", at, status=500 if at % 60 else 200)
    world.lab.page = 7
    world.at(900)
    assert read(world.metrics(stale_after="1h"))["green"] == Totals(20, 10, {})
    assert len(world.cloud.operations("cloudwatch")) == 5


def test_a_place_between_pages_that_is_lost_is_looked_for_again(world: World) -> None:
    """A token may expire."""
    for at in range(0, 600, 30):
        world.serve("green", at)
    world.lab.page = 20
    world.cloud.before(
        "cloudwatch", "GetMetricData", lambda: world.cloud.fail("cloudwatch", "GetMetricData", "InvalidNextToken")
    )
    world.at(900)
    assert read(world.metrics(stale_after="1h"))["green"].requests == 20


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_what_is_answered_in_part_is_not_known(world: World, status: str) -> None:
    """What is missing is not zero; the next reading asks again."""
    metrics = world.metrics()
    world.serve("green", 10)
    world.lab.statuses = [status]
    world.at(240)
    assert status in why(metrics)
    assert read(metrics)["green"].requests == 1


def test_a_refusal_is_no_data_and_names_the_permission(world: World) -> None:
    """``inv doctor`` says what to allow."""
    world.cloud.fail("cloudwatch", "GetMetricData", "AccessDenied", status=403, times=2)
    metrics = world.metrics()
    assert "AccessDenied" in why(metrics)
    finding = metrics.diagnose()[0]
    assert finding.state == "fail"
    assert "GetMetricData" in finding.do


def test_throttling_is_waited_out(world: World) -> None:
    """boto3 asks again."""
    world.serve("green", 10)
    world.cloud.fail("cloudwatch", "GetMetricData", "Throttling")
    world.at(240)
    assert read(world.metrics())["green"].requests == 1


def test_a_color_is_told_how_old_its_newest_data_point_is(world: World) -> None:
    """From the end of its period on."""
    metrics = world.metrics()
    world.serve("green", 10)
    world.at(200)
    assert metrics.age("green") is None
    read(metrics)
    assert (metrics.age("green"), metrics.age("blue")) == (140, None)


# -- errors of the load balancer's own ---------------------------------------


def test_what_a_target_did_not_answer_is_its_colors_error(world: World) -> None:
    """502 and 504 are told of the load balancer alone; the requests are told of the group."""
    for _ in range(9):
        world.serve("green", 10)
        world.serve("blue", 10)
    world.serve("green", 20, status=504, by_target=False)
    world.at(240)
    assert read(world.metrics()) == {"blue": Totals(9, 0, {}), "green": Totals(10, 1, {})}


def test_what_found_no_target_is_an_error_of_both(world: World) -> None:
    """A color without targets has no request counted: what was meant for it must be seen nevertheless."""
    world.serve("blue", 10)
    for _ in range(3):
        world.serve("green", 20, status=503, by_target=False)
    world.at(240)
    assert read(world.metrics()) == {"blue": Totals(4, 3, {}), "green": Totals(3, 3, {})}


def test_visitors_who_went_away_are_no_errors(world: World) -> None:
    """They have no answer of a target either, and the load balancer calls them 4xx."""
    world.serve("green", 10, status=460, by_target=False)
    world.serve("green", 11)
    world.at(240)
    assert read(world.metrics())["green"] == Totals(2, 0, {})


def test_a_notice_of_maintenance_is_no_error(world: World) -> None:
    """It is a fixed response with 503, and nobody's request failed."""
    world.serve("green", 10)
    for _ in range(5):
        world.serve(None, 11, status=503, by_target=False)
    world.at(240)
    assert read(world.metrics())["green"] == Totals(1, 0, {})


def test_strangers_who_are_told_404_hide_no_error(world: World) -> None:
    """A listener's default action may be a fixed 404."""
    world.serve("blue", 10)
    world.serve("green", 11, status=503, by_target=False)
    for _ in range(5):
        world.serve(None, 11, status=404, by_target=False)
    world.at(240)
    assert read(world.metrics())["green"] == Totals(1, 1, {})


def test_behind_a_shared_balancer_others_errors_are_not_ours(world: World) -> None:
    """What no group explains may be another service's; what could not be connected to is ours."""
    world.serve("green", 10)
    for _ in range(4):
        own = {"LoadBalancer": suffix(LOAD_BALANCER)}
        world.lab.observe(own, "HTTPCode_ELB_5XX_Count", 1, START.timestamp() + 11)
    world.serve("green", 12, status=502, by_target=False)
    world.at(240)
    found = read(world.metrics(shared=True))
    assert (found["green"], found["blue"]) == (Totals(2, 1, {}), Totals(0, 0, {}))


# -- the law ------------------------------------------------------------------

REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(COLORS),
        st.integers(-150, 599),
        st.sampled_from([200, 200, 302, 404, 500, 502, 503, 504]),
        st.sampled_from([0.01, 0.5, 0.75, 3.0]),
        st.integers(0, 600),
    ),
    min_size=1,
    max_size=40,
)
"""Color, when it was answered, status, seconds, and how late each of its data points is."""


@effort(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(REQUESTS, st.integers(0, 300), st.sampled_from([25, 1000]))
def test_however_late_data_comes_the_counts_are_right_in_the_end(
    world: World, requests: list[tuple[Color, int, int, float, int]], since: int, page: int
) -> None:
    """They never fall on the way, and once everything has arrived they are what a plain count says."""
    world.lab.forget()
    world.lab.page = page
    metrics = world.metrics()
    world.have_targets(1320)
    for color, at, status, seconds, late in requests:
        world.serve(color, at, status, seconds, late=late, by_target=status < 502)
    before: dict[str, Totals] = {}
    for now in (240, 300, 660, 900, 1320):
        world.at(now)
        found = read(metrics, (0.5, 1.0), since)
        for color, last in before.items():
            assert since_last(found[color], last) is not None
        before = found
    counted = [each for each in requests if each[1] >= since - since % 60]
    for color in COLORS:
        assert before[color] == by_hand(counted, color)


def by_hand(requests: list[tuple[Color, int, int, float, int]], color: Color) -> Totals:
    """What found no target (503) is both colors'; everything else is its own color's."""
    own = [(status, seconds) for of, _, status, seconds, _ in requests if of == color or status == 503]
    slower = {edge: sum(s > edge for status, s in own if status < 502) for edge in (0.5, 1.0)}
    errors = sum(status >= 500 for status, _ in own)
    return Totals(len(own), errors, {edge: slow for edge, slow in slower.items() if slow})


def test_a_time_that_is_over(world: World) -> None:
    """Whole periods from the one in which it begins; nothing of a later one, also when that is complete."""
    metrics = world.metrics()
    for at in (30, 70, 130, 190):
        world.serve("green", at, status=500)
    world.at(500)
    found = metrics.between(START + timedelta(seconds=65), START + timedelta(seconds=180), ())
    assert not isinstance(found, NoData)
    assert Totals(2, 2, {}) == found["green"]
    assert read(metrics)["green"].requests == 4
