"""A rollback asks no gates, and so it must not be a way around them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from invoke import Context

from deploytasks import plans
from deploytasks.errors import GateRefused, Unreachable
from deploytasks.operations import rollback as task
from deploytasks.operations.carrying_out import carry_out
from deploytasks.world import World

HOME = (100, 0)
AWAY = (0, 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """1.0.0 is live on blue; 1.1.0 was installed on green, and nobody has looked at it."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    waiting = partial(plans.install, release=memory.release("1.1.0"))
    carry_out(memory.world(tmp_path), waiting, task="install")
    return tmp_path


def go(monkeypatch: pytest.MonkeyPatch, world: World, to: str | None, *, force: bool = False) -> None:
    """``inv rollback --to … --yes``, without the watch."""
    world.consent = True
    monkeypatch.setattr(task, "_opened", lambda *_, **__: (world, ""))
    options: dict[str, Any] = {"preview": False, "consent": True, "database": False, "watch": False}
    task.rollback(Context(), "test", "why not", to=to, force=force, **options)


def test_it_goes_to_nothing_that_was_never_live(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `install` and `rollback --to` would expose what nobody has reviewed or watched. With --force it is done."""
    world = memory.world(folder, protected=True)
    with pytest.raises(GateRefused, match=r"1\.1\.0 on green was never live") as refused:
        go(monkeypatch, world, "green")
    assert ("traffic was not moved", HOME) == (refused.value.state, stories.split(folder)[:2])
    go(monkeypatch, memory.world(folder, protected=True), "green", force=True)
    assert AWAY == stories.split(folder)[:2]


def test_it_goes_to_what_was_live_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it was taken back: forward again is a way back, too."""
    stories.deploy(stories.world(folder), "1.1.0")
    for color, weights in (("blue", HOME), ("green", AWAY), ("blue", HOME)):
        go(monkeypatch, memory.world(folder, protected=True), color)
        assert weights == stories.split(folder)[:2]


def test_where_nothing_is_protected_it_goes_where_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not protected is for trying things out."""
    go(monkeypatch, memory.world(folder), "green")
    assert AWAY == stories.split(folder)[:2]


@pytest.mark.parametrize("silent", ["fleet", "store"])
def test_it_waits_for_nobody_who_is_silent(folder: Path, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    """Traffic can be moved while nothing else answers: that is what a way back is for."""
    world = memory.world(folder, protected=True)
    port, question = (world.fleet, "installed") if silent == "fleet" else (world.ledger, "head")
    monkeypatch.setattr(port, question, _silent)
    go(monkeypatch, world, "green")
    assert AWAY == stories.split(folder)[:2]


def _silent(*_: object) -> object:
    raise Unreachable("it is silent")
