"""Signals as exceptions."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from deploytasks import interrupt
from deploytasks.errors import Interrupted


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)], ids=str
)
def test_a_signal_becomes_an_exception_with_its_code(number: signal.Signals, code: int) -> None:
    """Ctrl-C, SIGTERM and a terminal that goes away all take the deployment back."""
    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with pytest.raises(Interrupted) as caught, interrupt.caught():
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, before)
    assert code == caught.value.exit_code


def test_nohup_is_respected() -> None:
    """Whoever ignores SIGHUP wants the deployment to live on without its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupt.caught():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_signal_does_not_cut_the_way_back() -> None:
    """One is enough: after it, none comes through until the end."""
    with interrupt.caught():
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_in_a_finalizer_is_not_lost() -> None:
    """Python drops what is raised in ``__del__`` and in weak references' callbacks: the interrupt comes again."""

    class Last:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def work() -> None:
        with interrupt.caught():
            Last()
            threading.Event().wait(10)

    with pytest.raises(Interrupted) as caught:
        work()
    assert caught.value.exit_code == 143


def test_handlers_are_put_back() -> None:
    """What was there before is there again."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with interrupt.caught(), interrupt.held_off():
        pass
    assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
