"""Readings as lines: what is counted, over what time, and how many points whatever the length."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from view import reported
from view.story import BEGINNING, Story

from deploytasks.view.html.charts import decades, even
from deploytasks.view.html.figures import figures
from deploytasks.view.html.series import MOST, Sample, samples, thinned
from deploytasks.view.wording import milliseconds, share


def told(**more: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events of a rollout of an hour, and its rules."""
    answer = reported.answer(Story(rules=reported.HOUR, **more).tell())
    return answer["events"], answer["planned"]["rules"]


def users(sample: Sample, color: str) -> Any:
    return next((found for name, found in sample.sources["users"].items() if name == color), None)


def test_values_are_of_the_time_before_and_not_of_all_that_was_ever_counted() -> None:
    """40 requests a second; a color without any has no share of errors."""
    events, rules = told(errors=0.01)
    found = samples(events, rules)
    assert 40.0 == users(found[4], "blue").pace
    assert None is users(found[2], "green").errors
    last = users(found[-1], "green")
    assert 40.0 == pytest.approx(last.pace)
    assert 0.01 == pytest.approx(last.errors, abs=0.001)
    assert 0.0475 == pytest.approx(last.p99, abs=0.003)
    assert 100 == found[-1].share


def test_the_limit_that_follows_the_live_color_is_the_folds_own() -> None:
    """Half as much again as the baseline's P99; unknown before there is a baseline."""
    events, rules = told()
    found = samples(events, rules)
    assert {} == found[0].worse
    assert found[-1].worse["users"] == pytest.approx(1.5 * users(found[2], "blue").p99, rel=0.01)


def test_a_counter_that_was_reset_leaves_a_gap_and_no_nonsense() -> None:
    """A fall of a count says nothing of a rate."""
    events, rules = told()
    readings = [each for each in events if each["kind"] == "reading"]
    readings[50]["facts"]["reading"]["totals"]["green"] = [0, 0, []]
    found = samples(events, rules)
    assert users(found[50], "green") is None
    assert users(found[50], "blue") is not None
    assert users(found[60], "green").pace == pytest.approx(20.0)


def test_a_long_rollout_has_as_many_points_as_any_and_leaves_no_request_out() -> None:
    """Ten thousand readings; the ends, and what moved traffic, are always there."""
    events = [
        {"kind": "reading", "at": "", "facts": {"move": "shift to 50 %" if at in (17, 4321) else "wait 15 s", "n": at}}
        for at in range(10_000)
    ]
    kept = thinned(events, MOST)
    places = [each["facts"]["n"] for each in kept]
    assert len(places) <= MOST
    assert {0, 17, 4321, 9999} <= set(places)
    assert sorted(places) == places
    assert max(after - before for before, after in pairwise(places)) < 50


def test_a_page_is_bounded_whatever_the_length() -> None:
    """A bake of six hours, at 15 s: hardly larger than that of half an hour."""
    story = Story(rules=replace(reported.HOUR, bake=6 * 3600.0, poll=15.0))
    answer = reported.answer(story.tell())
    from deploytasks.view.html.report import page

    assert 1500 < len(answer["events"])
    assert len(page(answer)) < 500_000


def test_each_chart_says_in_words_what_it_shows() -> None:
    """For whoever cannot see it; a chart of what nobody measures is not there."""
    events, rules = told(errors=0.01)
    found = figures(events, rules, {"green": "1.2.3", "blue": "1.2.2"}, samples(events, rules))
    names = [
        "split",
        "requests-per-second-users",
        "errors-users",
        "times-users",
        "errors-probes",
        "times-probes",
        "evidence",
    ]
    assert names == [figure.name for figure in found]
    assert "green had at most 100 % of the requests, at the end 100 %." == found[0].told
    assert "Rolls back above 2 %. Warns above 1 %." in found[2].told
    for figure in found:
        assert 2 == str(figure.svg).count('role="img"')
        assert 2 == str(figure.svg).count(f'<desc id="{figure.name}-')
    assert "P99 rolls back above 1.5 times that of blue" in [key.words for key in found[3].keys]


def test_sources_that_count_the_same_users_have_charts_of_their_own() -> None:
    """Each is named by who counts."""
    events, rules = told()
    for event in events:
        if event["kind"] == "reading":
            facts = event["facts"]
            facts["outlook"] |= {"counted_by": "envoy", "more": {"sentry": facts["outlook"]["users"]}}
            facts["reading"]["more"] = {"sentry": facts["reading"]["totals"]}
    headings = [each.heading for each in figures(events, rules, {}, samples(events, rules))]
    assert "Errors, as envoy counts" in headings
    assert "Errors, as sentry counts" in headings


def test_what_people_asked_for_is_marked_in_the_charts() -> None:
    """With the word for it, at its moment."""
    events, rules = told()
    at = (BEGINNING + timedelta(minutes=12)).isoformat()
    asked = {"kind": "asked", "at": at, "facts": {"verb": "pause"}, "number": 1, "who": "bob"}
    found = figures([*events, asked], rules, {}, samples(events, rules))
    assert ">pause</text>" in str(found[0].svg)


def test_axes_name_round_values() -> None:
    """Some, and not many."""
    assert [0.0, 0.01, 0.02] == [round(each, 3) for each in even(0.02, share).named]
    assert [0, 20, 40] == even(40.0, share).named
    assert [0.01, 0.1, 1.0] == pytest.approx(decades(0.021, 2.0, milliseconds).named)
