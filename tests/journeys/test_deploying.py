"""Deployments and rollbacks that go well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from journeys.traffic import assert_nothing_lost, users

from deploytasks.ports import other

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeys.conftest import Pool
    from journeys.environment import Environment


@pytest.fixture(scope="module")
def first(pool: Pool) -> Iterator[Environment]:
    """An environment after its first deployment. Whoever changes it leaves it as it was."""
    environment = pool.new()
    try:
        done = environment.inv("deploy")
        assert done.code == 0, done.said
        yield environment
    finally:
        environment.end()


def test_the_first_deployment_exposes_a_release(first: Environment) -> None:
    """From nothing to a served release: everything on blue, no way back, the switch off."""
    first.assert_at_rest("blue", running={"blue"})
    assert first.split().way_back is None
    assert first.events("ended")[0].facts["outcome"] == "done"


def test_without_a_way_back_a_rollback_refuses_and_says_how_to_choose(first: Environment) -> None:
    """Code 3, and traffic stays."""
    before = first.split()
    done = first.inv("rollback", "--reason", "too early")
    assert (done.code, first.split()) == (3, before), done.said
    assert "--to" in done.err
    first.assert_at_rest("blue", running={"blue"})


def test_the_release_that_is_live_already_is_left_alone(first: Environment) -> None:
    """The same command again: 0, nothing to do, no event of a deployment."""
    before, count = first.split(), len(first.events("began"))
    done = first.inv("deploy")
    assert (done.code, first.split(), len(first.events("began"))) == (0, before, count), done.said
    assert "live on blue already" in done.said


def test_down_stops_everything_and_a_deployment_brings_it_back(first: Environment) -> None:
    """Nothing runs, twice said; then the same release serves again, with nothing installed anew."""
    assert first.inv("down").code == 0
    assert first.processes() == {}
    assert first.inv("down").code == 0
    done = first.inv("deploy")
    assert done.code == 0, done.said
    first.assert_at_rest("blue", running={"blue"})
    assert len(first.events("installed")) == 1


def test_a_deployment_under_load_loses_nothing(live: Environment) -> None:
    """Blue-green while users come: not one request without an answer, no POST applied twice."""
    home = live.live()
    with users(live) as tally:
        done = live.inv("deploy")
    assert done.code == 0, done.said
    live.assert_at_rest(other(home), running={"blue", "green"})
    assert live.split().way_back == home
    assert_nothing_lost(tally, live)


def test_a_rollback_under_load_brings_everybody_home_and_loses_nothing(settled: Environment) -> None:
    """One write, verified and watched: the old release serves again."""
    home = settled.split().way_back
    assert home is not None
    with users(settled) as tally:
        done = settled.inv("rollback", "--reason", "the new one is ugly")
    assert done.code == 0, done.said
    settled.assert_at_rest(home, running={"blue", "green"})
    assert_nothing_lost(tally, settled)
    assert settled.events("rolled-back")[-1].facts["reason"] == "the new one is ugly"


def test_a_rollback_in_a_quiet_environment_watches_its_own_probe_and_is_done_once(settled: Environment) -> None:
    """Nobody comes, but a probe is configured: there is something to judge. Twice in a row is once, and says so."""
    assert settled.inv("rollback", "--reason", "quiet").code == 0
    before = settled.split()
    done = settled.inv("rollback", "--no-watch", "--reason", "again")
    assert (done.code, settled.split()) == (0, before), done.said
    assert "already" in done.said
    settled.assert_at_rest(before.live or "blue")


@pytest.mark.full
def test_a_rollback_that_nobody_was_there_to_judge_is_a_good_one(settled: Environment) -> None:
    """Neither users nor a probe: traffic is home, that is what was asked for, and the words say what is not known."""
    settled.configure(without=("probe",), missing="1s", hold="1s", after_rollback="2s")
    home = settled.split().way_back
    done = settled.inv("rollback", "--reason", "quiet")
    assert (done.code, settled.live()) == (0, home), done.said
    assert "could not be judged" in done.said
