"""A deployment that people talk to from another terminal: two real ``inv`` processes, a real balancer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from journeys.environment import until

if TYPE_CHECKING:
    from journeys.environment import Environment

SLOW_MIGRATION = "sleep 40; {python} manage.py migrate --noinput"


def test_paused_continued_promoted_and_aborted_from_another_terminal(live: Environment) -> None:
    """Each is answered by what came of it, within seconds; the poll is a minute long, and nobody waits for it."""
    home = live.live()
    live.configure(stages=[50, 100], watch="60s", poll="60s", baseline="0s", hold="60s", missing="60s")
    deployer = live.start("deploy")
    live.until_at(deployer, "50 %")
    began = time.monotonic()
    paused = live.inv("pause", "--reason", "a mail goes out", "--json")
    took = time.monotonic() - began
    assert paused.code == 0, paused.said
    assert paused.answer["obeyed"]
    assert paused.answer["said"].startswith("paused at stage 1 of 2, 50 %; goes home at ")
    assert took < 5, took
    status = live.inv("status", "--json").answer
    assert "paused at stage 1 of 2, 50 % by" in status["lease"]["doing"]
    went_on = live.inv("continue", "--reason", "it is out")
    assert (went_on.code, "goes on: stage 1 of 2, 50 %" in went_on.out) == (0, True), went_on.said
    again = live.inv("continue", "--reason", "is it?")
    assert (again.code, "nothing is paused" in again.err) == (3, True), again.said
    promoted = live.inv("promote", "--reason", "seen enough")
    assert promoted.code == 0, promoted.said
    assert "stage 1 of 2, 50 % is over, stage 2 of 2, 100 % begins" in promoted.out
    until(lambda: live.split().live not in (None, home), 10, live.split)
    aborted = live.inv("abort", "--reason", "the covers are missing", "--json")
    assert aborted.code == 0, aborted.said
    assert (aborted.answer["outcome"], aborted.answer["code"]) == ("taken back", 4)
    assert deployer.wait(20) == 4, deployer.said
    assert "the covers are missing" in deployer.said
    live.assert_at_rest(home)
    assert [event.facts["promoted"] for event in live.events("overridden")] == [True]
    nobody = live.inv("pause", "--reason", "again")
    assert (nobody.code, "nothing runs in development" in nobody.err) == (3, True), nobody.said


def test_an_abort_ends_what_runs_on_a_host(live: Environment) -> None:
    """A migration of 40 seconds is not waited for."""
    home = live.live()
    live.configure(database={"migrate": SLOW_MIGRATION})
    deployer = live.start("deploy")
    live.until_at(deployer, "migrate")
    began = time.monotonic()
    aborted = live.inv("abort", "--reason", "wrong branch")
    assert aborted.code == 0, aborted.said
    assert deployer.wait(15) == 4, deployer.said
    assert time.monotonic() - began < 10
    live.assert_at_rest(home)
