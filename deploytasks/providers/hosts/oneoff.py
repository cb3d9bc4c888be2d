"""A command that must never run beside itself, such as a migration."""

from __future__ import annotations

import contextlib

from ...errors import DeployError, GateRefused
from ...ports import Color
from . import commands
from .host import CommandFailed, Host
from .layout import Layout
from .rendering import Program


def run_once(host: Host, layout: Layout, color: Color, shown: Program, what: str, python: str, timeout: float) -> None:
    """Run it in the color's current release. Raises ``GateRefused`` while it runs there already."""
    line = commands.run(layout, color, shown, what, python)
    try:
        host.run(line, timeout)
    except CommandFailed as error:
        if error.code == commands.STILL_RUNS:
            raise GateRefused(
                f"{host.name}: {what} is at work already: {' '.join(error.lines)}",
                state="it was not started a second time", do="wait for it, or end that process",
            ) from error  # fmt: skip
        raise CommandFailed(host.name, error.code, error.output, what=what) from error
    except BaseException:  # given up or interrupted: the host may still be at it
        with contextlib.suppress(DeployError):
            host.run(commands.stop(layout.command_pid(what), 0), 10.0)
        raise
