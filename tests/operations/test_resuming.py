"""Going on after a hold: what is done again, what is not, and what a preview of it shows."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import memory
import pytest

from deploytasks import plans
from deploytasks.errors import GateRefused, NotEnoughEvidence
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume


def held(folder: Path) -> None:
    """1.0.0 is live; 1.1.0 was installed and held, because nobody came."""
    for version, rate in (("1.0.0", 100.0), ("1.1.0", 0.0)):
        world = memory.world(folder)
        memory.state_of(folder).set(rate=rate)
        wanted = partial(plans.deploy, release=memory.release(version), gates=False)
        if rate:
            carry_out(world, wanted, task="deploy")
        else:
            with pytest.raises(NotEnoughEvidence):
                carry_out(world, wanted, task="deploy")


def test_a_held_deployment_begins_its_rollout_anew(tmp_path: Path) -> None:
    """With users there, the release that stayed installed goes through all stages; it is not installed again."""
    held(tmp_path)
    memory.state_of(tmp_path).set(rate=100.0)
    before = len(memory.state_of(tmp_path).read()["log"])
    resume(memory.world(tmp_path))

    log = memory.state_of(tmp_path).read()["log"][before:]
    shifts = [line.split()[1] for line in log if line.startswith("split") and "deploy:" in line]
    assert ["100/0", "90/10", "75/25", "50/50", "25/75", "0/100"] == shifts
    assert not [line for line in log if line.startswith(("green ->", "start"))]
    assert "green" == memory.world(tmp_path).traffic.read().live


def test_it_can_be_held_and_resumed_more_than_once(tmp_path: Path) -> None:
    """Each hold leaves everything as it was for the next attempt."""
    held(tmp_path)
    for _ in range(2):
        with pytest.raises(NotEnoughEvidence):
            resume(memory.world(tmp_path))
    memory.state_of(tmp_path).set(rate=100.0)
    resume(memory.world(tmp_path))

    assert "green" == memory.world(tmp_path).traffic.read().live
    assert memory.world(tmp_path).ledger.verify().ok


def test_preview_shows_what_is_left_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Done steps are not shown, those that start over are."""
    held(tmp_path)
    state, head = copy.deepcopy(memory.state_of(tmp_path).read()), memory.world(tmp_path).ledger.head()
    capsys.readouterr()
    resume(memory.world(tmp_path), preview=True)

    shown = capsys.readouterr().out
    assert "roll out" in shown
    assert "claim the balancer" in shown
    assert "install" not in shown
    assert (state, head) == (memory.state_of(tmp_path).read(), memory.world(tmp_path).ledger.head())


def test_nothing_to_resume_is_refused(tmp_path: Path) -> None:
    """After a good end there is nothing to go on with."""
    carry_out(memory.world(tmp_path), partial(plans.deploy, release=memory.release(), gates=False), task="deploy")
    with pytest.raises(GateRefused, match="nothing to resume"):
        resume(memory.world(tmp_path))
