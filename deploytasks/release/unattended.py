"""Git with a deadline and without anybody beside it: nothing can ask for a password, and nothing outlives its time."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .. import redaction
from ..errors import Unreachable, UsageError
from ..runners import kill_tree
from . import git

_LOCAL = 60.0
"""Seconds. More means that something waits."""
_ALONE = {
    "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never",
}  # fmt: skip
"""History as it is, not as ``git replace`` shows it, nor as a partial clone completes it; and nobody to ask."""


def ask(
    repository: Path,
    *arguments: str,
    given: str = "",
    until: float | None = None,
    remote: str = "",
    more: Mapping[str, str] | None = None,
) -> str:
    """What git prints, run in a session without a terminal. ``given``: what it reads. ``until``: when it has to be
    done, by the monotonic clock. ``more``: variables.

    Raises ``GitRefused``, or ``Unreachable`` where a ``remote`` is asked.
    """
    env = {**git.environment(), **_ALONE, **(more or {})}
    env.pop("SSH_ASKPASS", None)
    pipe = subprocess.PIPE
    try:
        running = subprocess.Popen(
            ["git", *arguments], cwd=repository, env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed, or not on PATH", do="install git") from error
    with running:
        try:
            left = _LOCAL if until is None else max(0.01, until - time.monotonic())
            out, said = running.communicate(given.encode(), left)
        except BaseException as error:
            kill_tree(running.pid)
            with suppress(subprocess.TimeoutExpired):
                running.communicate(timeout=1)
            if isinstance(error, subprocess.TimeoutExpired):
                raise _silent(f"the remote {remote}" if remote else f"git {arguments[0]}") from error
            raise
    if running.returncode != 0 and remote:
        raise Unreachable(f"the remote {remote} cannot be read: {_first_line(said)}", state="nothing was changed")
    if running.returncode != 0:
        raise git.GitRefused(arguments[0], _first_line(said) or f"code {running.returncode}")
    return os.fsdecode(out)


def _silent(what: str) -> Unreachable:
    return Unreachable(f"{what} did not answer in time", state="nothing was changed")


def _first_line(said: bytes) -> str:
    """What git complained of first, without the user and the password of a URL."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith("warning:")), "it did not say why")
    return redaction.excerpt(re.sub(r"://[^/@\s]+@", "://", first), 300)
