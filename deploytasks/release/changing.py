"""Commands of git that change something: with its hooks, its signatures, and an end when we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from .. import runners
from ..errors import DeployError
from . import git

MARK = "DEPLOYTASKS_RELEASE"
"""The variable by which a git that outlived its release is known; its value is the release's id."""
_GRACE = 2.0
"""Seconds for a git that is asked to end: it takes its locks along then."""
_SHOWN = 4000
"""Characters of what hooks say."""


class GitFailed(DeployError):
    """A command of git that should change something did not end well; ``said`` is why."""

    exit_code = 4

    def __init__(self, command: str, said: str) -> None:
        self.said = said
        super().__init__(f"git {command} failed: {said}")


def change(
    folder: Path,
    *arguments: str,
    text: bytes = b"",
    within: float = 60.0,
    apart: bool = False,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run git with ``text`` on its stdin. Raises ``GitFailed``. Whatever else ends us takes git and its hooks along.

    ``within``: seconds. ``apart``: no Ctrl-C of the terminal reaches it, for it is the way back. Its words go through
    files, not pipes: a hook may leave something in the background that would keep a pipe open.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(text)
        given.seek(0)
        process: subprocess.Popen[bytes] | None = None
        try:
            with runners.signals_deferred():  # what came meanwhile is raised at its end, when `process` is known
                process = subprocess.Popen(
                    ["git", *arguments], cwd=folder, env=_environment(variables),
                    stdin=given, stdout=said, stderr=said, start_new_session=apart,
                )  # fmt: skip
            code = process.wait(within)
        except BaseException as error:
            if process is not None:
                _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise GitFailed(arguments[0], f"it did not end within {within:g} s") from None
            raise
        if code != 0:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-_SHOWN:]
            raise GitFailed(arguments[0], words or (f"signal {-code}" if code < 0 else f"code {code}"))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The user's own, for hooks want to find what is theirs; but nobody is asked anything."""
    kept = {name: value for name, value in os.environ.items() if name not in git.FOREIGN}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":", **more}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask git and its hooks to end; then kill them."""
    doomed = _stopped(process.pid)
    _send(doomed, signal.SIGTERM)
    _send(doomed, signal.SIGCONT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    _send(doomed[1:] if process.returncode is not None else doomed, signal.SIGKILL)
    process.wait()


def _stopped(leader: int) -> list[int]:
    """A process and all that descends from it, each stopped: none of them starts another one that nobody knows."""
    found: list[int] = []
    while new := [pid for pid in (leader, *runners.descendants(leader, runners.parents())) if pid not in found]:
        _send(new, signal.SIGSTOP)
        found += new
    return found


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
