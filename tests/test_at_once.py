"""Many at once: a bounded number, all finish, and an interrupt reaches those under way."""

from __future__ import annotations

import signal
import threading
import time
from functools import partial

import pytest

from deploytasks import interrupt
from deploytasks.at_once import at_once
from deploytasks.errors import Interrupted


def test_results_in_order_and_errors_beside_them() -> None:
    """One that fails stops no other."""

    def work(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        return number

    came = at_once([partial(work, number) for number in range(4)], 3)
    assert [one.value for one in came] == [0, None, 2, 3]
    assert [str(one.error) for one in came if one.error] == ["one"]


@pytest.mark.parametrize("most", [1, 3, 8])
def test_no_more_than_so_many(most: int) -> None:
    """The bound is reached and kept."""
    lock, now, seen = threading.Lock(), [0], [0]
    meet = threading.Barrier(most)

    def work() -> None:
        with lock:
            now[0] += 1
            seen[0] = max(seen[0], now[0])
        meet.wait(5)
        with lock:
            now[0] -= 1

    came = at_once([work] * (2 * most), most)
    assert [one.error for one in came] == [None] * (2 * most)
    assert seen == [most]


def test_who_stops_it_lets_no_other_begin() -> None:
    """What is under way finishes; the reason comes out; nothing is begun after it."""
    begun: list[int] = []
    first = threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        first.wait(0.2)

    def between() -> None:
        if begun:
            raise RuntimeError("somebody took over")

    with pytest.raises(RuntimeError, match="took over"):
        at_once([partial(work, number) for number in range(9)], 2, between)
    assert sorted(begun) == [0, 1]


def test_an_interrupt_ends_all_of_it_soon() -> None:
    """Ctrl-C is raised in each of them: they clear up, those that wait never begin, and nobody is waited for long."""
    cleared: list[int] = []
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        try:
            for _ in range(3000):
                time.sleep(0.01)
        except BaseException:
            cleared.append(number)
            raise

    began = time.monotonic()
    timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    with interrupt.caught(), pytest.raises(Interrupted):
        at_once([partial(work, number) for number in range(6)], 2)
    timer.join()
    assert sorted(begun) == sorted(cleared) == [0, 1]
    assert time.monotonic() - began < 3
