"""A fleet of hosts that run both colors: what ``ports.Fleet`` promises, for any ``Host``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ...errors import DeployError, GateRefused, UsageError
from ...ports import COLORS, Call, Calls, Color, Finding, Health, Installed, Release
from ...settings.hosts import HostsSettings
from . import commands
from .host import CommandFailed, Member
from .layout import Layout
from .process import ColorProcess
from .rendering import Program, program

_QUICK = 30.0
"""Seconds for a command that only moves names about."""

Work = Callable[[Member, float], None]


class HostFleet:
    """Installs, starts and stops releases on hosts. ``root``: an absolute path on each of them."""

    def __init__(self, settings: HostsSettings, members: Sequence[Member], root: str) -> None:
        self._settings = settings
        self._members = tuple(members)
        self._layout = Layout(root.rstrip("/"))
        self._python = settings.python or sys.executable

    # -- reading -------------------------------------------------------------

    def installed(self, color: Color) -> Installed | None:
        """What stands on a color. Hosts that disagree: the first one's release, with an empty digest."""
        states = [self._process(member, color).state() for member in self._members]
        first = states[0]
        if not first.release and not any(state.release for state in states):
            return None
        agree = len({(state.release, state.digest) for state in states}) == 1
        name = next(state.release for state in states if state.release)
        running = all(state.running and state.running == name for state in states)
        return Installed(name, first.digest if agree else "", name.rpartition("-")[0], running)

    def health(self, color: Color) -> Health:
        """Healthy when every host is; the detail names the first that is not."""
        for member in self._members:
            health = self._process(member, color).health()
            if not health.healthy:
                return health if len(self._members) == 1 else Health(False, f"{member.host.name}: {health.detail}")
        return health

    def address(self, color: Color) -> str:
        """The first host's."""
        return self._process(self._members[0], color).address

    # -- writing -------------------------------------------------------------

    def install(self, release: Release, color: Color) -> Calls:
        """Put, verify, unpack, link."""
        text = f"install {release.name} on {color} (sha256 {release.digest})"
        return self._everywhere(text, lambda member, timeout: self._install(member, release, color, timeout))

    def switch(self, color: Color, release: str | None) -> Calls:
        """Point the color's link at a release that is there, or take the link away."""
        line = commands.switch(self._layout, color, release) if release else commands.unlink(self._layout, color)
        return self._everywhere(
            f"link current-{color} to releases/{release}" if release else f"remove current-{color}",
            lambda member, timeout: _quietly(member.host.run(line, min(timeout, _QUICK))),
        )

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        """Start the current release. A process that runs it already, configured alike and healthy, is left alone;
        any other of this color is stopped first."""
        shown = self._process(self._members[0], color)
        program = f"{shown.program.command} (configuration {shown.program.fingerprint})"
        text = f"start {color} at {shown.address}: {'as it ran before' if as_before else program}"

        def start(member: Member, timeout: float) -> None:
            process = self._process(member, color)
            (process.as_before() if as_before else process).start(min(self._settings.start_within, timeout))

        return self._everywhere(text, start)

    def stop(self, color: Color) -> Calls:
        """TERM, then KILL, to the whole process group; identity checked on the host."""
        within = self._settings.stop_within
        return self._everywhere(
            f"stop {color} (KILL after {within:g} s)",
            lambda member, timeout: self._process(member, color).stop(min(within, timeout)),
        )

    def run(self, color: Color, command: str, what: str) -> Call:
        """Run a command once, on the first host. Refuses, with ``GateRefused``, to run beside itself."""
        member = self._members[0]
        shown = self._program(member, color, command)
        return Call(
            f"{member.host.name}: {what} on {color}: {shown.command}",
            lambda timeout: self._run(member, color, shown, what, timeout),
        )

    def prune(self, keep: int, spare: Sequence[str] = ()) -> Calls:
        """Which releases go is decided on each host, when it is done."""
        line = commands.prune(self._layout, keep, spare)
        return self._everywhere(
            f"delete all but the newest {keep} releases{', sparing ' + ', '.join(spare) if spare else ''}",
            lambda member, timeout: _quietly(member.host.run(line, timeout)),
        )

    # -- diagnosing ----------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        """The hosts and their tools, then both colors."""
        found = [finding for member in self._members for finding in self._diagnose_host(member)]
        return [*found, *(self._diagnose_color(color) for color in COLORS)]

    def _diagnose_host(self, member: Member) -> list[Finding]:
        subject = f"host {member.host.name}"
        try:
            lines = member.host.run(commands.tools(self._layout), 10.0).splitlines()
        except DeployError as error:
            return [Finding(subject, "fail", error.what, error.do or "check that it can be reached")]
        free = next((int(line[5:]) * 1024 for line in lines if line.startswith("free ")), None)
        problems = [
            Finding(subject, "fail", f"{line[8:]} is missing", "install it") for line in lines if "missing" in line
        ]
        if "unwritable" in lines:
            problems.append(
                Finding(subject, "fail", f"{self._layout.root} cannot be written", "change its owner or mode")
            )
        if free is not None and free < 500_000_000:
            problems.append(Finding(subject, "warn", f"{free / 1e6:.0f} MB are free", "make room"))
        return problems or [Finding(subject, "ok", f"{self._layout.root} on {member.host.name} is ready")]

    def _diagnose_color(self, color: Color) -> Finding:
        subject = f"color {color}"
        try:
            installed = self.installed(color)
        except DeployError as error:
            return Finding(subject, "fail", error.what, error.do)
        if installed is None:
            return Finding(subject, "ok", "no release is installed")
        if not installed.running:
            return Finding(subject, "ok", f"{installed.release}, not running")
        health = self.health(color)
        do = "" if health.healthy else f"read {self._layout.log(color)}"
        return Finding(subject, "ok" if health.healthy else "fail", f"{installed.release}: {health.detail}", do)

    # -- how -----------------------------------------------------------------

    def _everywhere(self, text: str, work: Work) -> Calls:
        """One call for each host, ``parallel`` of them at once."""
        calls = [Call(f"{one.host.name}: {text}", partial(work, one)) for one in self._members]
        size = self._settings.parallel
        return [calls[i : i + size] for i in range(0, len(calls), size)]

    def _install(self, member: Member, release: Release, color: Color, timeout: float) -> None:
        host, layout, quick = member.host, self._layout, min(timeout, _QUICK)
        host.run(commands.prepare(layout), quick)
        if host.run(commands.has_release(layout, release.name, release.digest), quick).strip() != "yes":
            self._bring(member, release, timeout)
        host.run(commands.switch(layout, color, release.name), quick)

    def _bring(self, member: Member, release: Release, timeout: float) -> None:
        host, layout = member.host, self._layout
        if not Path(release.archive).is_file():
            where = release.archive or "any path"
            raise UsageError(f"the archive of {release.name} is not at {where}", do="build it: `inv build`")
        try:
            host.run(commands.unpack(layout, release.name, release.digest), timeout, given=release.archive)
        except CommandFailed as error:
            what, state = f"unpacking {release.name}", "every color is as before"
            raise CommandFailed(host.name, error.code, error.output, what=what, state=state) from error

    def _run(self, member: Member, color: Color, shown: Program, what: str, timeout: float) -> None:
        line = commands.run(self._layout, color, shown, what, self._python)
        try:
            member.host.run(line, timeout)
        except CommandFailed as error:
            if error.code == commands.STILL_RUNS:
                raise GateRefused(
                    f"{member.host.name}: {what} is at work already: {' '.join(error.lines)}",
                    state="it was not started a second time", do="wait for it, or end that process",
                ) from error  # fmt: skip
            raise CommandFailed(member.host.name, error.code, error.output, what=what) from error
        except BaseException:  # given up or interrupted: the host may still be at it
            with contextlib.suppress(DeployError):
                member.host.run(commands.stop(self._layout.command_pid(what), 0), 10.0)
            raise

    def _process(self, member: Member, color: Color) -> ColorProcess:
        own = self._settings
        return ColorProcess(
            member, self._layout, color, self._program(member, color, own.start or ""), self._python,
            own.health, own.health_within, own.stop_within,
        )  # fmt: skip

    def _program(self, member: Member, color: Color, template: str) -> Program:
        host, _, port = member.addresses[color].rpartition(":")
        layout = self._layout
        values = {
            "python": self._python, "host": host.strip("[]"), "port": port, "color": color,
            "shared": layout.shared, "log": layout.log(color), "root": layout.root,
        }  # fmt: skip
        return program(template, self._settings.environment, values)


def _quietly(output: str) -> None:
    """What a command that worked has said is of no interest."""
