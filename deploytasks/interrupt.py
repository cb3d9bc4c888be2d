"""Ctrl-C, SIGTERM and a lost terminal, made into an exception that takes a deployment back and has its exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from .errors import Interrupted

_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}
"""The terminal that goes away (SIGHUP) is somebody who leaves, as with SIGTERM."""

AGAIN_AFTER = 0.01
"""Seconds: the finalizer in which an interrupt was lost has ended by then; in the next it is lost and comes again."""


@contextmanager
def caught() -> Iterator[None]:
    """Raise ``Interrupted`` in the main thread at the first signal. One that is ignored (``nohup``) stays ignored.

    Handlers are put back at the end. Outside the main thread, where Python allows no handlers, it does nothing.
    One that arrives while Python runs a finalizer, which drops what is raised there, comes again at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # one is enough: what follows is the way back
        raise _struck[-1] if _struck else Interrupted(_CODES[signal.Signals(signum)])

    def come_again(dropped: sys.UnraisableHookArgs) -> None:
        if not isinstance(dropped.exc_value, Interrupted):
            hook(dropped)
            return
        for number in before:
            signal.signal(number, stop)
        again = signal.SIGINT if dropped.exc_value.exit_code == _CODES[signal.SIGINT] else signal.SIGTERM
        threading.Timer(AGAIN_AFTER, os.kill, (os.getpid(), again)).start()

    before = {n: signal.getsignal(n) for n in _CODES if not _is_nohup(n)}
    hook, sys.unraisablehook = sys.unraisablehook, come_again
    for number in before:
        signal.signal(number, stop)
    _stops.append(stop)
    try:
        yield
    finally:
        _stops.remove(stop)
        _struck.clear()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def strike(error: Interrupted) -> None:
    """Raise this in the main thread, from whichever thread, as a signal would: only where signals are ``caught``, and
    not while they are held off."""
    if signal.getsignal(signal.SIGTERM) in _stops:
        _struck.append(error)
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def held_off() -> Iterator[None]:
    """Let no SIGINT or SIGTERM in: the way back is short, and must not be cut."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _CODES}
    try:
        yield
    finally:
        _struck.clear()  # one that came meanwhile came too late
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def reaching(give_up: Callable[[], None]) -> Iterator[None]:
    """Have ``give_up`` called by ``pass_on``. An interrupt arrives in the main thread: others wait on."""
    key = object()
    _reached[key] = give_up
    try:
        yield
    finally:
        del _reached[key]


def pass_on() -> None:
    """End what other threads wait for, each as if its time were up. For whoever leaves while they are at work."""
    for give_up in list(_reached.values()):
        give_up()


_reached: dict[object, Callable[[], None]] = {}
_stops: list[Callable[[int, FrameType | None], None]] = []
"""The handlers that are in force, or would be but for ``held_off``."""
_struck: list[Interrupted] = []
"""What the next signal means; a signal of the system, when empty."""


def _is_nohup(number: signal.Signals) -> bool:
    """Whether somebody wants us to live on when the terminal goes."""
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
