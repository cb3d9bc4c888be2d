"""Ctrl-C and SIGTERM in the middle of a deployment, whatever stdin is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from journeys.environment import until

if TYPE_CHECKING:
    from journeys.environment import Environment, Running

MOMENTS = ("test", "start", "migrate", "50 %")
STDINS = ("terminal", "nothing", "closed")
CODES = {"INT": 130, "TERM": 143}
# Each moment with each signal, each stdin with each signal; all of it in full.
DEFAULT = [
    ("test", "INT", "terminal"),
    ("test", "TERM", "nothing"),
    ("start", "INT", "closed"),
    ("start", "TERM", "terminal"),
    ("migrate", "INT", "nothing"),
    ("migrate", "TERM", "closed"),
    ("50 %", "INT", "terminal"),
    ("50 %", "TERM", "nothing"),
]
ALL = [(moment, name, stdin) for moment in MOMENTS for name in CODES for stdin in STDINS]
CASES = [*DEFAULT, *(pytest.param(*case, marks=pytest.mark.full) for case in ALL if case not in DEFAULT)]
SLOW_COMMAND = "sleep 61"


def begin(environment: Environment, moment: str, stdin: str) -> tuple[Running, Callable[[], None]]:
    """A deployment that is in the middle of something slow; and what Ctrl-C is for it."""
    if moment == "test":
        environment.configure(tests=SLOW_COMMAND)
    elif moment == "migrate":
        environment.configure(database={"migrate": SLOW_COMMAND})
    elif moment == "start":
        environment.commit(faults={"slow_start": 15})
    if stdin == "terminal":
        return _at_a_terminal(environment)
    if stdin == "closed":
        deployer = environment.start("deploy", stdin=None, preexec_fn=lambda: os.close(0))
    else:
        deployer = environment.start("deploy")
    return deployer, lambda: deployer.signal(signal.SIGINT)


def _at_a_terminal(environment: Environment) -> tuple[Running, Callable[[], None]]:
    """With a terminal of its own as stdin, that is its controlling one: Ctrl-C is typed there."""
    ours, its = os.openpty()

    def take_it() -> None:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    deployer = environment.start("deploy", stdin=its, preexec_fn=take_it)
    os.close(its)
    deployer.keep(ours)
    return deployer, lambda: (os.write(ours, b"\x03"), None)[1]


@pytest.mark.parametrize(("moment", "name", "stdin"), CASES)
def test_an_interrupted_deployment_takes_itself_back(live: Environment, moment: str, name: str, stdin: str) -> None:
    """Within 10 s: its code, traffic where it was, nothing open, no process of it left."""
    home, before = live.live(), live.servers()
    deployer, press_ctrl_c = begin(live, moment, stdin)
    if moment == "test":
        until(lambda: any(SLOW_COMMAND in line for line in live.processes().values()), 30, lambda: deployer.said)
    else:
        live.until_at(deployer, moment)
    began = time.monotonic()
    press_ctrl_c() if name == "INT" else deployer.signal(signal.SIGTERM)
    code = deployer.wait(15)
    took = time.monotonic() - began
    assert code == CODES[name], deployer.said
    assert took < 10, f"{took:.1f} s\n{deployer.said}"
    assert "Traceback" not in deployer.said
    live.assert_at_rest(home)
    assert live.servers() <= before | {home}
    outcomes = [event.facts["outcome"] for event in live.events("ended")]
    assert moment == "test" or outcomes[-1] == "interrupted"
