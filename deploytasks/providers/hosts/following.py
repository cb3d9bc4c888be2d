"""Commands whose lines are handed on as they come: on several hosts at once, for people who look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from shlex import quote
from typing import Protocol, cast

from ...at_once import at_once
from ...errors import DeployError, UsageError
from ...ports import Color, Hear
from .agreeing import silent
from .host import CommandFailed, Host, Member
from .layout import Layout
from .rendering import Program
from .shell import BEGIN, IDENTITY
from .starting import current


class Following(Protocol):
    """A host that hands on lines while a command runs."""

    name: str

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        """Run a command for as long as it likes; stderr is among its lines. Its exit code."""


def following(host: Host) -> Following:
    """The host, if it can. Raises ``UsageError``."""
    if not hasattr(host, "follow"):
        raise UsageError(f"{host.name} cannot hand on lines while a command runs")
    return cast("Following", host)


def inside(layout: Layout, color: Color, program: Program) -> str:
    """Become a program in the color's current release. It reads nothing."""
    return f"""{BEGIN}{IDENTITY}
{current(layout, color)}
[ -n "$RELEASE" ] || fail {quote(f"no release is current on {color}")}
export RELEASE VERSION
cd {quote(layout.releases)}/"$RELEASE" || exit 1
{program.line}
"""


def run(member: Member, command: str, hear: Hear, timeout: float) -> None:
    """Run it, and hand on what it says and with which code it ended. It has all the time it takes."""
    del timeout
    host = following(member.host)
    code = host.follow(command, lambda line: hear(host.name, line))
    hear(host.name, code)
    if code != 0:
        raise CommandFailed(host.name, code, "", what="the command")


def follow(hosts: Sequence[tuple[Member, str]], hear: Hear) -> None:
    """Follow a command on each host, all at once, until all have ended. One that is lost does not stop the others.

    Raises ``Unreachable`` when some were lost, at the end.
    """
    errors: dict[str, Exception] = {}

    def one(member: Member, command: str) -> None:
        host = following(member.host)
        try:
            hear(host.name, host.follow(command, lambda line: hear(host.name, line)))
        except DeployError as error:
            errors[host.name] = error
            hear(host.name, f"(lost: {error.what})")

    for came in at_once([partial(one, *each) for each in hosts], max(1, len(hosts))):
        if came.error is not None:
            raise came.error
    if errors:
        raise silent(errors, len(hosts))
