"""Deployments and rollbacks that go well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeys.traffic import assert_nothing_lost, users

from deploytasks.ports import other

if TYPE_CHECKING:
    from journeys.environment import Environment


def test_the_first_deployment_exposes_a_release_that_nobody_can_go_back_from(fresh: Environment) -> None:
    """From nothing to a served release: everything on blue, no way back, the switch off."""
    done = fresh.inv("deploy")
    assert done.code == 0, done.said
    fresh.assert_at_rest("blue", running={"blue"})
    assert fresh.split().way_back is None
    assert [event.facts["outcome"] for event in fresh.events("ended")] == ["done"]


def test_a_deployment_under_load_loses_nothing(live: Environment) -> None:
    """Blue-green while users come: not one request without an answer, no POST applied twice."""
    home = live.live()
    with users(live) as tally:
        done = live.inv("deploy")
    assert done.code == 0, done.said
    live.assert_at_rest(other(home), running={"blue", "green"})
    assert live.split().way_back == home
    assert_nothing_lost(tally, live)


def test_the_release_that_is_live_already_is_left_alone(settled: Environment) -> None:
    """The same command again: 0, nothing to do, no event of a deployment."""
    settled.inv("deploy")
    before, count = settled.split(), len(settled.events("began"))
    done = settled.inv("deploy")
    assert (done.code, settled.split(), len(settled.events("began"))) == (0, before, count), done.said
    assert "live" in done.said
    assert "already" in done.said


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


def test_a_second_rollback_changes_nothing_and_says_so(settled: Environment) -> None:
    """Twice in a row is once."""
    assert settled.inv("rollback", "--no-watch", "--reason", "first").code == 0
    before = settled.split()
    done = settled.inv("rollback", "--no-watch", "--reason", "second")
    assert (done.code, settled.split()) == (0, before), done.said
    assert "already" in done.said
    settled.assert_at_rest(before.live or "blue")


def test_without_a_way_back_a_rollback_refuses_and_says_how_to_choose(live: Environment) -> None:
    """After `retire` nothing leads back: code 3, and traffic stays."""
    assert live.inv("deploy").code == 0
    assert live.inv("retire", "--force").code == 0
    before = live.split()
    done = live.inv("rollback", "--reason", "too late")
    assert (done.code, live.split()) == (3, before), done.said
    assert "--to" in done.err
    live.assert_at_rest(live.live(), running={live.live()})


def test_a_rollback_in_a_quiet_environment_watches_its_own_probe(settled: Environment) -> None:
    """Nobody comes, but a probe is configured: the watch after the rollback has something to judge."""
    done = settled.inv("rollback", "--reason", "quiet")
    assert done.code == 0, done.said


def test_a_rollback_that_nobody_was_there_to_judge_is_a_good_one(settled: Environment) -> None:
    """Neither users nor a probe: traffic is home, that is what was asked for, and the words say what is not known."""
    settled.configure(without=("probe",), missing="1s", hold="1s", after_rollback="2s")
    home = settled.split().way_back
    done = settled.inv("rollback", "--reason", "quiet")
    assert (done.code, settled.live()) == (0, home), done.said
    assert "could not be judged" in done.said
