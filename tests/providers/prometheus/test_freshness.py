"""What is known, and what has fallen silent."""

from __future__ import annotations

import re
from typing import Any

from deploytasks.providers.prometheus.counting import Series, Tally
from deploytasks.providers.prometheus.feeds import Feed
from deploytasks.providers.prometheus.freshness import Freshness

COLORS: Any = {"blue": re.compile("blue"), "green": re.compile("green")}
NOW, STALE = 1000.0, 45.0


def tally(what: Any = "requests", **ages: tuple[float, ...]) -> Tally:
    """Per ``color_instance``: how old its samples are, each worth one more request; none: known from before."""
    found = Tally(Feed(what, "x", "color", COLORS, varying=frozenset()))
    for name, seen in ages.items():
        color, _, instance = name.partition("_")
        labels = {"color": color, "job": "j", "instance": instance}
        found.begin(NOW - 500, [Series(labels, [(NOW - 500, 0.0)])])
        samples = [(NOW - age, float(at)) for at, age in enumerate(sorted(seen, reverse=True), start=1)]
        if samples:
            found.add(NOW - 500, [Series(labels, samples)])
    return found


def fresh(*tallies: Tally, **up: int) -> Freshness:
    """``up``: per instance."""
    targets = [Series({"job": "j", "instance": name}, [(NOW, float(value))]) for name, value in up.items()]
    return Freshness(tallies, targets, NOW, STALE)


BUSY = (100.0, 60.0, 20.0, 5.0)
GONE = (200.0, 150.0, 130.0, 120.0)


def test_fresh_colors_are_known() -> None:
    """Both, when both have samples."""
    found = fresh(tally(blue_a=BUSY, green_b=BUSY), tally("latency", blue_a=BUSY, green_b=BUSY))
    assert ("", ["blue", "green"]) == (found.silence(), found.known())


def test_a_color_that_never_had_a_request_has_none() -> None:
    """The exporter is fresh, it has only no series of this color yet: zero, not unknown."""
    found = fresh(tally(blue_a=BUSY), tally("latency", blue_a=BUSY))
    assert ("", ["blue", "green"]) == (found.silence(), found.known())


def test_nothing_that_matches_is_no_data() -> None:
    """A selector that matches nothing says nothing about anybody."""
    assert "no series matches x" == fresh(tally(), tally("latency")).silence()


def test_a_target_that_is_labelled_with_a_color_and_up_has_had_no_request() -> None:
    """On a first deployment an application has no series before its first request."""
    target = Series({"job": "j", "instance": "a", "color": "green"}, [(NOW, 1.0)])
    found = Freshness([tally(), tally("latency")], [target], NOW, STALE)
    assert ("", ["green"]) == (found.silence(), found.known())


def test_a_target_that_is_down_is_no_such_sign() -> None:
    """Labelled and down: nothing is known."""
    target = Series({"job": "j", "instance": "a", "color": "green"}, [(NOW, 0.0)])
    assert "no series" in Freshness([tally(), tally("latency")], [target], NOW, STALE).silence()


def test_all_that_fell_silent_is_no_data_and_says_its_age() -> None:
    """The newest sample is two minutes old."""
    found = fresh(tally(blue_a=GONE, green_b=BUSY), tally("latency", blue_a=BUSY, green_b=BUSY), a=0).silence()
    assert "requests of blue: the newest sample is 120 s old, 45 s are too old" in found
    assert "(target j a does not answer its scrapes)" in found


def test_one_instance_of_several_that_does_not_answer_is_no_data() -> None:
    """The others may be well because this one is not."""
    found = fresh(tally(blue_a=BUSY, blue_b=GONE), tally("latency", blue_a=BUSY), a=1, b=0)
    assert "(target j b does not answer its scrapes)" in found.silence()


def test_an_instance_that_was_taken_away_is_not_missed() -> None:
    """It is no target any more, and others of its color go on."""
    found = fresh(tally(blue_a=BUSY, blue_b=GONE), tally("latency", blue_a=BUSY), a=1)
    assert ("", ["blue", "green"]) == (found.silence(), found.known())


def test_the_last_instance_of_a_busy_color_is_missed() -> None:
    """Taken away or not: users were there, and nobody counts them."""
    found = fresh(tally(blue_a=GONE, green_b=BUSY), tally("latency", blue_a=BUSY, green_b=BUSY))
    assert "(target j a is gone)" in found.silence()


def test_a_color_that_was_silent_from_the_beginning_is_left_out() -> None:
    """The idle color stopped half an hour ago: no word about it, and no hindrance."""
    found = fresh(tally(blue_a=BUSY, green_b=()), tally("latency", blue_a=BUSY, green_b=()), a=1, b=0)
    assert ("", ["blue"]) == (found.silence(), found.known())


def test_a_color_that_falls_silent_without_traffic_is_left_out() -> None:
    """Retired while somebody watches the live one: its last scrapes counted nothing new."""
    found = tally(blue_a=BUSY, green_b=())
    labels = {"color": "green", "job": "j", "instance": "b"}
    found.add(NOW - 500, [Series(labels, [(NOW - age, 0.0) for age in (200, 100, 60)])])
    assert ("", ["blue"]) == (fresh(found, tally("latency", blue_a=BUSY), a=1, b=0).silence(), fresh(found).known())


def test_everything_silent_from_the_beginning_is_no_data() -> None:
    """Prometheus answers, and has scraped nothing for long."""
    found = fresh(tally(blue_a=(), green_b=()), tally("latency"))
    assert "requests: no sample is younger than 45 s" == found.silence()


def test_requests_whose_latency_nobody_tells_are_no_data() -> None:
    """The balancer counts requests to green, and no fresh histogram is green's: not a fast release."""
    found = fresh(tally(blue_a=BUSY, green_a=BUSY), tally("latency", blue_c=BUSY))
    assert "green gets requests, and no fresh series of x says how long they take" == found.silence()


def test_a_moment_without_latencies_is_no_silence() -> None:
    """The first requests may be scraped at the balancer before they are scraped at the application."""
    assert "" == fresh(tally(blue_a=BUSY, green_a=(20.0, 5.0)), tally("latency", blue_c=BUSY)).silence()
