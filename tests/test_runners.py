"""Local commands end when we do."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote

import pytest
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import CommandTimedOut, UnexpectedExit

from deploytasks.providers.identity import identity
from deploytasks.runners import InterruptibleLocal, descendants, signals_deferred

TREE = """
echo $$ >> {note}
sleep 96 & echo $! >> {note}
sh -c 'echo $$ >> {note}; trap "" TERM INT; sleep 97' &
setsid sh -c 'echo $$ >> {note}; exec sleep 98' &
wait
"""
"""A shell that waits, a child, a stubborn one, and one in a session of its own."""

DEPLOYER = """
import sys, time
from invoke.config import Config
from invoke.context import Context
from deploytasks.interrupt import caught
from deploytasks.errors import Interrupted
from deploytasks.runners import InterruptibleLocal

context = Context(Config(lazy=True))
context.config.runners.local = InterruptibleLocal
try:
    with caught():
        context.run(open(sys.argv[1]).read(), shell="/bin/sh", hide=True, {options})
except Interrupted as interrupted:
    sys.exit(interrupted.exit_code)
"""


@pytest.fixture
def context() -> Context:
    made = Context(Config(lazy=True))
    made.config.runners.local = InterruptibleLocal
    return made


def wait_for(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.01)
    return bool(condition())


def noted(note: Path) -> list[int]:
    return [int(pid) for pid in note.read_text().split()] if note.exists() else []


@pytest.fixture(params=["tty", "null", "closed", "pipe"])
def stdin(request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    """How the deployer may have been started: ``subprocess`` arguments."""
    if request.param == "tty":
        master, slave = pty.openpty()
        yield {"stdin": slave}
        os.close(master)
        os.close(slave)
    elif request.param == "closed":
        yield {"preexec_fn": lambda: os.close(0)}
    else:
        yield {"stdin": subprocess.DEVNULL if request.param == "null" else subprocess.PIPE}


@pytest.mark.parametrize("options", ["in_stream=False", "pty=False"])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt_ends_everything(
    tmp_path: Path, stdin: dict[str, object], signum: int, code: int, options: str
) -> None:
    """With any stdin, at Ctrl-C and at SIGTERM: the deployer leaves at once with its code, and nothing lives on."""
    if options == "pty=False" and "preexec_fn" in stdin:
        options = "in_stream=False"  # Invoke itself cannot mirror a stdin that is not there
    note, tree = tmp_path / "pids", tmp_path / "tree"
    tree.write_text(TREE.format(note=note))
    program = DEPLOYER.replace("{options}", options)
    deployer = subprocess.Popen(
        [sys.executable, "-c", program, str(tree)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **stdin
    )
    try:
        assert wait_for(lambda: len(noted(note)) == 4)
        began = time.monotonic()
        deployer.send_signal(signum)
        assert deployer.wait(10) == code
        assert time.monotonic() - began < 3
        assert wait_for(lambda: not any(identity(pid) for pid in noted(note)))
    finally:
        deployer.kill()
        for pid in noted(note):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _, said = deployer.communicate()
    assert "Traceback" not in said


def test_interrupt_while_threads_are_started(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cuts the start of a reading thread short comes out as it is; what was started does not live on."""
    began: list[InterruptibleLocal] = []

    def cut_short(self: threading.Thread) -> None:
        raise KeyboardInterrupt

    def begin(runner: InterruptibleLocal, *given: object) -> None:
        started(runner, *given)
        began.append(runner)
        monkeypatch.setattr(threading.Thread, "start", cut_short)

    started = InterruptibleLocal.start
    monkeypatch.setattr(InterruptibleLocal, "start", begin)
    with pytest.raises(KeyboardInterrupt):
        context.run("sleep 99", hide=True, in_stream=False)
    assert began[0].process.wait(5) == -signal.SIGKILL
    for pipe in (began[0].process.stdin, began[0].process.stdout, began[0].process.stderr):
        assert pipe is not None
        pipe.close()


def test_timeout_ends_everything(context: Context, tmp_path: Path) -> None:
    """At the timeout the whole tree goes, stubborn children and other sessions too."""
    note = tmp_path / "pids"
    with pytest.raises(CommandTimedOut):
        context.run(TREE.format(note=note), shell="/bin/sh", hide=True, in_stream=False, timeout=0.5)
    assert len(noted(note)) == 4
    assert wait_for(lambda: not any(identity(pid) for pid in noted(note)))


def test_timeout_holds_while_a_stranger_keeps_the_pipe(context: Context, tmp_path: Path) -> None:
    """A daemon that left the tree and holds our output does not hold us."""
    note = tmp_path / "pids"
    daemon = f"(setsid sh -c 'echo $$ > {note}; exec sleep 95' &); sleep 0.2"
    began = time.monotonic()
    try:
        with pytest.raises(CommandTimedOut):
            context.run(daemon, shell="/bin/sh", hide=True, in_stream=False, timeout=0.8)
        assert time.monotonic() - began < 5
    finally:
        for pid in noted(note):
            os.kill(pid, signal.SIGKILL)


def test_results_are_invokes_own(context: Context) -> None:
    """Output, errors, exit codes, input and environment are as with Invoke's runner."""
    result = context.run("echo out; echo err >&2; echo $NAME", hide=True, in_stream=False, env={"NAME": "value"})
    assert result is not None
    assert (result.stdout, result.stderr, result.ok) == ("out\nvalue\n", "err\n", True)
    with pytest.raises(UnexpectedExit) as caught:
        context.run("exit 7", hide=True, in_stream=False)
    assert caught.value.result.exited == 7


def test_much_output_comes_whole(context: Context) -> None:
    """A megabyte on both streams arrives to the last byte."""
    command = f"{quote(sys.executable)} -c \"import sys; sys.stdout.write('x' * 2**20); sys.stderr.write('y' * 2**20)\""
    result = context.run(command, hide=True, in_stream=False)
    assert result is not None
    assert (len(result.stdout), len(result.stderr)) == (2**20, 2**20)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signal_at_the_moment_of_birth(signum: int) -> None:
    """A signal that comes while a child is being started is seen after it, with the child known."""
    seen: list[str] = []
    before = signal.signal(signum, lambda _signum, _frame: seen.append("signal"))
    try:
        with signals_deferred():
            os.kill(os.getpid(), signum)
            seen.append("started")
        assert wait_for(lambda: len(seen) == 2)
    finally:
        signal.signal(signum, before)
    assert seen == ["started", "signal"]


def test_ignored_signals_are_not_inherited(context: Context) -> None:
    """On the way back we ignore SIGTERM; what is started then must still end by it."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        result = context.run("kill -TERM $$; echo lived on", hide=True, in_stream=False, warn=True)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result is not None
    assert (result.exited, result.stdout) == (-signal.SIGTERM, "")


def test_background_processes_survive_success(context: Context, tmp_path: Path) -> None:
    """What a successful command leaves running on purpose is not touched."""
    note = tmp_path / "pids"
    context.run(f"sleep 94 >/dev/null 2>&1 & echo $! > {note}", hide=True, in_stream=False)
    (pid,) = noted(note)
    assert identity(pid) is not None
    os.kill(pid, signal.SIGKILL)


def test_no_descriptor_is_left(context: Context) -> None:
    """Thousands of commands in one deployment do not use up the descriptors."""
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(5):
        context.run("true", hide=True, in_stream=False)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_descendants() -> None:
    """Children, their children, and nobody else's."""
    assert sorted(descendants(1, {2: 1, 3: 2, 4: 3, 5: 9, 9: 0})) == [2, 3, 4]
