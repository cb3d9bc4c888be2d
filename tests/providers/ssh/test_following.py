"""Commands that are followed line by line, for as long as somebody listens."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from lab.labhost import is_running
from providers.ssh.conftest import reached

from deploytasks import interrupt
from deploytasks.at_once import at_once
from deploytasks.errors import Interrupted, Unreachable

if TYPE_CHECKING:
    from lab.hosts import Lab

    from deploytasks.providers.ssh import SshHost


class Enough(Exception):
    """The listener has heard enough."""


def gone(pid: int, seconds: float = 5) -> bool:
    """Whether a process ends in time."""
    deadline = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def test_lines_and_the_exit_code(h1: SshHost) -> None:
    """Every line once, empty ones and an unfinished last one too, stderr among them; then the code."""
    lines: list[str] = []
    assert 3 == h1.follow("echo one; echo; echo two >&2; echo; printf three; exit 3", lines.append)
    assert ["one", "", "two", "", "three"] == lines


def test_lines_come_as_they_are_written(h1: SshHost) -> None:
    """A line does not wait for the next one."""
    came: list[float] = []
    began = time.monotonic()
    h1.follow("echo now; sleep 1; echo later", lambda _: came.append(time.monotonic() - began))
    assert came[1] - came[0] > 0.7


def test_an_end_of_listening_ends_the_command(h1: SshHost) -> None:
    """When the listener raises, the command is killed on the host, and the error is the listener's."""
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        raise Enough

    with pytest.raises(Enough):
        h1.follow("echo $$; exec sleep 87", listen)
    assert gone(pids[0])


def test_an_interrupt_ends_the_command(h1: SshHost) -> None:
    """Ctrl-C arrives at once, and leaves nothing behind."""
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    with interrupt.caught(), pytest.raises(Interrupted):
        h1.follow("echo $$; exec sleep 86", listen)
    assert gone(pids[0])


def test_an_interrupt_ends_a_command_that_is_waited_for(lab: Lab, h1: SshHost) -> None:
    """The same with `run`: no orphan."""
    note = f"{lab.hosts[0].root}/interrupted"
    file = lab.hosts[0].path(note)

    def interrupt_it() -> None:
        deadline = time.monotonic() + 10
        while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_it).start()
    began = time.monotonic()
    with interrupt.caught(), pytest.raises(Interrupted):
        h1.run(f"echo $$ > {note}; exec sleep 85", 60)
    assert time.monotonic() - began < 15
    assert gone(int(file.read_text()))


def test_an_interrupt_reaches_all_hosts_that_work_at_once(lab: Lab) -> None:
    """Whoever waits for commands on several hosts, and is interrupted, ends all of them at once."""
    notes = [one.path(f"{one.root}/at-once") for one in lab.hosts]
    works = [partial(reached(one).run, f"echo $$ > {one.root}/at-once; exec sleep 83", 60) for one in lab.hosts]

    def interrupt_it() -> None:
        deadline = time.monotonic() + 10
        while not all(note.exists() and note.read_text() for note in notes) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_it).start()
    with interrupt.caught(), pytest.raises(Interrupted):
        at_once(works, most=2)
    assert all(gone(int(note.read_text()), 3) for note in notes)


def test_an_interrupt_ends_all_that_is_followed_at_once(lab: Lab) -> None:
    """Ctrl-C in the middle of following several hosts ends all of it, on the hosts as well."""
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    works = [partial(reached(one).follow, "echo $$; exec sleep 80", listen) for one in lab.hosts]
    began = time.monotonic()
    with interrupt.caught(), pytest.raises(Interrupted):
        at_once(works, most=2)
    assert time.monotonic() - began < 15
    assert all(gone(pid) for pid in pids)


def test_who_goes_away_ends_the_command(lab: Lab) -> None:
    """A follower that dies, here by closing its connection, takes the command with it."""
    host = reached(lab.hosts[1])
    pids: list[int] = []
    failed: list[Exception] = []

    def follow() -> None:
        try:
            host.follow("echo $$; exec sleep 84", lambda line: pids.append(int(line)))
        except Unreachable as error:
            failed.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    deadline = time.monotonic() + 10
    while not pids and time.monotonic() < deadline:
        time.sleep(0.01)
    host.close()
    thread.join(5)
    assert not thread.is_alive()
    assert "h2: the connection was lost" in str(failed[0])
    assert gone(pids[0])
