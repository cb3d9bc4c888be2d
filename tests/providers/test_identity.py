"""A process is known by more than its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploytasks.providers import identity as module
from deploytasks.providers.identity import identity, is_alive, pid_of, signal_if_same


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits until it is ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_knows_a_living_process(child: subprocess.Popen[bytes]) -> None:
    """The identity of a living process holds its pid, stays the same, and is alive."""
    known = identity(child.pid)
    assert known is not None
    assert (pid_of(known), identity(child.pid), is_alive(known)) == (child.pid, known, True)


def test_ended_process_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    """A process that has ended is not alive, even while its zombie still holds the number."""
    known = identity(child.pid)
    assert known is not None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet reaped
    assert (is_alive(known), identity(child.pid)) == (False, None)


def test_signals_the_process_it_names(child: subprocess.Popen[bytes]) -> None:
    """The signal reaches the process that the identity names."""
    known = identity(child.pid)
    assert known is not None
    assert signal_if_same(known, signal.SIGTERM)
    assert child.wait(10) == -signal.SIGTERM


def test_never_signals_a_stranger_with_a_reused_pid(child: subprocess.Popen[bytes]) -> None:
    """An older process of the same number is not this one: no signal, and the stranger lives on."""
    known = identity(child.pid)
    assert known is not None
    pid, start, boot = known.split(":")
    earlier = f"{pid}:{int(start) - 1}:{boot}"
    last_boot = f"{pid}:{start}:00000000-0000-0000-0000-000000000000"
    assert [signal_if_same(other, signal.SIGKILL) for other in (earlier, last_boot)] == [False, False]
    assert child.poll() is None


@pytest.mark.parametrize("text", ["", "nonsense", "-1:2:3", "0:0:0", "999999999:1:x"])
def test_nonsense_is_nobody(text: str) -> None:
    """A text that is no identity, or names nobody, is not alive and never signalled."""
    assert (is_alive(text), signal_if_same(text, signal.SIGTERM)) == (False, False)


def test_works_without_proc(child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Where there is no /proc, ``ps`` tells when a process started."""
    monkeypatch.setattr(module, "_PROC", tmp_path)
    known = identity(child.pid)
    assert known is not None
    assert (is_alive(known), identity(999999999)) == (True, None)
    child.kill()
    child.wait(10)
    assert not is_alive(known)
