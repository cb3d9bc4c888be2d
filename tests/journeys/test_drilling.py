"""Drills with real deployers, a real balancer, and visitors who count: as the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from journeys.shown import typed

if TYPE_CHECKING:
    from journeys.environment import Environment


def evidence(environment: Environment) -> Any:
    """What the last drill has left in the ledger."""
    event = environment.events("evidence")[-1]
    assert event.facts["item"] == "drill"
    assert event.facts["ok"], event.facts
    return event.facts


def test_a_drill_kills_and_shows_that_nothing_is_lost(live: Environment) -> None:
    """A death just after users have come to the new release: whoever comes next brings order, and nobody notices."""
    typed(live, "docs/drills.md", "Deployers that die")
    (found,) = evidence(live)["rounds"]
    assert (found["at"], found["by"], found["wrong"]) == ("shifting to 100 %", "resume", [])
    assert found["left"] == "blue 50 % / green 50 %"
    assert (found["sent"] > 50, found["lost"]) == (True, 0), found
    live.assert_at_rest(live.live())


def test_a_rollback_is_rehearsed_for_real(settled: Environment) -> None:
    """There and back again, measured, with visitors at the public address; what was settled still is."""
    before = settled.split()
    typed(settled, "docs/drills.md", "A rollback, for real", instead={"--env staging": "--env development --rollback"})
    found = evidence(settled)
    assert (found["what"], found["lost"], found["counted"]) == ("rollback", 0, True)
    assert found["sent"] > 50
    assert found["seconds_back"] < 2
    assert settled.split() == before
    settled.assert_at_rest(settled.live())


@pytest.mark.full
def test_every_death_of_a_deployer_is_survived(live: Environment) -> None:
    """At every step, each of those who may come after it."""
    done = live.inv("drill", "--thorough", "--json", timeout=3000)
    assert done.code == 0, done.said
    assert len(done.answer["rounds"]) > 40
    assert done.answer["lost"] == 0
