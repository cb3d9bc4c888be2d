"""What is otherwise than when a plan was approved, in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.engine.plan import Plan, content, digest
from deploytasks.engine.step import Step
from deploytasks.operations.drift import drift
from deploytasks.ports import Call, Calls, Release
from deploytasks.world import World

BUILD = partial(plans.deploy, release=memory.release("1.1.0"))


def planned(world: World, build: plans.Build = BUILD) -> dict[str, Any]:
    return content(build(world.settings, world.situation(), "20261123-101500-planned"), world)


@pytest.fixture
def before(tmp_path: Path) -> dict[str, Any]:
    """A plan for 1.1.0 where 1.0.0 is live on blue."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    return planned(stories.world(tmp_path))


def test_an_unchanged_world_gives_the_same_plan(tmp_path: Path, before: dict[str, Any]) -> None:
    """Whenever it is planned, and under whatever id."""
    world = stories.world(tmp_path)
    world.clock.sleep(3600)
    again = content(BUILD(world.settings, world.situation(), "20270101-000000-ab12cd"), world)
    assert before == again
    assert [] == drift(before, again)


def test_the_folder_of_the_archive_does_not_matter(tmp_path: Path) -> None:
    """Whoever approves has the project somewhere else."""
    world = stories.world(tmp_path)
    release = Release("1.1.0", "c", "d" * 64, "")
    found = [
        digest(partial(plans.deploy, release=release._replace(archive=f"{folder}/a.tar.gz"))(
            world.settings, world.situation(), "20261123-101500-planned"
        ), world)
        for folder in ("/home/ann/library/.deploy/artifacts", "/builds/ci")
    ]  # fmt: skip
    assert found[0] == found[1]


@dataclass(frozen=True)
class Here(Step):
    """A step whose calls run on the deployer's own machine."""

    name = "here"

    def calls(self, world: World) -> Calls:
        line = f"cd {world.site.root} && '{sys.executable}' {world.site.root}/manage.py; ls {world.site.root}-old"
        return [[Call(line, lambda timeout: None)]]


def test_neither_does_the_folder_of_the_project_nor_its_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In calls on the machine of whoever deploys. Another folder that begins alike is another folder."""
    world, found = stories.world(tmp_path), []
    plan = Plan("d-1", "deploy", world.situation(), (Here(),))
    for root, python in (("/home/ann/library", "/home/ann/.venv/bin/python3"), ("/builds/ci", "/usr/bin/python3.13")):
        world.site = world.site._replace(root=Path(root))
        monkeypatch.setattr(sys, "executable", python)
        (((text,),),) = content(plan, world)["calls"]
        assert f"cd {{root}} && '{{python}}' {{root}}/manage.py; ls {root}-old" == text
        found.append(text.partition(";")[0])
    assert found[0] == found[1]


_ELSEWHERE = """
import sys
from pathlib import Path
import memory, stories
from functools import partial
from deploytasks import plans
from deploytasks.engine.plan import digest
world = stories.world(Path(sys.argv[1]))
plan = plans.deploy(world.settings, world.situation(), sys.argv[2], release=memory.release("1.1.0"))
print(digest(plan, world))
"""


def test_every_process_computes_the_same_digest(tmp_path: Path, before: dict[str, Any]) -> None:
    """Whatever the order of its sets and dictionaries."""
    tests = Path(memory.__file__).parent
    found = set()
    for seed in ("0", "1", "4242"):
        own = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
        command = [sys.executable, "-c", _ELSEWHERE, str(tmp_path), f"2026112{seed[0]}-101500-abc"]
        done = subprocess.run(command, env=own, check=True, capture_output=True, text=True, timeout=60)
        found.add(done.stdout.strip())
    world = stories.world(tmp_path)
    ours = digest(BUILD(world.settings, world.situation(), "20261123-101500-planned"), world)
    assert {ours} == found


def test_another_live_release_is_told_once(tmp_path: Path, before: dict[str, Any]) -> None:
    """Somebody deployed meanwhile: what is live, where it is, and what follows from that."""
    stories.deploy(stories.world(tmp_path), "1.0.1")
    lines = drift(before, planned(stories.world(tmp_path)))
    assert "split.blue: 100 → 0" in lines
    assert "green.version: nothing → 1.0.1" in lines or "green: nothing → 1.0.1" in lines
    assert "color: green → blue" in lines


def test_changed_settings_are_named_by_step_and_field(tmp_path: Path, before: dict[str, Any]) -> None:
    """Stages, times, limits."""
    changes = {**stories.SHORT, "stages": [10, 100], "watch": "60s"}
    lines = drift(before, planned(memory.world(tmp_path, **changes)))
    assert ["step `roll out`, rules.stages: 50, 100 → 10, 100", "step `roll out`, rules.watch: 30.0 → 60.0"] == lines


def test_steps_that_come_and_go_are_named(tmp_path: Path, before: dict[str, Any]) -> None:
    lines = drift(before, planned(memory.world(tmp_path, **stories.SHORT, protected=True)))
    assert [] == lines  # the gates are there in both
    without = partial(plans.deploy, release=memory.release("1.1.0"), gates=False)
    assert ["step `check the gates`: is gone"] == drift(before, planned(stories.world(tmp_path), without))
    assert ["step `check the gates`: is new"] == drift(planned(stories.world(tmp_path), without), before)


def test_another_release_is_told_once(tmp_path: Path, before: dict[str, Any]) -> None:
    other = partial(plans.deploy, release=memory.release("1.2.0"))
    lines = drift(before, planned(stories.world(tmp_path), other))
    assert "release.version: 1.1.0 → 1.2.0" in lines
    assert 1 == sum("1.2.0" in line and "version" in line for line in lines)


def test_hosts_and_calls(tmp_path: Path, before: dict[str, Any]) -> None:
    """A host that is left out; and a call that is rendered otherwise although all fields are the same."""
    world = stories.world(tmp_path)
    world.aside["memory"] = "its disk is broken"
    assert any("memory" in line and "its disk is broken" in line for line in drift(before, planned(world)))
    text = json.dumps(before).replace("start green", "start green twice")
    assert ["step `start`, no longer: start green", "step `start`, now: start green twice"] == drift(
        before, json.loads(text)
    )
