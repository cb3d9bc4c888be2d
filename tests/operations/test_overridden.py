"""What is set aside is never silent: it is in the deployment's events, in its report and in its last lines."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import memory
import pytest
import stories

from deploytasks import plans
from deploytasks.errors import GateRefused
from deploytasks.operations import answers, approving
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.operations.signing import record
from deploytasks.view.paint import Paint
from deploytasks.view.text import text
from deploytasks.world import World

RELEASE = memory.release("1.1.0")
SAID = "code.tests: by ann@desk 2026-11-23 10:00 UTC: ticket 4711 (no run of `make test` is recorded for 1.1.0 within"


def world(tmp_path: Path, kind: type[memory.TestWorld] = memory.TestWorld) -> World:
    """One whose gate wants tests that nobody has run."""
    made = memory.world(tmp_path, kind=kind, **stories.SHORT)
    made.settings = replace(made.settings, tests="make test")
    return made


def deploy(made: World) -> None:
    carry_out(made, partial(plans.deploy, release=RELEASE), task="deploy")


def test_without_an_override_it_is_refused(tmp_path: Path) -> None:
    """And one for another commit is none."""
    made = world(tmp_path)
    record(made, "override", "code.tests", "another", "ticket 4711")
    with pytest.raises(GateRefused, match=r"code\.tests: no run of"):
        deploy(made)
    assert () == made.overridden


def test_with_one_it_is_deployed_in_spite_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody who looks is told: listeners, the last lines, the history, the report."""
    made = world(tmp_path)
    record(made, "override", "code.tests", RELEASE.commit, "ticket 4711")
    deploy(made)
    (event,) = [event for event in made.ledger.events() if event.kind == "overridden"]
    assert made.deployment == event.facts["deployment"]
    assert [["code.tests", True]] == [[item, SAID.partition(": ")[2] in why] for item, why in event.facts["items"]]  # type: ignore[misc, union-attr]  # as written
    assert "overridden" in [told.kind for told in made.listeners[0].events]  # type: ignore[attr-defined]  # a Teller
    out = capsys.readouterr().out
    assert f"in spite {SAID}" in " ".join(out.split())
    report = text("report", answers.report(made, None), Paint(False))
    assert f"in spite of: {SAID}" in report
    history = text("history", answers.history(made), Paint(False))
    assert f"set aside: code.tests for {RELEASE.commit}: ticket 4711" in history


def test_after_a_death_it_is_still_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever resumes is told in the end what the gate had found, though it is not asked again."""
    record(world(tmp_path), "override", "code.tests", RELEASE.commit, "ticket 4711")
    killed = stories.when("step", stories.die, step="start green", state="done")
    stories.deploy(stories.world(tmp_path), "1.0.0")
    assert stories.in_a_fork(lambda: deploy(world(tmp_path, killed)))
    made = world(tmp_path)
    resume(made)
    assert f"in spite {SAID}" in " ".join(capsys.readouterr().out.split())


def test_what_is_remembered_of_a_plan(tmp_path: Path) -> None:
    """Of events that somebody else's version wrote, as much as can be read."""
    made = world(tmp_path)
    made.ledger.append("began", {"planned": {"digest": "d", "author": "ann"}})
    made.ledger.append("began", {"planned": None})
    made.ledger.append("overridden", {"items": "all"})
    approving.remember(made, made.ledger.events())
    assert made.planned is not None
    assert ("d", "ann", ()) == (made.planned.digest, made.planned.author, made.planned.by)
    assert () == made.overridden
