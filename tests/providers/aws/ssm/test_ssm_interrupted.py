"""A command that takes too long, a deployer who is interrupted, and one who dies: no orphan, and nothing twice."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from lab.aws.cloud import Cloud  # noqa: TC002  whoever reads a type should find its import
from lab.aws.ssm import SystemsManager  # noqa: TC002  see above

from deploytasks import interrupt, plans
from deploytasks.errors import Interrupted, Unreachable
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.ports import Release
from deploytasks.providers.aws.ssm_fleet import SsmFleet
from deploytasks.providers.identity import identity
from deploytasks.smoke import Result
from deploytasks.steps import smoke
from deploytasks.world import World

from .conftest import IDS, MakeFleet


def wait_for(condition: Callable[[], Any], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.01)
    return bool(condition())


def pids(files: list[Path]) -> list[int]:
    return [int(file.read_text()) for file in files if file.exists() and file.read_text().endswith("\n")]


def test_a_command_that_takes_too_long(fleet: SsmFleet, manager: SystemsManager) -> None:
    """It is killed on the host, with what it started in a session of its own."""
    (host,) = (member.host for member in fleet.only(IDS[:1])._members)
    file = manager.instances[IDS[0]].folder / "pid"
    with pytest.raises(Unreachable, match="was not done in time: so far") as caught:
        host.run(f"echo so far; setsid sh -c 'echo $$ > {file}; sleep 71; :'", 1.0)
    assert caught.value.state == "it was killed with everything it had started"
    (pid,) = pids([file])
    assert wait_for(lambda: identity(pid) is None)


def test_an_interrupt(fleet: SsmFleet, manager: SystemsManager, release: Release, world: World, cloud: Cloud) -> None:
    """Ctrl-C cancels what all hosts are doing, by one request; each has ended it."""
    world.perform(fleet.install(release, "green"))
    files = [one.folder / "srv/pid" for one in manager.instances.values()]

    def see_enough() -> None:
        wait_for(lambda: len(pids(files)) == 3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=see_enough).start()
    line = f"echo $$ > {manager.srv}/pid; sleep 72; :"
    with interrupt.caught(), pytest.raises(Interrupted):
        world.perform(fleet.command("green", line, lambda host, said: None))
    assert wait_for(lambda: cloud.operations("ssm").count("CancelCommand") == 1)
    assert wait_for(lambda: all(identity(pid) is None for pid in pids(files)))
    assert len(pids(files)) == 3


def killed_in_a_fork(work: Callable[[], object]) -> bool:
    """Do it in a process of its own; whether that was killed at it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the fork of a threaded test runner runs no thread
        pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def on(fleet: SsmFleet, folder: Path) -> World:
    """A world in memory, but for its hosts."""
    made = memory.world(folder, **stories.SHORT)
    made._ports.sections["fleet"] = fleet  # type: ignore[attr-defined]  # the ports of memory
    database = memory.DatabaseSettings(migrate="true")
    sections = {**made.settings.sections, "database": database, "fleet": fleet._own}
    made.settings = replace(made.settings, sections=sections)
    return made


def test_a_deployer_who_dies(
    make_fleet: MakeFleet, release: Release, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of an installation: what its host has begun it ends, and `resume` brings it to the others only."""
    monkeypatch.setattr(smoke, "run_checks", lambda base, checks: [Result("health", True, "200", 0.0)])
    deployer = tmp_path / "deployer"
    cloud.before("s3", "GetObject", lambda: os.kill(int(deployer.read_text()), signal.SIGKILL))

    def deploy() -> None:
        deployer.write_text(str(os.getpid()))
        world = on(make_fleet(batch=1), tmp_path)
        carry_out(world, partial(plans.deploy, release=release, gates=False, target="green"), task="deploy")

    assert killed_in_a_fork(deploy)
    assert cloud.operations("s3").count("GetObject") == 1
    assert 0 == resume(on(make_fleet(batch=1), tmp_path)).code
    assert cloud.operations("s3").count("GetObject") == 3
    found = make_fleet().colors()["green"]
    assert found is not None
    assert (found.digest, found.running) == (release.digest, True)
    assert stories.split(tmp_path).live == "green"
