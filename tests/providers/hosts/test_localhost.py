"""This machine as a host."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from invoke.config import Config
from invoke.context import Context

from deploytasks.errors import Unreachable, UsageError
from deploytasks.providers.hosts.host import CommandFailed
from deploytasks.providers.hosts.localhost import LocalHost
from deploytasks.runners import InterruptibleLocal


def test_returns_stdout() -> None:
    """Only stdout, and as it was written."""
    assert LocalHost().run("echo out; echo err >&2", 5) == "out\n"


def test_failure_has_code_and_last_lines() -> None:
    """The last five lines that have something on them."""
    with pytest.raises(CommandFailed) as caught:
        LocalHost().run("for i in 1 2 3 4 5 6 7; do echo $i; echo; done; exit 3", 5)
    assert (caught.value.code, caught.value.lines) == (3, ["3", "4", "5", "6", "7"])


def test_out_of_time() -> None:
    """A command that takes too long is a host that does not answer: code 7, with the last words."""
    with pytest.raises(Unreachable, match=r"not done after 0\.3 s: begun") as caught:
        LocalHost().run("echo begun; sleep 50", 0.3)
    assert caught.value.exit_code == 7


def test_projects_run_settings_are_not_ours(capfd: pytest.CaptureFixture[str]) -> None:
    """A project's own ``run:`` section, and a `with c.cd()` in its task, change nothing for us on the screen."""
    context = Context(Config(overrides={"run": {"echo": True, "hide": False, "pty": True, "shell": "/bin/false"}}))
    assert LocalHost(context).run("echo out", 5) == "out\n"
    assert capfd.readouterr() == ("", "")
    assert not issubclass(context.config.runners.local, InterruptibleLocal)


def test_dry_run_is_refused() -> None:
    """Invoke's ``--dry`` would make every command succeed with nothing to say: that must not be believed."""
    with pytest.raises(UsageError, match="--dry"):
        LocalHost(Context(Config(overrides={"run": {"dry": True}}))).run("echo out", 5)


def test_reads_no_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Works without a stdin, and with one that is closed."""
    for stdin in (None, open("/dev/null")):  # noqa: SIM115, PTH123  # closed in the next line
        if stdin:
            stdin.close()
        monkeypatch.setattr(sys, "stdin", stdin)
        assert LocalHost().run("echo out", 5) == "out\n"


def test_a_file_is_stdin(tmp_path: Path) -> None:
    """A command may be given a file to read; a file that is not there is an error."""
    source = tmp_path / "a 'file"
    source.write_bytes(b"content")
    assert LocalHost().run("cat", 5, given=str(source)) == "content"
    with pytest.raises(CommandFailed):
        LocalHost().run("cat", 5, given=str(tmp_path / "none"))
