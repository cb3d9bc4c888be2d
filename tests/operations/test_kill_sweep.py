"""Killed before and after every append and every call; then resumed, rolled back, or deployed anew.

Each run is a real process that is really gone (``os._exit`` in a fork), over state that lives on disk.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks import plans
from deploytasks.errors import GateRefused, TakenBack
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.recording import Recording
from deploytasks.operations.resuming import resume
from deploytasks.operations.returning import roll_back
from deploytasks.ports import Call
from deploytasks.world import World

SHORT: dict[str, Any] = {"stages": [50, 100], "watch": "30s", "bake": "15s", "poll": "15s", "baseline": "15s"}
KILLED = 137
ENDED = 0


class Mortal(memory.TestWorld):
    """A world whose process dies at the n-th point: points lie before and after each append and each call."""

    dies_at = 0
    points = 0

    def _point(self) -> None:
        type(self).points += 1
        if self.points == self.dies_at:
            memory.state_of(self.site.root).flush()
            os._exit(KILLED)

    def note(self, kind: str, **facts: Any) -> Any:
        self._point()
        event = super().note(kind, **facts)
        self._point()
        return event

    def _make(self, call: Call, deadline: float) -> None:
        self._point()
        super()._make(call, deadline)
        self._point()


def deploy(world: World, version: str = "1.1.0") -> None:
    wanted = partial(plans.deploy, release=memory.release(version), gates=False)
    carry_out(world, wanted, task="deploy")


def rollback(world: World) -> None:
    with Recording(world, patience=10.0) as recording:
        recording.record(roll_back(world), "killed")


def in_a_process(work: Callable[[], None]) -> int:
    """Run it in a fork; its exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the fork of a threaded test runner runs no thread
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = ENDED
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_at(folder: Path, point: int) -> int:
    def work() -> None:
        Mortal.dies_at, Mortal.points = point, 0
        deploy(memory.world(folder, kind=Mortal, **SHORT))

    return in_a_process(work)


RECOVERIES: dict[str, Callable[[World], None]] = {
    "resume": lambda world: (resume(world), None)[1],
    "rollback": rollback,
    "deploy": deploy,
}


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("errors", [0.0, 0.5], ids=["good release", "bad release"])
def test_killed_anywhere_it_comes_back_to_one_healthy_color(
    errors: float, recovery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One color at 100 %, healthy, nothing open, no switch armed, the chain verified: at every point.

    A bad release is killed on its way home as well.
    """
    template = tmp_path / "template"
    template.mkdir()
    deploy(memory.world(template, **SHORT), "1.0.0")
    memory.state_of(template).set(errors={"green": errors})
    point, wrong = 0, []
    while True:
        point += 1
        folder = tmp_path / f"{point}"
        shutil.copytree(template, folder)
        if killed_at(folder, point) != KILLED:
            break
        with suppress(GateRefused, TakenBack):
            RECOVERIES[recovery](memory.world(folder, **SHORT))
        wrong += [f"point {point}: {problem}" for problem in problems(memory.world(folder, **SHORT))]
        shutil.rmtree(folder)
    capsys.readouterr()
    assert point > 70
    assert wrong == []


def problems(world: World) -> list[str]:
    split = world.traffic.read()
    head = world.ledger.head()
    found = []
    if split.live is None:
        found.append(f"split {split}")
    elif not world.fleet.health(split.live).healthy:
        found.append(f"{split.live} is not healthy")
    if split.way_back and not world.fleet.health(split.way_back).healthy:
        found.append(f"the way back {split.way_back} is not healthy")
    if head.standing.open:
        found.append(f"{head.standing.open.deployment} is open")
    if world.deadman and world.deadman.state().armed:
        found.append("the switch is armed")
    if not world.ledger.verify().ok:
        found.append("the ledger does not verify")
    return found
