"""Balancers of one file each, which stand for a real one where only the switch is tested."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

from deploytasks.ports import Split
from deploytasks.providers.hosts.host import Host
from deploytasks.providers.hosts.localhost import LocalHost
from deploytasks.providers.site import Site
from deploytasks.providers.ssh_watchdog import SshWatchdog
from deploytasks.settings.ssh_watchdog import SshWatchdogSettings

HOME = Split.all_on("blue", None, "deadman:d1")


class Balancers:
    """One on each host: the file ``split`` says where its traffic is and who wrote that; ``silent``: it is down."""

    def __init__(self, folder: Path, names: Sequence[str] = ("b1", "b2")) -> None:
        self.folder = folder
        self.hosts: dict[str, Host] = {name: LocalHost(name=name) for name in names}
        for name in names:
            (folder / name).mkdir(parents=True)
        self.shift("deploy:d1")

    def shift(self, writer: str) -> None:
        """All of them say that traffic is out, and by whom."""
        for name in self.hosts:
            (self.folder / name / "split").write_text(f"out {writer}\n")

    def split(self, name: str) -> str:
        """Where traffic is, and who wrote that."""
        return (self.folder / name / "split").read_text().strip()

    def homing(self, deployment: str, home: Split) -> Sequence[tuple[Host, str]]:
        """As a provider of ``traffic`` has it."""
        return [(host, self._commands(self.folder / name, deployment)) for name, host in self.hosts.items()]

    def _commands(self, at: Path, deployment: str) -> str:
        return f"""cd {quote(str(at))} || exit 1
[ ! -e silent ] || {{ echo "nobody answers" >&2; exit 1; }}
[ ! -e hanging ] || sleep 100
read -r place writer < split
[ "$writer" = deploy:{deployment} ] || {{ echo "not: written by $writer"; exit 0; }}
echo home deadman:{deployment} > split
echo home
"""


def watchdog(balancers: Balancers, folder: Path, grace: float = 1.0, environment: str = "test") -> SshWatchdog:
    """A switch over them, whose folder on the hosts is ``folder``."""
    settings = SshWatchdogSettings(kind="ssh", grace=grace, folder=str(folder / "switch"))
    made = SshWatchdog(settings, Site("library", environment, folder, folder / "state", None, "ann@desk"))
    made.__dict__["_traffic"] = balancers
    return made


def place(folder: Path, name: str) -> Path:
    """The folder of the switch on one host."""
    return folder / "switch" / "library" / "test" / name / "deadman"


def until(claim: Callable[[], bool], within: float = 10.0) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + within
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
