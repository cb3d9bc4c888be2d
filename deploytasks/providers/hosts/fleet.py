"""A fleet of hosts that run both colors: what ``ports.Fleet`` promises, for any ``Host``."""

from __future__ import annotations

import copy
import secrets
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Self, TypeVar

from ...at_once import at_once
from ...errors import UsageError
from ...ports import COLORS, Call, Calls, Color, Finding, Health, Hear, Installed, Release
from ...settings.hosts import HostsSettings, batch_size
from . import choosing, commands, serving
from .agreeing import agreed, silent, sliced, together
from .host import Member
from .layout import Layout
from .oneoff import run_once
from .rendering import Program
from .serving import Serving, State

_QUICK = 30.0
"""Seconds for a command that only moves names about."""
_ROUNDS = 3
"""How many hosts one thread may wait for in vain, before the rest are not asked for their health."""
ALL = "100%"

Work = Callable[[Member, float], None]
T = TypeVar("T")


class HostFleet:
    """Installs, starts and stops releases on hosts.

    ``members``: themselves, or who says when they are needed. ``root``: an absolute path on each of them.
    ``parallel``: how many are worked on at once. ``batch``: how many are installed on, started or stopped before the
    next, as ``25%`` or a number.
    """

    _lists = True
    """Whether a host may say all that a release of it holds, to be sent what differs."""

    def __init__(
        self,
        settings: HostsSettings,
        members: Sequence[Member] | Callable[[], Sequence[Member]],
        root: str,
        *,
        parallel: int = 8,
        batch: str = ALL,
    ) -> None:
        self._settings = settings
        self._known = members
        self._layout = Layout(root.rstrip("/"))
        self._python = settings.python or sys.executable
        self._parallel = parallel
        self._batch = batch

    # -- who -----------------------------------------------------------------

    @property
    def _members(self) -> Sequence[Member]:
        return self._known() if callable(self._known) else self._known

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        return [member.host.name for member in (self._members if color is None else self._of(color))]

    def only(self, hosts: Collection[str]) -> Self:
        """The same fleet, as if it had these hosts and no other. It may be empty."""
        fewer = copy.copy(self)
        fewer._known = tuple(one for one in self._members if one.host.name in hosts)  # noqa: SLF001  # our own
        return fewer

    def _of(self, color: Color) -> list[Member]:
        return [member for member in self._members if color in member.addresses]

    def _first(self, color: Color) -> Member:
        found = self._of(color)
        if not found:
            raise UsageError(f"no host has {color}", do="leave fewer hosts out")
        return found[0]

    # -- reading -------------------------------------------------------------

    def colors(self) -> Mapping[Color, Installed | None]:
        """What stands on both colors: each host is asked once, all of them at once. Raises ``HostsDown``."""
        said = self._asked(self._members, self._states)
        return {color: agreed({host: of[color] for host, of in said.items() if color in of}) for color in COLORS}

    def installed(self, color: Color) -> Installed | None:
        """What stands on a color. Raises ``HostsDown``."""
        return agreed(self._asked(self._of(color), lambda member: self._process(member, color).state()))

    def health(self, color: Color) -> Health:
        """Healthy when every host is; the detail names all that are not. However many are silent, it is known after
        ``_ROUNDS`` times what one may take, and one more."""
        until = time.monotonic() + _ROUNDS * self._settings.health_within

        def ask(member: Member) -> Health:
            if time.monotonic() > until:
                return Health(False, "was not asked: too many others took too long")
            return self._process(member, color).health()

        return together(self._asked(self._of(color), ask))

    def room(self) -> Mapping[str, int]:
        """Free bytes on the disk of the releases, by host; one that does not say is left out. Raises ``HostsDown``."""
        line = commands.room(self._layout)
        said = self._asked(self._members, lambda member: member.host.run(line, _QUICK).strip())
        return {host: int(free) * 1024 for host, free in said.items() if free.isdecimal()}

    def address(self, color: Color) -> str:
        """The first host's."""
        return self._process(self._first(color), color).address

    def _asked(self, members: Sequence[Member], ask: Callable[[Member], T]) -> Mapping[str, T]:
        """What each answers, by name."""
        came = at_once([partial(ask, member) for member in members], self._parallel)
        names = [member.host.name for member in members]
        errors = {name: one.error for name, one in zip(names, came, strict=True) if one.error is not None}
        if errors:
            raise silent(errors, len(self._members))
        return {name: one.value for name, one in zip(names, came, strict=True) if one.value is not None}

    # -- writing -------------------------------------------------------------

    def install(self, release: Release, color: Color) -> Calls:
        """Bring what is not there yet, verify, link. A host that has all of it is only asked."""
        from .installing import install

        text = f"install {release.name} on {color} (sha256 {release.digest})"

        def bring(member: Member, timeout: float) -> None:
            install(member.host, self._layout, release, color, None, timeout, lists=self._lists)

        return self._batches(color, text, bring)

    def switch(self, color: Color, release: str | None) -> Calls:
        """Point the color's link at a release that is there, or take the link away."""
        line = commands.switch(self._layout, color, release) if release else commands.unlink(self._layout, color)
        text = f"link current-{color} to releases/{release}" if release else f"remove current-{color}"
        return self._everywhere(self._of(color), text, partial(_carry_out, line, _QUICK))

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        """Start the current release. A process that runs it already, configured alike and healthy, is left alone;
        any other of this color is stopped first."""
        start_id = secrets.token_hex(8)  # the same on all hosts: then they can be given one command

        def start(member: Member, timeout: float) -> None:
            process = self._process(member, color)
            process = process.as_before() if as_before else process
            process.start(min(self._settings.start_within, timeout), start_id)

        def text(member: Member) -> str:
            shown = self._process(member, color)
            how = f"{shown.program.command} (configuration {shown.program.fingerprint})"
            return f"start {color} at {shown.address}: {'as it ran before' if as_before else how}"

        return self._batches(color, text, start)

    def stop(self, color: Color) -> Calls:
        """TERM, then KILL, to the whole process group; identity checked on the host."""
        within = self._settings.stop_within
        return self._batches(
            color,
            f"stop {color} (KILL after {within:g} s)",
            lambda member, timeout: self._process(member, color).stop(min(within, timeout)),
        )

    def run(self, color: Color, command: str, what: str) -> Call:
        """Run a command once, on the first host. Refuses, with ``GateRefused``, to run beside itself."""
        member = self._first(color)
        shown = self._program(member, color, command)
        return Call(
            f"{member.host.name}: {what} on {color}: {shown.command}",
            partial(run_once, member.host, self._layout, color, shown, what, self._python),
        )

    def command(self, color: Color, command: str, hear: Hear) -> Calls:
        """On every host of the color, ``parallel`` of them at once."""
        from . import following

        def run(member: Member, timeout: float) -> None:
            line = following.inside(self._layout, color, self._program(member, color, command))
            following.run(member, line, hear, timeout)

        return self._everywhere(self._of(color), f"run on {color}: {command}", run)

    def follow(self, color: Color, lines: int, hear: Hear) -> None:
        """All hosts at once, each in a thread of its own."""
        from . import following

        commands = [(one, self._process(one, color).follow_command(lines)) for one in self._of(color)]
        following.follow(commands, hear)

    def prune(self, keep: int, spare: Sequence[str] = ()) -> Calls:
        """Which releases go is decided on each host, when it is done."""
        text = f"delete all but the newest {keep} releases{', sparing ' + ', '.join(spare) if spare else ''}"
        line = commands.prune(self._layout, keep, spare)
        return self._everywhere(self._members, text, partial(_carry_out, line, float("inf")))

    # -- diagnosing ----------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        """The hosts and their tools, then both colors on those that answer."""
        from .diagnosing import diagnose

        return diagnose(self, self._members, self._layout, self._parallel, self._secrets)

    # -- how -----------------------------------------------------------------

    def _batches(self, color: Color, text: str | Callable[[Member], str], work: Work) -> Calls:
        """One call for each host of a color, a batch of them at once."""
        members = self._of(color)
        return self._everywhere(members, text, work, batch_size(self._batch, len(members))) if members else ()

    def _everywhere(
        self, members: Sequence[Member], text: str | Callable[[Member], str], work: Work, size: int = 0
    ) -> Calls:
        """One call for each host, all at once, or ``size`` of them."""
        calls = [
            Call(
                f"{one.host.name}: {text if isinstance(text, str) else text(one)}",
                partial(work, one),
                one.host.name,
            )
            for one in members
        ]
        return sliced(calls, size or len(calls)) if calls else []

    def _states(self, member: Member) -> Mapping[Color, State]:
        """Of its colors, by one command."""
        colors = [color for color in COLORS if color in member.addresses]
        return dict(zip(colors, serving.states([self._process(member, color) for color in colors]), strict=True))

    def _secrets(self, member: Member) -> str:
        return self._program(member, next(iter(member.addresses)), "true").secrets

    def _process(self, member: Member, color: Color) -> Serving:
        return choosing.serving(self._settings, member, self._layout, color, self._python)

    def _program(self, member: Member, color: Color, template: str) -> Program:
        return choosing.program(self._settings, member, self._layout, color, self._python, template)


def _carry_out(line: str, most: float, member: Member, timeout: float) -> None:
    """What a command that worked has said is of no interest."""
    member.host.run(line, min(timeout, most))
