"""What a dead deployer left is taken back even where its plan cannot be read, and never without consent."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import memory
import pytest

from deploytasks import plans
from deploytasks.engine import plan as plan_module
from deploytasks.errors import GateRefused, SplitMoved, TakenBack, UsageError
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.ports import Split
from deploytasks.world import World


def deploy(world: World, version: str) -> None:
    carry_out(world, partial(plans.deploy, release=memory.release(version), gates=False), task="deploy")


def left_by_another_version(folder: Path) -> None:
    """1.0.0 is live; half of its traffic is on a release whose deployment has a step that nobody knows here."""
    deploy(memory.world(folder), "1.0.0")
    world = memory.world(folder)
    world.deployment = "d-other"
    plan = plans.deploy(world.settings, world.situation(), "d-other", release=memory.release("1.1.0"), gates=False)
    recorded = {**plan_module.to_json(plan), "steps": [{"step": "dance"}]}
    world.note("began", task="deploy", plan=recorded)
    memory.state_of(folder).change(split=[50, 50, "blue", "deploy:d-other"])


def test_an_unreadable_plan_is_closed_by_the_balancer(tmp_path: Path) -> None:
    """Traffic goes home, the record is closed with what could not be taken back, and the new deployment goes on."""
    left_by_another_version(tmp_path)
    deploy(memory.world(tmp_path), "1.2.0")

    world = memory.world(tmp_path)
    ended = [event for event in world.ledger.events() if event.kind == "ended"]
    splits = [line.split()[1:] for line in memory.state_of(tmp_path).read()["log"] if line.startswith("split")]
    assert ["100/0", "back:d-other"] in splits
    assert "plan cannot be read" in str(ended[-2].facts["left"])
    assert ("green", None) == (world.traffic.read().live, world.ledger.head().standing.open)


def test_an_unreadable_plan_cannot_be_resumed(tmp_path: Path) -> None:
    """Code 3, and the version that could is named as the way on."""
    left_by_another_version(tmp_path)
    with pytest.raises(GateRefused, match="cannot be read here"):
        resume(memory.world(tmp_path))
    assert memory.world(tmp_path).traffic.read().is_mixed


def test_in_a_protected_environment_even_the_taking_back_asks(tmp_path: Path) -> None:
    """Nobody is at a terminal: code 2, and traffic stays as the dead deployer left it."""
    left_by_another_version(tmp_path)
    with pytest.raises(UsageError, match="protected"):
        deploy(memory.world(tmp_path, protected=True), "1.2.0")
    assert memory.world(tmp_path).traffic.read().is_mixed


def test_a_secret_in_a_command_is_refused_before_anything_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan is recorded word for word, so no word of it may be a secret."""
    monkeypatch.setenv("DATABASE_PASSWORD", "correct-horse")
    world = memory.world(tmp_path)
    world.settings.sections["database"].__dict__["migrate"] = "migrate --password correct-horse"
    with pytest.raises(UsageError, match="holds the value of a secret"):
        deploy(world, "1.0.0")
    assert not [event for event in world.ledger.events() if event.kind == "began"]


def test_an_ordinary_word_that_is_a_secret_does_not_spoil_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a password such as ``deploy``, the recorded plan is still the plan."""
    monkeypatch.setenv("DATABASE_PASSWORD", "deploy")
    world = memory.world(tmp_path)
    deploy(world, "1.0.0")
    began = next(event for event in world.ledger.events() if event.kind == "began")
    assert "***" not in str(began.facts["plan"])


def test_a_rollback_in_the_middle_keeps_the_migration_from_running(tmp_path: Path) -> None:
    """Whoever takes traffic back while a release is being installed stops all that would come after."""
    deploy(memory.world(tmp_path), "1.0.0")
    migrated = len(memory.state_of(tmp_path).read()["migrated"])

    class RolledBack(memory.TestWorld):
        def note(self, kind: str, **facts: object) -> object:  # type: ignore[override]  # a test's own hook
            if kind == "installed":
                memory.state_of(tmp_path).change(split=[100, 0, None, "back:rollback-1"])
            return super().note(kind, **facts)  # type: ignore[arg-type]  # as given

    with pytest.raises(SplitMoved) as caught:
        deploy(memory.world(tmp_path, kind=RolledBack), "1.1.0")

    assert 5 == caught.value.exit_code
    assert migrated == len(memory.state_of(tmp_path).read()["migrated"])
    assert Split(100, 0, None, "back:rollback-1") == memory.world(tmp_path).traffic.read()


def test_what_lasts_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A release that is taken back leaves its migration behind, and the last lines say so."""
    deploy(memory.world(tmp_path), "1.0.0")
    memory.state_of(tmp_path).set(errors={"green": 0.5})
    capsys.readouterr()
    with pytest.raises(TakenBack):
        deploy(memory.world(tmp_path), "1.1.0")
    assert "but for what stays: the migration" in capsys.readouterr().out
