"""This machine as a host."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import CommandTimedOut

from ... import interrupt
from ...errors import Unreachable, UsageError
from ...runners import InterruptibleLocal, kill_tree, signals_deferred
from .host import CommandFailed, last_lines

if TYPE_CHECKING:
    from invoke.runners import Result


class LocalHost:
    """Runs commands through Invoke's context (``None``: one of its own, which reads no configuration files)."""

    def __init__(self, context: Context | None = None, name: str = "local") -> None:
        self.name = name
        self._given = context
        self._context: Context | None = None

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        if given is not None:
            command = f"exec <{quote(str(Path(given).absolute()))}\n{command}"
        context = self._prepared()
        try:
            result = self._result(context, command, timeout)
        except CommandTimedOut as error:
            said = "; ".join(last_lines(error.result.stdout + error.result.stderr, 2))
            raise Unreachable(
                f"{self.name}: a command was not done after {timeout:.1f} s{': ' if said else ''}{said}",
                state="it was killed with everything it had started",
            ) from error
        if result.exited != 0:
            raise CommandFailed(self.name, result.exited, result.stdout + result.stderr)
        return result.stdout

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        """Run a command for as long as it likes, and hand on each line that it says, stderr too; its exit code.

        When it is left by an exception, the command is killed with all it started.
        """
        self._prepared()
        with signals_deferred():
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        with process:
            try:
                with interrupt.reaching(partial(kill_tree, process.pid)):
                    for said in process.stdout or ():
                        line(said.decode(errors="replace").rstrip("\n"))
            except BaseException:
                kill_tree(process.pid)
                raise
        return process.returncode

    def _result(self, context: Context, command: str, timeout: float) -> Result:
        # Every option is said: the project's `run:` section is about its own commands, not about ours.
        result = context.run(  # noqa: S604  # the commands quote their values
            command,
            timeout=max(timeout, 0.05),
            shell="/bin/sh",
            encoding="utf-8",
            hide=True,
            echo=False,
            warn=True,
            pty=False,
            in_stream=False,
            watchers=[],
        )
        assert result is not None  # only a disowned command has none
        return result

    def _prepared(self) -> Context:
        """The context that was given, when its commands end at an interrupt; else a copy where they do."""
        if self._context is None:
            given = self._given if self._given is not None else Context(Config(lazy=True))
            if not isinstance(given.config.runners.local(given), InterruptibleLocal):
                given = Context(given.config.clone())
                given.config.runners.local = InterruptibleLocal
            self._context = given
        if self._context.config.run.dry:
            raise UsageError("--dry would pretend that commands ran", do="use --plan: it shows what would be done")
        return self._context
