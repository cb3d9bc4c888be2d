"""The shell text around a command, in every shell that is here."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from lab.labhost import is_running

from deploytasks.providers.ssh.output import Output
from deploytasks.providers.ssh.wrapping import literal, wrapped

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "0123456789abcdef"
LOG_IN_SHELLS = [name for name in ("sh", "bash", "zsh", "fish", "ksh") if shutil.which(name)]
SHELLS = [name for name in ("dash", "bash", "busybox", "mksh") if shutil.which(name)]


@pytest.mark.parametrize("shell", LOG_IN_SHELLS)
@hypothesis_settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")))
def test_a_literal_is_one_word(shell: str, text: str) -> None:
    """Whatever the log-in shell, it passes the text on unchanged."""
    shown = subprocess.run([shell, "-c", f"printf %s {literal(text)}"], capture_output=True, check=True)
    assert text.encode() == shown.stdout


def as_shell(shell: str, text: str) -> list[str]:
    """The argv that runs a wrapped text with this shell in the place of /bin/sh."""
    name = f"{shutil.which(shell)}{' sh' if shell == 'busybox' else ''}"
    return ["sh", "-c", text.replace("exec /bin/sh -c", f"exec {name} -c", 1)]


@pytest.mark.parametrize("shell", SHELLS)
def test_it_runs_in_every_sh(shell: str) -> None:
    """Marks, output and code are the same."""
    argv = as_shell(shell, wrapped("echo said; echo wrong >&2; exit 7", TOKEN, 30))
    done = subprocess.run(argv, capture_output=True, check=False, start_new_session=True)
    output = Output(TOKEN)
    output.feed(done.stdout)
    assert (b"said\n", 7, 7) == (output.text, output.code, done.returncode)
    assert f"wrong\n\n{TOKEN}\n".encode() == done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_its_watcher_works_in_every_sh(shell: str, tmp_path: Path) -> None:
    """When the time is up, all is killed: the command, its children, and those in sessions of their own."""
    command = f"cd {tmp_path}; echo $$ > 1; setsid sh -c 'echo $$ > 2; exec sleep 82' & sleep 81 & echo $! > 3; wait"
    argv = as_shell(shell, wrapped(command, TOKEN, 1))
    began = time.monotonic()
    subprocess.run(argv, capture_output=True, check=False, start_new_session=True, timeout=20)
    assert 0.9 < time.monotonic() - began
    pids = [int((tmp_path / name).read_text()) for name in "123"]
    deadline = time.monotonic() + 5
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [] == [pid for pid in pids if is_running(pid)]
