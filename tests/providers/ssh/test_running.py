"""Commands on a host over SSH: what goes in, what comes out, what is left."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import pytest
from lab.labhost import is_running
from lab.namespaces import BASHRC
from providers.ssh.conftest import reached

from deploytasks import interrupt
from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.hosts.host import CommandFailed, Host
from deploytasks.providers.ssh import SshHost
from deploytasks.providers.ssh.host import BY_ITSELF, KILLED

if TYPE_CHECKING:
    from lab.hosts import Lab


def until(true: Callable[[], bool], within: float = 5.0) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + within
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def noted(lab: Lab, name: str, count: int) -> list[int]:
    """The pids that a command on the first host has written to a file."""
    file = lab.hosts[0].path(f"{lab.hosts[0].root}/{name}")
    assert until(lambda: file.exists() and len(file.read_text().split()) >= count)
    return [int(word) for word in file.read_text().split()]


def test_fulfils_the_protocol(h1: SshHost) -> None:
    """Whatever takes a host takes one over SSH."""
    as_host: Host = h1
    assert "h1" == as_host.name


def test_returns_what_a_command_says(h1: SshHost) -> None:
    """Stdout, byte for byte: nothing added, nothing stripped."""
    assert "one\n\n two" == h1.run("printf 'one\\n\\n two'", 10)


@pytest.mark.parametrize(
    "text",
    ["a'b\"c", "back\\slash \\' \\n", "$HOME `id` $(id)", "line\nline\n", "ünïcode ✓", "!hist * ? [a] {b,c} ~ #"],
)
def test_a_command_arrives_as_it_was_written(h1: SshHost, text: str) -> None:
    """No shell on the way, nor the user's own, changes a character."""
    assert text == h1.run(f"cat <<'END'\n{text}\nEND\n", 10).removesuffix("\n")
    assert text == h1.run(f"printf %s {quote(text)}", 10)


def test_a_failure_names_host_code_and_last_words(h1: SshHost) -> None:
    """The code is that of the command, and what it said on stderr is in the error."""
    with pytest.raises(CommandFailed) as caught:
        h1.run("echo begun; for i in 1 2 3 4 5 6 7; do echo problem $i >&2; done; exit 42", 10)
    assert 42 == caught.value.code
    assert str(caught.value).startswith("h1: a command failed with code 42")
    assert ["problem 3", "problem 4", "problem 5", "problem 6", "problem 7"] == caught.value.lines
    assert "begun" in caught.value.output


def test_a_command_that_does_not_exist(h1: SshHost) -> None:
    """As a shell has it: 127."""
    with pytest.raises(CommandFailed) as caught:
        h1.run("no-such-program", 10)
    assert 127 == caught.value.code


def test_much_output(h1: SshHost) -> None:
    """5 MB of stdout and 5 MB of stderr at once neither block nor get lost."""
    assert 5_000_000 == len(h1.run("head -c 5000000 /dev/zero & head -c 5000000 /dev/zero >&2; wait", 20))


def test_much_input(h1: SshHost, tmp_path: Path) -> None:
    """20 MB travel through stdin, byte for byte."""
    content = os.urandom(1 << 20) * 20
    (tmp_path / "given").write_bytes(content)
    assert hashlib.sha256(content).hexdigest() == h1.run("sha256sum", 20, str(tmp_path / "given")).split()[0]


def test_input_that_nobody_wants(h1: SshHost, tmp_path: Path) -> None:
    """A command that ends without having read all of its stdin has ended."""
    (tmp_path / "given").write_bytes(b"x" * 8_000_000)
    assert "xxx" == h1.run("head -c 3", 10, str(tmp_path / "given"))
    with pytest.raises(CommandFailed, match="enough"):
        h1.run("echo enough >&2; exit 3", 10, str(tmp_path / "given"))


def test_input_that_is_not_there(h1: SshHost, tmp_path: Path) -> None:
    """A local file that cannot be read is the caller's mistake."""
    with pytest.raises(UsageError, match="cannot read"):
        h1.run("cat", 10, str(tmp_path / "missing"))


def test_without_input_stdin_is_empty(h1: SshHost) -> None:
    """A command that reads does not wait for ever."""
    assert "" == h1.run("cat", 10)


def test_too_late_leaves_no_orphan(lab: Lab, h1: SshHost) -> None:
    """At a timeout all is killed: children, stubborn ones, and those in sessions of their own."""
    note = f"{lab.hosts[0].root}/late"
    command = f"""echo $$ >> {note}
sleep 96 & echo $! >> {note}
sh -c 'trap "" TERM INT HUP; echo $$ >> {note}; sleep 97' &
setsid sh -c 'echo $$ >> {note}; exec sleep 98' &
echo begun; wait"""
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"h1: a command was not done after 1\.5 s: begun") as caught:
        h1.run(command, 1.5)
    assert time.monotonic() - began < 3.5
    assert caught.value.state in (KILLED, BY_ITSELF)  # by itself: on a machine too busy to confirm it at once
    pids = noted(lab, "late", 4)
    assert until(lambda: not any(is_running(pid) for pid in pids), 12)
    assert "still there" == h1.run("printf 'still there'", 10)


def test_what_detaches_lives_on(lab: Lab, h1: SshHost) -> None:
    """A daemon that a command leaves behind on purpose is none of our business, even if it holds on to stdout."""
    note = f"{lab.hosts[0].root}/daemon"
    began = time.monotonic()
    assert "left\n" == h1.run(f"setsid sleep 95 & echo $! > {note}; setsid sleep 94 </dev/null >/dev/null 2>&1 & "
                              f"echo $! >> {note}; echo left", 10)  # fmt: skip
    assert time.monotonic() - began < 5
    pids = noted(lab, "daemon", 2)
    h1.run("true", 10)
    assert all(is_running(pid) for pid in pids)
    for pid in pids:
        os.kill(pid, 9)


def test_nothing_is_left_of_the_watching(lab: Lab, h1: SshHost) -> None:
    """After a command nothing of ours runs on the host but its SSH server."""
    before = set(lab.hosts[0].processes())
    for _ in range(20):
        h1.run("true", 10)
    assert until(lambda: set(lab.hosts[0].processes()) <= before)


def test_a_command_that_is_killed_on_the_host(h1: SshHost) -> None:
    """Somebody else's KILL is a failure of the command, and no lost connection."""
    with pytest.raises(CommandFailed) as caught:
        h1.run("echo words; kill -KILL -$PPID; sleep 93", 10)
    assert 137 == caught.value.code
    assert "killed" in caught.value.what


def test_a_command_whose_wrapper_alone_was_killed(lab: Lab, h1: SshHost) -> None:
    """What is left of its group is killed with the rest when the time is up."""
    note = f"{lab.hosts[0].root}/alone"
    with pytest.raises(Unreachable):
        h1.run(f"echo $$ > {note}; kill -KILL $PPID; sleep 91", 1.0)
    pids = noted(lab, "alone", 1)
    assert until(lambda: not any(is_running(pid) for pid in pids), 12)


def test_one_connection_for_all_and_one_round_trip_for_each(lab: Lab) -> None:
    """Eight threads share a connection that is opened once; what they get is theirs."""
    host = reached(lab.hosts[1])
    host.close()
    connects, trips = host.connection.connects, host.round_trips
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: host.run(f"sleep 0.05; printf {number}", 20), range(24)))
    assert [str(number) for number in range(24)] == answers
    assert 1 == host.connection.connects - connects
    assert 24 == host.round_trips - trips


def test_what_waits_for_its_turn_too_long_says_so(lab: Lab) -> None:
    """No more commands at once than sshd allows; who gets no turn in time has not been started."""
    host = reached(lab.hosts[1])
    with ThreadPoolExecutor(5) as pool:
        slow = [pool.submit(host.run, "sleep 1.5", 10) for _ in range(4)]
        assert until(lambda: host.connection.turns._value == 0)
        with pytest.raises(Unreachable, match=r"not begun after 0\.2 s"):
            host.run("true", 0.2)
        assert ["", "", "", ""] == [one.result() for one in slow]


def test_other_threads_hear_of_an_interrupt(lab: Lab, h1: SshHost) -> None:
    """Whoever leaves while others are at work ends them, and their commands on the host."""
    note = f"{lab.hosts[0].root}/given-up"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(h1.run, f"echo $$ > {note}; sleep 92", 60)
        pids = noted(lab, "given-up", 1)
        interrupt.pass_on()
        with pytest.raises(Unreachable, match="given up"):
            waiting.result(5)
    assert until(lambda: not any(is_running(pid) for pid in pids))


@pytest.mark.parametrize("noise", ["echo noise; echo noise >&2", "printf 'no newline'"])
def test_noise_of_the_log_in_shell(real_lab: Lab, noise: str) -> None:
    """What a ~/.bashrc prints is no part of an answer."""
    one = real_lab.hosts[0]
    one.bashrc.write_text(noise)
    try:
        assert "answer" == reached(one).run("printf answer", 10)
    finally:
        one.bashrc.write_text("")


def test_a_log_in_shell_that_runs_nothing(real_lab: Lab) -> None:
    """A log-in that only prints a message says that it did not run the command, and the message."""
    one = real_lab.hosts[0]
    if not BASHRC.exists():
        pytest.skip(f"there is no {BASHRC} to stand in for")
    one.bashrc.write_text("echo 'This account is not available.'; exit 1")
    try:
        with pytest.raises(CommandFailed, match=r"log-in shell(.|\n)*This account is not available") as caught:
            reached(one).run("true", 10)
        assert "the command was not run" == caught.value.state
    finally:
        one.bashrc.write_text("")
