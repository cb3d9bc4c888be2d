"""What ``doctor`` finds out about hosts and about what runs on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...at_once import at_once
from ...errors import DeployError
from ...ports import COLORS, Color, Finding
from . import commands
from .host import Member
from .layout import Layout

if TYPE_CHECKING:
    from .fleet import HostFleet

_LITTLE = 500_000_000
"""Bytes on a disk that are soon used up."""


def diagnose(
    fleet: HostFleet, members: Sequence[Member], layout: Layout, parallel: int, secrets: Callable[[Member], str]
) -> Sequence[Finding]:
    """The hosts and their tools, then both colors on the hosts that answer.

    ``secrets``: where a host has the file of the application's secrets, a shell word; empty without one.
    """
    came = at_once([partial(_host, member, layout, secrets) for member in members], parallel)
    found = [finding for one in came for finding in one.value or ()]
    silent = {finding.subject for finding in found if finding.subject.startswith("host ") and _is_silent(finding)}
    rest = fleet.only([name for name in fleet.hosts() if f"host {name}" not in silent])
    return [*found, *(_color(rest, color, layout) for color in COLORS)] if rest.hosts() else found


_SILENT = "does not answer: "


def _is_silent(finding: Finding) -> bool:
    return finding.detail.startswith(_SILENT)


def _host(member: Member, layout: Layout, secrets: Callable[[Member], str]) -> list[Finding]:
    subject = f"host {member.host.name}"
    try:
        lines = member.host.run(commands.tools(layout, secrets(member)), 10.0).splitlines()
    except DeployError as error:
        return [Finding(subject, "fail", f"{_SILENT}{error.what}", error.do or "check that it can be reached")]
    free = next((int(line[5:]) * 1024 for line in lines if line.startswith("free ")), None)
    problems = [Finding(subject, "fail", f"{line[8:]} is missing", "install it") for line in lines if "missing" in line]
    problems += [
        Finding(subject, "fail", f"{line[11:]} cannot be read: nothing would start", "see fleet.environment_file")
        for line in lines
        if line.startswith("unreadable ")
    ]
    if "unwritable" in lines:
        problems.append(Finding(subject, "fail", f"{layout.root} cannot be written", "change its owner or mode"))
    if free is not None and free < _LITTLE:
        problems.append(Finding(subject, "warn", f"{free / 1e6:.0f} MB are free", "make room"))
    return problems or [Finding(subject, "ok", f"{layout.root} on {member.host.name} is ready")]


def told(odd: Mapping[str, str]) -> str:
    """Who differs, and how."""
    return "; ".join(f"{host}: {why}" for host, why in odd.items())


def _color(fleet: HostFleet, color: Color, layout: Layout) -> Finding:
    subject = f"color {color}"
    try:
        installed = fleet.installed(color)
    except DeployError as error:
        return Finding(subject, "fail", error.what, error.do)
    if installed is None:
        return Finding(subject, "ok", "no release is installed")
    if installed.odd:
        return Finding(
            subject,
            "warn",
            f"the hosts disagree: most have {installed.release}; {told(installed.odd)}",
            "`inv resume` or the next deployment brings them together; until then keep those out of the balancer",
        )
    if not installed.running:
        return Finding(subject, "ok", f"{installed.release}, not running")
    health = fleet.health(color)
    do = "" if health.healthy else f"read {layout.log(color)}"
    return Finding(subject, "ok" if health.healthy else "fail", f"{installed.release}: {health.detail}", do)
