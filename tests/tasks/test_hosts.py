"""`inv run` and `inv logs`, as they are typed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from textwrap import dedent

import pytest
from invoke import Program

from deploytasks.engine.clock import SystemClock
from deploytasks.ledger import Holder, Lease
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.identity import identity, is_alive
from deploytasks.providers.site import Site
from deploytasks.settings.directory import DirectorySettings

INVOKE_YAML = """
    tasks: {executor_class: deploytasks.executor.ChainExecutor}
    deploy:
      application: app
      environments:
        one: &one
          traffic: {kind: envoy}
          metrics: {kind: envoy}
          fleet:
            kind: local
            colors: {blue: 127.0.0.1:1, green: 127.0.0.1:2}
            start: serve
            environment: {GREETING: hello}
        guarded: {<<: *one, protected: true}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An environment with a release on green that was never started."""
    (tmp_path / "tasks.py").write_text("from deploytasks import namespace\n")
    (tmp_path / "invoke.yaml").write_text(dedent(INVOKE_YAML))
    for name in ("one", "guarded"):
        root = tmp_path / ".deploy" / name
        (root / "releases" / "1.0.0-abc").mkdir(parents=True)
        (root / "releases" / "1.0.0-abc" / ".digest").write_text("abc\n")
        (root / "current-green").symlink_to("releases/1.0.0-abc")
        (root / "log").mkdir()
    return tmp_path


def started(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "invoke", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def inv(project: Path, *arguments: str) -> tuple[int, str, str]:
    """The same, here: exit code, stdout, stderr."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(project), redirect_stdout(out), redirect_stderr(err):
        try:
            Program().run(["inv", *arguments])
        except SystemExit as left:
            code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


def ran(project: Path, environment: str = "one") -> list[dict[str, object]]:
    code, out, err = inv(project, "history", "--env", environment, "--json")
    assert 0 == code, err
    return [event["facts"] for event in json.loads(out)["events"] if event["kind"] == "ran"]


def test_it_runs_in_the_release_and_is_recorded(project: Path) -> None:
    """With the application's environment, its output on stdout; who ran what, where, and the exit code."""
    line = "echo $GREETING from $(basename $(pwd)) as $VERSION; echo oops >&2"
    code, out, err = inv(project, "run", "--env", "one", "--color", "green", "--", line)
    assert (0, ["hello from 1.0.0-abc as 1.0.0", "oops"]) == (code, out.splitlines()), err
    assert [{"color": "green", "command": line, "hosts": {"local": 0}}] == ran(project)


def test_a_command_that_fails_is_code_9(project: Path) -> None:
    """And is recorded with its own code."""
    code, _, err = inv(project, "run", "--env", "one", "--color", "green", "--", "exit", "3")
    assert (9, True) == (code, "it failed on 1 of 1: local 3" in err), err
    assert {"local": 3} == ran(project)[0]["hosts"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run", "--env", "one", "--color", "green"), "run what?"),
        (("run", "--env", "one", "--", "true"), "on which color?"),
        (("run", "--env", "one", "--color", "red", "--", "true"), "there is no color 'red' now"),
        (("run", "--env", "one", "--color", "green", "--host", "web9", "--", "true"), "green is on no host web9"),
        (("run", "--env", "one", "--color", "green", "--", "echo {nope}"), "{nope} is no placeholder"),
        (("run", "--env", "guarded", "--color", "green", "--", "true"), "guarded is protected"),
        (("logs", "--env", "one", "--color", "green", "--host", "web9"), "green is on no host web9"),
    ],
)
def test_wrong_usage(project: Path, arguments: tuple[str, ...], expected: str) -> None:
    """Code 2 and a sentence, before anything runs."""
    code, _, err = inv(project, *arguments)
    assert (2, True) == (code, expected in err), err
    assert "Traceback" not in err


def test_a_plan_runs_nothing(project: Path) -> None:
    """Each host with what would be run there."""
    code, _, err = inv(project, "run", "--env", "one", "--color", "green", "--plan", "--", "touch", "it")
    assert (0, "would: local: run on green: touch it\n") == (code, err)
    assert [] == ran(project)


def test_consent_is_enough_in_a_protected_environment(project: Path) -> None:
    """Typed, or given."""
    code, out, err = inv(project, "run", "--env", "guarded", "--color", "green", "--yes", "--", "echo", "on", "it")
    assert (0, "on it\n") == (code, out), err


def test_not_during_somebody_s_deployment(project: Path) -> None:
    """Code 5; with --force all the same."""
    site = Site("app", "one", project, project / ".deploy" / "one", None, "ann@desk")
    store = DirectoryStore(DirectorySettings(kind="directory"), site)
    me = Holder.here("ann@desk", identity)
    with Lease.take(store, "app/one", me, "deploy", clock=SystemClock(), is_alive=is_alive):
        code, _, err = inv(project, "run", "--env", "one", "--color", "green", "--", "true")
        assert (5, True) == (code, "--force" in err), err
        code, out, err = inv(project, "run", "--env", "one", "--color", "green", "--force", "--", "echo", "now")
        assert (0, "now\n") == (code, out), err
    assert ["echo now"] == [each["command"] for each in ran(project)]


def test_an_interrupted_command_leaves_no_orphan(project: Path) -> None:
    """Ctrl-C: code 130, the command is gone, and it is recorded that nobody knows how it ended."""
    process = started(project, "run", "--env", "one", "--color", "green", "--", "echo $$; exec sleep 91")
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (130, False) == (process.returncode, "Traceback" in err), err
    assert wait_for(lambda: not identity(pid))
    assert {"local": None} == ran(project)[0]["hosts"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_logs_follow_until_somebody_has_seen_enough(project: Path, sent: signal.Signals) -> None:
    """What was said last, then what is said now; Ctrl-C is how it ends well. Nothing stays behind, no traceback."""
    log = project / ".deploy" / "one" / "log" / "green.log"
    log.write_text("".join(f"line {number}\n" for number in range(9)))
    process = started(project, "logs", "--env", "one", "--color", "green", "--lines", "2")
    assert process.stdout is not None
    assert ["line 7\n", "line 8\n"] == [process.stdout.readline() for _ in range(2)]
    with log.open("a") as file:
        file.write("\x1b[31mline 9\x1b[0m\x07\n")
    assert "line 9\n" == process.stdout.readline()
    process.send_signal(sent)
    _, err = process.communicate(timeout=30)
    assert ({signal.SIGINT: 0, signal.SIGTERM: 143}[sent], False) == (process.returncode, "Traceback" in err), err
    assert wait_for(lambda: not followers(log))


def followers(log: Path) -> list[str]:
    """Processes that read this file."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_text()
        except OSError:
            continue
        if str(log) in line:
            found.append(line)
    return found


def wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()
