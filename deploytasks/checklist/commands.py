"""A configured command of the project, run for what it prints."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import GateRefused, Unreachable

if TYPE_CHECKING:
    from ..world import World

WITHIN = 60.0
"""Seconds for one command."""


def output(world: World, template: str, values: Mapping[str, str]) -> str:
    """What it prints, run in the project's folder; each ``{name}`` of ``values`` is one quoted word.

    Raises ``GateRefused`` when it fails, ``Unreachable`` when it is not done in time.
    """
    from invoke.context import Context
    from invoke.exceptions import CommandTimedOut

    from ..settings.hosts import PLACEHOLDER

    known = {"python": sys.executable, "root": str(world.site.root), **values}
    line = PLACEHOLDER.sub(lambda found: shlex.quote(known[found[2]]) if found[2] else f"{{{found[1]}}}", template)
    there = f"cd {shlex.quote(str(world.site.root))} || exit\n"
    context = world.site.context or Context()
    try:
        result = context.run(there + line, hide=True, warn=True, in_stream=False, timeout=WITHIN, pty=False)
    except CommandTimedOut as error:
        raise Unreachable(f"`{template}` was not done after {WITHIN:g} s", do="see what keeps it") from error
    assert result is not None  # only a disowned command has none; a result is false where it failed
    if not result.ok:
        last = [line for line in (result.stderr + result.stdout).splitlines() if line.strip()][-1:]
        raise GateRefused(f"`{template}` failed: {' '.join(last) or 'no output'}", do=f"run it by hand: {line}")
    return result.stdout
