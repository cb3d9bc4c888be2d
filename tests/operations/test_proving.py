"""Running the configured tests and keeping what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import memory
import pytest
from invoke import Context

from deploytasks.errors import GateRefused
from deploytasks.operations.proving import run_tests
from deploytasks.world import World


def project(folder: Path, tests: str) -> World:
    """A project in a folder with a name that a shell would take apart."""
    root = folder / "Ann's great library; v2"
    root.mkdir()
    (root / "here").touch()
    world = memory.world(folder)
    world.site = world.site._replace(root=root, context=Context())
    world.settings = replace(world.settings, tests=tests)
    return world


def test_tests_run_in_the_project_wherever_it_is(tmp_path: Path) -> None:
    """Blanks, quotes and semicolons in the project's path are part of the path; the evidence says that they passed."""
    world = project(tmp_path, "test -f here")
    run_tests(world, memory.release(), preview=False, again=False)

    found = world.ledger.head().standing.evidence_of("tests")
    assert found is not None
    assert found.ok


def test_tests_that_fail_refuse(tmp_path: Path) -> None:
    """Code 3, and evidence of it."""
    world = project(tmp_path, "echo a broken thing; exit 1")
    with pytest.raises(GateRefused, match="a broken thing"):
        run_tests(world, memory.release(), preview=False, again=False)

    found = world.ledger.head().standing.evidence_of("tests")
    assert found is not None
    assert not found.ok
