"""Deployments that something happens to: at a chosen event, to a real process in a fork or to this one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import memory

from deploytasks import plans
from deploytasks.engine.run import Outcome
from deploytasks.operations.carrying_out import carry_out
from deploytasks.ports import Split
from deploytasks.world import World

SHORT: dict[str, Any] = {"stages": [50, 100], "watch": "30s", "bake": "15s", "poll": "15s", "baseline": "15s"}
KILLED = 137

Happening = Callable[[World], object]


def deploy(world: World, version: str = "1.1.0") -> Outcome:
    wanted = partial(plans.deploy, release=memory.release(version), gates=False)
    return carry_out(world, wanted, task="deploy")


def world(folder: Path, kind: type[memory.TestWorld] = memory.TestWorld) -> World:
    return memory.world(folder, kind=kind, **SHORT)


def split(folder: Path) -> Split:
    return memory.world(folder).traffic.read()


def when(kind: str, happening: Happening, **facts: object) -> type[memory.TestWorld]:
    """A world in which something happens, once such an event is recorded."""

    class Eventful(memory.TestWorld):
        def note(self, noted: str, **told: Any) -> Any:
            event = super().note(noted, **told)
            if noted == kind and all(told.get(name) == value for name, value in facts.items()):
                happening(self)
            return event

    return Eventful


def killed(folder: Path, kind: str, **facts: object) -> None:
    """A deployment of 1.1.0 whose process dies when such an event is recorded."""
    assert in_a_fork(lambda: deploy(world(folder, when(kind, die, **facts))))


def in_a_fork(work: Callable[[], object]) -> bool:
    """Do it in a process of its own; whether that died at it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the fork of a threaded test runner runs no thread
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def die(world: World) -> None:
    memory.state_of(world.site.root).flush()
    os._exit(KILLED)
