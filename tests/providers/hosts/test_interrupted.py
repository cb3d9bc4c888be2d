"""A deployer that is interrupted in the middle leaves nothing half running; one that is killed leaves what is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploytasks.providers.identity import identity
from deploytasks.providers.site import Site

from .conftest import MakeFleet, MakeRelease, perform

DEPLOYER = """
import sys
from pathlib import Path
from deploytasks.interrupt import caught
from deploytasks.errors import Interrupted
from deploytasks.providers.local import LocalFleet
from deploytasks.providers.site import Site
from deploytasks.settings.local import LocalFleetSettings

root, settings = sys.argv[1:]
site = Site("app", "development", Path(root), Path(root) / ".deploy", None, "ann@here")
fleet = LocalFleet(LocalFleetSettings.model_validate_json(settings), site)
try:
    with caught():
        {work}
except Interrupted as interrupted:
    sys.exit(interrupted.exit_code)
"""
START = "fleet.start('green')[0][0].perform(60)"
RUN = "fleet.run('green', 'echo $$ > {shared}/pid; sleep 93; true', 'migrate').perform(60)"


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.01)
    return bool(condition())


def deployer(work: str, site: Site, settings: str) -> subprocess.Popen[str]:
    program = DEPLOYER.replace("{work}", work)
    arguments = [sys.executable, "-c", program, str(site.root), settings]
    return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def pid_in(file: Path) -> int:
    text = file.read_text() if file.exists() else ""
    return int(text.split()[0].partition(":")[0]) if text.endswith("\n") else 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(("work", "note"), [(START, "run/green.pid"), (RUN, "shared/pid")])
def test_interrupted(
    make_fleet: MakeFleet, make_release: MakeRelease, site: Site, work: str, note: str, signum: int, code: int
) -> None:
    """While a color starts, or a migration runs: it ends with the deployer, and its pid file goes."""
    fleet = make_fleet(start="sleep 92", start_within=60.0)
    perform(fleet.install(make_release(), "green"))
    process = deployer(work, site, fleet._settings.model_dump_json())
    try:
        assert wait_for(lambda: pid_in(site.folder / note))
        pid = pid_in(site.folder / note)
        process.send_signal(signum)
        assert process.wait(10) == code
        assert wait_for(lambda: identity(pid) is None)
        assert list((site.folder / "run").iterdir()) == []
    finally:
        process.kill()
        _, said = process.communicate()
    assert said == ""


def test_killed_while_starting(make_fleet: MakeFleet, make_release: MakeRelease, site: Site) -> None:
    """After ``kill -9`` the process that was being started is known, and the next start replaces it."""
    fleet = make_fleet(start="sleep 91", start_within=60.0)
    perform(fleet.install(make_release(), "green"))
    process = deployer(START, site, fleet._settings.model_dump_json())
    assert wait_for(lambda: pid_in(site.folder / "run/green.pid"))
    pid = pid_in(site.folder / "run/green.pid")
    process.kill()
    process.communicate()
    installed = fleet.installed("green")
    assert installed is not None
    assert installed.running
    fleet = make_fleet()
    perform(fleet.start("green"))
    assert identity(pid) is None
    assert fleet.health("green").healthy


def test_killed_while_migrating(make_fleet: MakeFleet, make_release: MakeRelease, site: Site) -> None:
    """After ``kill -9`` the migration is at work still, and is not started beside itself until it is over."""
    from deploytasks.errors import GateRefused

    fleet = make_fleet()
    perform(fleet.install(make_release(), "green"))
    process = deployer(RUN, site, fleet._settings.model_dump_json())
    assert wait_for(lambda: pid_in(site.folder / "shared/pid"))
    process.kill()
    process.communicate()
    with pytest.raises(GateRefused, match="at work already"):
        fleet.run("green", "true", "migrate").perform(10)
    leader = pid_in(site.folder / "run/command-migrate.pid")
    os.killpg(leader, signal.SIGKILL)
    assert wait_for(lambda: identity(leader) is None)
    fleet.run("green", "true", "migrate").perform(10)
