"""Samples become counts: exactly, through resets, births and deaths."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, strategies as st

from deploytasks.providers.prometheus.counting import Series, Tally, beyond
from deploytasks.providers.prometheus.feeds import Feed

COLORS = {"blue": re.compile("blue"), "green": re.compile("green")}
REQUESTS = Feed(
    "requests",
    "x",
    "color",
    COLORS,  # type: ignore[arg-type]  # a color is one of two texts
    failed={"code": re.compile("5xx")},
    varying=frozenset({"code"}),
)
LATENCY = Feed("latency", "x_bucket", "color", COLORS, varying=frozenset({"le"}))  # type: ignore[arg-type]  # the same


def series(values: Mapping[float, float], **labels: str) -> Series:
    """Second → value."""
    return Series({"color": "blue", "instance": "a", **labels}, sorted(values.items()))


def counted(before: list[Series], *looks: list[Series], feed: Feed = REQUESTS, since: float = 0) -> tuple[float, float]:
    """Requests and errors of blue."""
    tally = Tally(feed)
    tally.begin(since, before)
    for look in looks:
        tally.add(since, look)
    return tally.requests("blue"), tally.errors("blue")


def test_what_a_series_gains_counts_once() -> None:
    """From its value at the beginning on; looks that overlap do not count twice."""
    looks = [series({5: 105, 10: 107}, code="2xx")], [series({5: 105, 10: 107, 15: 110}, code="2xx")]
    assert (10, 0) == counted([series({0: 100}, code="2xx")], *looks)


def test_samples_of_before_the_beginning_do_not_count() -> None:
    """A window that reaches back further than the beginning shows what stood there already."""
    assert (3, 0) == counted([series({7: 100}, code="2xx")], [series({5: 90, 7: 100, 9: 103}, code="2xx")], since=8)


def test_a_new_series_counts_from_nothing() -> None:
    """The first error makes its series, and is an error."""
    assert (1, 1) == counted([series({0: 100}, code="2xx")], [series({5: 100}, code="2xx"), series({5: 1}, code="5xx")])


def test_a_counter_that_begins_anew_counts_what_it_has_counted_since() -> None:
    """100 → 104 → restart → 3 → 5 are 9."""
    assert (9, 0) == counted([series({0: 100}, code="2xx")], [series({5: 104, 10: 3, 15: 5}, code="2xx")])


def test_a_process_that_begins_anew_does_so_with_all_its_series() -> None:
    """Errors that have passed their old value already after the restart count in full: here 5, not 3."""
    before = [series({0: 1000}, code="2xx"), series({0: 2}, code="5xx")]
    assert (55, 5) == counted(before, [series({5: 50}, code="2xx"), series({5: 5}, code="5xx")])


def test_a_series_that_comes_only_after_the_restart_counts_in_full() -> None:
    """The restart was seen in another series of its process, at another scrape."""
    before = [series({0: 1000}, code="2xx"), series({0: 2}, code="5xx")]
    looks = [series({5: 50}, code="2xx")], [series({5: 50, 10: 60}, code="2xx"), series({10: 4}, code="5xx")]
    assert (64, 4) == counted(before, *looks)


def test_another_process_is_not_touched_by_that() -> None:
    """One instance of two restarts: the other one goes on."""
    before = [series({0: 100}, code="2xx"), series({0: 100}, code="2xx", instance="b")]
    assert (16, 0) == counted(before, [series({5: 4}, code="2xx"), series({5: 112}, code="2xx", instance="b")])


def test_a_series_that_vanishes_keeps_what_it_counted() -> None:
    """A host that is gone takes no requests with it."""
    before = [series({0: 0}, code="2xx"), series({0: 0}, code="2xx", instance="b")]
    first = [series({5: 7}, code="2xx"), series({5: 9}, code="2xx", instance="b")]
    assert (17, 0) == counted(before, first, [series({10: 8}, code="2xx")])


def test_a_single_series_that_went_away_and_comes_back_lower_is_no_restart_of_the_others() -> None:
    """An exporter that drops a label and makes it again: what it has now counts, the others go on."""
    before = [series({0: 100}, code="2xx"), series({0: 50}, code="5xx")]
    looks = [series({5: 101}, code="2xx")], [series({5: 101, 10: 102}, code="2xx"), series({10: 1}, code="5xx")]
    assert (3, 1) == counted(before, *looks)


def test_colors_are_told_apart_and_others_passed_over() -> None:
    """By the label's whole value."""
    tally = Tally(REQUESTS)
    for color in ("blue", "green", "bluegreen", ""):
        tally.add(0, [series({5: 3}, color=color, code="2xx")])
    assert [3, 3] == [tally.requests("blue"), tally.requests("green")]
    assert 2 == len(tally.processes)


def test_only_the_named_metrics_are_counted() -> None:
    """What only shows that a color is there counts nothing."""
    feed = Feed("requests", "x", "color", COLORS, counted=frozenset({"xx"}), varying=frozenset({"__name__"}))  # type: ignore[arg-type]  # see above
    tally = Tally(feed)
    tally.add(0, [series({5: 3}, __name__="total"), series({5: 2}, __name__="xx")])
    assert 2 == tally.requests("blue")


def buckets(at: float, counts: Mapping[str, float], **labels: str) -> list[Series]:
    return [series({at: count}, le=le, **labels) for le, count in counts.items()]


def slower(*looks: list[Series], edges: tuple[float, ...], feed: Feed = LATENCY) -> list[float]:
    tally = Tally(feed)
    for look in looks:
        tally.add(0, look)
    return [tally.slower("blue", edges)[edge] for edge in edges]


def test_slower_is_exact_at_a_bound_and_never_too_much_between_two() -> None:
    """Between 1 and 2.5 it counts what took longer than 2.5; above the last bound nothing."""
    look = buckets(5, {"0.5": 10, "1": 16, "2.5": 19, "+Inf": 20})
    assert [10, 4, 1, 1, 0] == slower(look, edges=(0.5, 1.0, 1.2, 2.5, 3.0))


def test_processes_with_different_buckets_are_added_up() -> None:
    """A new release may have other bounds: each process is read by its own."""
    old, new = buckets(5, {"1": 6, "+Inf": 10}), buckets(5, {"2": 7, "+Inf": 10}, instance="b")
    assert [7, 3] == slower([*old, *new], edges=(1.0, 2.0))


def test_buckets_in_milliseconds() -> None:
    """Envoy's bounds are whole milliseconds."""
    feed = Feed("latency", "x", "color", COLORS, varying=frozenset({"le"}), unit=0.001)  # type: ignore[arg-type]  # see above
    assert [3, 1] == slower(buckets(5, {"500": 7, "2000": 9, "+Inf": 10}), edges=(0.5, 2.0), feed=feed)


def test_a_histogram_that_begins_anew_does_so_in_all_its_buckets() -> None:
    """The first bucket has passed its old value, the others have not: 43 slow ones, not 45."""
    looks = buckets(5, {"0.1": 5, "+Inf": 100}), buckets(10, {"0.1": 7, "+Inf": 50})
    assert [95 + 43] == slower(*looks, edges=(0.1,))


@pytest.mark.parametrize(("edge", "count"), [(0.05, 9), (0.1, 9), (0.1 + 1e-12, 9), (0.11, 4), (0.21, 0)])
def test_beyond_a_bound(edge: float, count: float) -> None:
    """Rounding of a bound does not push an edge to the next one."""
    assert count == beyond(edge, [(0.1, 1), (0.2, 6), (float("inf"), 10)])


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 5), st.booleans(), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_never_more_than_there_was_and_all_of_it_without_restarts(
    lives: list[tuple[int, int, bool, bool]],
) -> None:
    """Whatever restarts (first flag) and scrapes (second) do: counts only rise, none is invented, and without a
    restart none is lost."""
    tally, good, bad, all_good, all_bad = Tally(REQUESTS), 0, 0, 0, 0
    tally.begin(0, [series({0: 0}, code="2xx"), series({0: 0}, code="5xx")])
    seen = (0.0, 0.0)
    for at, (more, failed, restarts, is_scraped) in enumerate(lives, start=1):
        if restarts:
            good = bad = 0
        good, bad, all_good, all_bad = good + more, bad + failed, all_good + more, all_bad + failed
        if is_scraped:
            tally.add(0, [series({at: good}, code="2xx"), series({at: bad}, code="5xx")])
        now = tally.requests("blue"), tally.errors("blue")
        assert seen[0] <= now[0] <= all_good + all_bad
        assert seen[1] <= now[1] <= all_bad
        seen = now
    if lives[-1][3] and not any(restarts for _, _, restarts, _ in lives):
        assert (all_good + all_bad, all_bad) == seen
