"""Running the configured tests and keeping what they say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import memory
import pytest
from invoke import Context
from lab import keys

from deploytasks import view
from deploytasks.errors import GateRefused
from deploytasks.operations.proving import run_tests
from deploytasks.ports import Release
from deploytasks.world import World


def project(folder: Path, tests: str) -> World:
    """A project in a folder with a name that a shell would take apart."""
    root = folder / "Ann's great library; v2"
    root.mkdir()
    (root / "here").touch()
    world = memory.world(folder)
    world.site = world.site._replace(root=root, context=Context())
    world.settings = replace(world.settings, tests=tests)
    keys.commit(root, {".gitignore": "here\n"})
    return world


def release(of: World) -> Release:
    """What is checked out."""
    return memory.release()._replace(commit=keys.git(of.site.root, "rev-parse", "HEAD").strip())


def test_tests_run_in_the_project_wherever_it_is(tmp_path: Path) -> None:
    """Blanks, quotes and semicolons in the project's path are part of the path; the evidence says that they passed."""
    world = project(tmp_path, "test -f here")
    run_tests(world, release(world), preview=False, again=False)

    found = world.ledger.head().standing.evidence_of("tests")
    assert found is not None
    assert found.ok


def test_tests_that_take_a_while_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they say themselves is shown only when they fail; meanwhile nobody sits before an empty screen."""
    world = project(tmp_path, "timeout 10 cat here")
    here = world.site.root / "here"
    told: list[str] = []
    here.unlink()
    os.mkfifo(here)

    def say(line: str) -> None:
        told.append(line)
        if line.startswith("still"):
            here.write_text("passed")

    monkeypatch.setattr(view, "A_WHILE", 0.01)
    monkeypatch.setattr(view, "say", say)
    run_tests(world, release(world), preview=False, again=False)
    assert ["still running the tests: timeout 10 cat here", "tests passed: passed"] == told


def test_tests_that_fail_refuse(tmp_path: Path) -> None:
    """Code 3, with what they said last, and evidence of it."""
    world = project(tmp_path, "echo a broken thing; exit 1")
    with pytest.raises(GateRefused, match="tests failed: a broken thing"):
        run_tests(world, release(world), preview=False, again=False)

    found = world.ledger.head().standing.evidence_of("tests")
    assert found is not None
    assert not found.ok


@pytest.mark.parametrize("how", ["another version", "an edit"])
def test_what_is_not_checked_out_is_not_said_to_be_tested(tmp_path: Path, how: str) -> None:
    """`inv test --version` of a release that fails, beside a work tree whose tests pass: no evidence comes of it."""
    world = project(tmp_path, "true")
    asked = release(world)
    if how == "an edit":
        (world.site.root / "app.py").write_text("print('another')\n")
    else:
        keys.commit(world.site.root, {"app.py": "print('another')\n"})
    with pytest.raises(GateRefused, match="tests can only run on what is checked out"):
        run_tests(world, asked, preview=False, again=False)
    assert world.ledger.head().standing.evidence_of("tests") is None


def test_neither_a_plan_nor_our_own_state_is_a_change(tmp_path: Path) -> None:
    """What is deployed by a plan that lies in the work tree is what is checked out."""
    world = project(tmp_path, "true")
    plan = world.site.root / "plan.json"
    plan.write_text("{}")
    (world.artifacts).mkdir(parents=True)
    (world.artifacts / "some.tar.gz").touch()
    run_tests(world, release(world), preview=False, again=False, beside=plan)
    assert world.ledger.head().standing.evidence_of("tests") is not None
