"""Several deployers at once: one proceeds; one that was asleep for too long has lost."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from journeys.environment import GRACE, until

from deploytasks.ledger import holding
from deploytasks.ports import other

if TYPE_CHECKING:
    from journeys.environment import Environment, Running


@pytest.mark.parametrize("count", [12, pytest.param(50, marks=pytest.mark.full)])
def test_of_many_deployers_exactly_one_proceeds(live: Environment, count: int) -> None:
    """The others leave with 5, and say who is at work, where, since when, and what it does."""
    home = live.live()
    assert live.inv("test").code == 0
    assert live.inv("build").code == 0
    began = len(live.events("began"))
    deployers = [live.start("deploy-blue-green") for _ in range(count)]
    codes = [deployer.wait(110) for deployer in deployers]
    said = [deployer.said for deployer in deployers]
    assert sorted(codes) == [0, *[5] * (count - 1)], "\n".join(said)
    held = re.compile(r"library/development is held by \S+@\S+ \(pid \d+\) since [\d:]+ UTC, doing: \S")
    for code, text in zip(codes, said, strict=True):
        assert code == 0 or held.search(text), text
    assert len(live.events("began")) == began + 1
    live.assert_at_rest(other(home))


def stop(running: Running) -> None:
    """SIGSTOP, in a moment without locks: whoever is stopped with one keeps all others out, and they say so."""

    def is_stopped() -> bool:
        running.signal(signal.SIGSTOP)
        os.waitpid(running.popen.pid, os.WUNTRACED)
        locks = Path("/proc/locks").read_text().split("\n")
        if not any(line.split()[4:5] == [str(running.popen.pid)] for line in locks):
            return True
        running.signal(signal.SIGCONT)
        return False

    until(is_stopped, 10)


def test_a_deployer_that_was_stopped_beyond_its_lease_writes_nothing_more(live: Environment) -> None:
    """SIGSTOP, another one takes over and finishes, SIGCONT: it leaves with 5; ledger and split stay as they are."""
    home = live.live()
    live.configure(lease="2s")
    sleeper = live.start("deploy")
    live.until_at(sleeper, "50 %")
    stop(sleeper)
    taker = live.inv("deploy", "--wait", "20")
    assert taker.code == 0, taker.said
    assert "took the lease over" in taker.said
    assert live.live() == other(home)
    head, split = live.world.ledger.head(), live.split()
    sleeper.signal(signal.SIGCONT)
    assert sleeper.wait(20) == 5, sleeper.said
    assert (live.world.ledger.head().digest, live.split()) == (head.digest, split), sleeper.said
    live.assert_at_rest(other(home))


def test_a_deployer_sees_that_somebody_rolled_back_meanwhile_and_leaves(live: Environment) -> None:
    """A rollback preempts: everybody is home, and the deployer stops with 5 and touches nothing more."""
    home = live.live()
    deployer = live.start("deploy")
    live.until_at(deployer, "50 %")
    done = live.inv("rollback", "--no-watch", "--reason", "I see errors")
    assert done.code == 0, done.said
    assert deployer.wait(20) == 5, deployer.said
    until(lambda: holding(live.world.store, live.world.scope) is None, 5)
    assert live.live() == home
    until(lambda: not live.switch().armed, GRACE + 5)  # it finds a split that is not its deployer's, and ends
    live.inv("status")
    live.assert_at_rest(home)


def test_waiting_for_somebody_elses_lease(live: Environment) -> None:
    """`--wait` begins when the other one has ended."""
    home = live.live()
    first = live.start("deploy")
    live.until_at(first, "50 %")
    second = live.inv("backup-database", "--wait", "40")
    assert (second.code, first.wait(40)) == (0, 0), second.said + first.said
    live.assert_at_rest(other(home))
