"""Nobody passes the gates over by calling the environment another thing than it is."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from invoke import Context
from lab import keys

from deploytasks import plans
from deploytasks.errors import GateRefused, NotEnoughEvidence
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.guarding import PASSED_FOR
from deploytasks.operations.resuming import resume
from deploytasks.steps import Gate
from deploytasks.world import World


def commit(folder: Path, *, protected: bool) -> str:
    """Commit a configuration."""
    environments = {"test": {"protected": protected}}
    return keys.commit(
        folder, {"invoke.yaml": json.dumps({"deploy": {"application": "library", "environments": environments}})}
    )


def opened(folder: Path, **changes: Any) -> World:
    world = memory.world(folder, **{**stories.SHORT, **changes})
    world.site = world.site._replace(context=Context())
    world.consent = True
    return world


# -- protection ------------------------------------------------------------------------------------


def test_protection_that_is_lifted_by_an_edit_is_there_still(tmp_path: Path) -> None:
    """Whatever has lifted it: a file, a variable, an option."""
    commit(tmp_path, protected=True)
    with pytest.raises(GateRefused, match="test is protected as it is committed") as refused:
        stories.deploy(opened(tmp_path), "1.0.0")
    assert (refused.value.state, None) == ("nothing was changed", stories.split(tmp_path).live)


def test_protection_that_a_commit_lifts_is_told_and_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be; but not without a word, since nobody asks for reviews then."""
    before = commit(tmp_path, protected=True)
    of = memory.release("1.0.0")
    memory.world(tmp_path).note("settled", version="1.0.0", commit=before, digest=of.digest, color="blue")
    commit(tmp_path, protected=False)
    stories.deploy(opened(tmp_path), "1.1.0")
    notes = [str(event.facts["text"]) for event in opened(tmp_path).ledger.events() if event.kind == "note"]
    assert ["test was protected in 1.0.0, which is live, and is no longer: no gates are asked"] == notes
    assert notes[0] in capsys.readouterr().err


@pytest.mark.parametrize("has_commit", [True, False])
def test_what_never_was_protected_is_not_asked_about(tmp_path: Path, has_commit: bool) -> None:
    """Nor is where there is no repository."""
    if has_commit:
        commit(tmp_path, protected=False)
    assert 0 == stories.deploy(opened(tmp_path), "1.0.0").code


# -- resuming --------------------------------------------------------------------------------------


def held(folder: Path, monkeypatch: pytest.MonkeyPatch, *, gates: bool) -> None:
    """1.0.0 is live; 1.1.0 was held, because nobody came."""
    stories.deploy(stories.world(folder), "1.0.0")
    memory.state_of(folder).set(rate=0.0)
    monkeypatch.setattr(Gate, "do", lambda *_: None)
    wanted = partial(plans.deploy, release=memory.release("1.1.0"), gates=gates)
    with pytest.raises(NotEnoughEvidence):
        carry_out(stories.world(folder), wanted, task="deploy")
    memory.state_of(folder).set(rate=100.0)


def test_what_was_begun_without_gates_is_not_resumed_past_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody began it where it was not protected, or said that it was not."""
    held(tmp_path, monkeypatch, gates=False)
    before = stories.split(tmp_path)
    with pytest.raises(GateRefused, match="was begun without the gates of test"):
        resume(opened(tmp_path, protected=True))
    assert before == stories.split(tmp_path)


def test_what_passed_the_gates_is_resumed_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they have seen counts no longer then."""
    held(tmp_path, monkeypatch, gates=True)
    world = opened(tmp_path, protected=True)
    world.clock.sleep(PASSED_FOR.total_seconds())
    memory.state_of(tmp_path).flush()
    with pytest.raises(GateRefused, match=r"passed the gates 2026-11-23 10:0\d UTC: too long ago"):
        resume(world)


def test_what_passed_the_gates_just_now_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not asked twice."""
    held(tmp_path, monkeypatch, gates=True)
    assert 0 == resume(opened(tmp_path, protected=True)).code
