"""Releases that are no good: each goes home by itself, and the reason names what was seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from journeys.traffic import users

from deploytasks.ports import other

if TYPE_CHECKING:
    from journeys.environment import Environment

QUICK_LIMITS = {
    "rollback_when": {"p99": "1s"},
    "warn_when": {"p95": "200ms", "p99": "500ms"},
    "fleet": {"start_within": "3s"},
    "watch": "4s",
}
"""A second is slow here, and three seconds are long for a start."""

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "errors": ({"errors": 0.5}, "errors"),
    "latency": ({"latency": {"seconds": 1.5, "share": 0.3}}, "p99"),
    "health": ({"health": {"after": 4}}, "health"),
    "health from the start": ({"health": "failing"}, "/health answered 503"),
    "slow start": ({"slow_start": 20}, "not healthy within 3 s"),
    "crash": ({"crash_after": 4}, "errors|health"),
    "migration": ({"migration": "broken"}, "migrat"),
}
"""What is wrong with the release, and the word for it in the reason (a crash shows in whichever is seen first)."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_release_goes_home_by_itself_and_the_reason_names_it(live: Environment, fault: str) -> None:
    """Code 4; the old release has all traffic, nothing is open, and the ledger knows why."""
    faults, word = FAULTS[fault]
    home = live.live()
    live.configure(**QUICK_LIMITS)
    live.commit(faults=faults)
    done = live.inv("deploy")
    assert done.code == 4, done.said
    live.assert_at_rest(home)
    ended = live.events("ended")[-1].facts
    assert (ended["outcome"], ended["code"]) == ("taken back", 4)
    assert re.search(word, str(ended["why"])), ended
    assert re.search(word, done.said), done.said


def test_without_traffic_a_deployment_is_held_and_can_be_resumed_when_there_is_some(live: Environment) -> None:
    """Neither users nor a probe: home with code 6, the release stays installed; with users, `resume` carries it out."""
    home = live.live()
    live.configure(without=("probe",), missing="2s", hold="1s")
    held = live.inv("deploy")
    assert held.code == 6, held.said
    live.assert_at_rest(home, running={"blue", "green"})
    assert live.events("ended")[-1].facts["outcome"] == "held"
    with users(live):
        resumed = live.inv("resume")
    assert resumed.code == 0, resumed.said
    live.assert_at_rest(other(home), running={"blue", "green"})
    assert live.split().way_back == home


def test_without_a_held_or_open_deployment_there_is_nothing_to_resume(live: Environment) -> None:
    """Code 3, and nothing moves."""
    before = live.split()
    done = live.inv("resume")
    assert (done.code, live.split()) == (3, before), done.said
    assert "nothing to resume" in done.err
