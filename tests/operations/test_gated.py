"""Where the gates stand: before everything that brings a release to users of a protected environment."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.engine.plan import Plan
from deploytasks.errors import GateRefused
from deploytasks.operations import choices
from deploytasks.operations.carrying_out import carry_out
from deploytasks.steps import Gate, RollOut


def planned(tmp_path: Path, build: Any, **settings: Any) -> Plan:
    """What a task plans where 1.0.0 is live on blue and 1.1.0 waits on green."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    waiting = memory.world(tmp_path)
    carry_out(waiting, partial(plans.install, release=memory.release("1.1.0")), task="install")
    world = memory.world(tmp_path, **settings)
    plan: Plan = build(world.settings, world.situation(), "d-1")
    return plan


def gates(plan: Plan) -> list[Gate]:
    return [step for step in plan.steps if isinstance(step, Gate)]


@pytest.mark.parametrize(
    "build",
    [
        partial(plans.deploy, release=memory.release("1.2.0")),
        partial(plans.deploy, release=memory.release("1.2.0"), gates=False),
        partial(plans.shift, stages=(100,), watch=1.0),
        partial(plans.install, release=memory.release("1.2.0")),
        plans.migrate,
    ],
    ids=["deploy", "deploy-blue-green", "shift", "install", "migrate"],
)
def test_no_way_to_users_or_their_data_is_without_gates_where_it_is_protected(tmp_path: Path, build: Any) -> None:
    """A chain by hand passes the same gates as a deployment, each link of it: what is installed runs beside the data,
    and a rollback may be told to go there."""
    assert len(gates(planned(tmp_path, build, protected=True))) == 1


def test_elsewhere_a_shift_by_hand_asks_nobody(tmp_path: Path) -> None:
    """What is not protected is for trying things out."""
    assert gates(planned(tmp_path, partial(plans.shift, stages=(100,), watch=1.0))) == []


def test_a_shift_by_hand_is_about_the_commit_that_was_installed(tmp_path: Path) -> None:
    """The ledger knows which commit it was; without it nothing could be found out about it."""
    planned(tmp_path, partial(plans.shift, stages=(100,), watch=1.0))
    world = memory.world(tmp_path, protected=True)
    build = partial(plans.shift, stages=(100,), watch=1.0, commits=choices.commits(world))
    plan = build(world.settings, world.situation(), "d-1")
    assert gates(plan)[0].release.commit == memory.release("1.1.0").commit


def test_what_was_live_before_is_installed_again_without_gates(tmp_path: Path) -> None:
    """It has passed them, and is wanted now because something else is bad."""
    build = partial(plans.install, release=memory.release("0.9.0"), known={memory.release("0.9.0").digest})
    assert gates(planned(tmp_path, build, protected=True)) == []
    assert memory.release("1.0.0").digest in choices.were_live(memory.world(tmp_path))
    assert memory.release("1.1.0").digest not in choices.were_live(memory.world(tmp_path))


def test_a_migration_by_hand_is_about_the_release_that_brings_it(tmp_path: Path) -> None:
    """With its commit: without it nothing could be found out about its migrations."""
    planned(tmp_path, plans.migrate)
    world = memory.world(tmp_path, protected=True)
    plan = partial(plans.migrate, commits=choices.commits(world))(world.settings, world.situation(), "d-1")
    assert ("1.1.0", memory.release("1.1.0").commit) == gates(plan)[0].release[:2]


def test_a_shift_by_hand_is_refused_by_the_gates(tmp_path: Path) -> None:
    """And nothing of it is done."""
    planned(tmp_path, partial(plans.shift, stages=(100,), watch=1.0))
    before = stories.split(tmp_path)
    world = memory.world(tmp_path, protected=True)
    world.consent = True
    with pytest.raises(GateRefused, match=r"code\.tests"):
        carry_out(world, partial(plans.shift, stages=(100,), watch=1.0), task="shift")
    assert before == stories.split(tmp_path)


def test_a_hotfix_has_shorter_stages_that_are_not_nothing(tmp_path: Path) -> None:
    """Each is watched, and so is the bake; never longer than usual."""
    build = partial(plans.deploy, release=memory.release("1.2.0"), hotfix=True)
    usual = {"stages": [10, 50, 100], "watch": "5m", "bake": "30m"}
    short = {"stages": [50, 100], "watch": "1m", "bake": "2h"}
    plan = planned(tmp_path, build, **usual, hotfix=short)
    rules = next(step for step in plan.steps if isinstance(step, RollOut)).rules
    assert ((50, 100), 60.0, 1800.0) == (rules.stages, rules.watch, rules.bake)
    assert gates(plan)[0].hotfix


def test_a_hotfix_has_no_more_stages_than_others(tmp_path: Path) -> None:
    """Where the usual ones are fewer, they are taken."""
    build = partial(plans.deploy, release=memory.release("1.2.0"), hotfix=True)
    plan = planned(tmp_path, build, stages=[50, 100])
    assert (50, 100) == next(step for step in plan.steps if isinstance(step, RollOut)).rules.stages
