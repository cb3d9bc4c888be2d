"""What a rollback leaves in the ledger, however it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import memory

from deploytasks.errors import WayBackFailed
from deploytasks.operations.recording import Recording
from deploytasks.operations.returning import Returned
from deploytasks.ports import Split

if TYPE_CHECKING:
    import pytest


def test_a_way_back_that_could_not_complete_is_recorded(tmp_path: Path) -> None:
    """One balancer may have taken it: whoever reads the history sees who tried, why, and where it stopped."""
    world = memory.world(tmp_path)
    with Recording(world, patience=5.0) as recording:
        recording.failed(WayBackFailed("lb2 is silent", state="lb1 has it"), "it was slow")
    (event,) = world.ledger.events()
    assert world.site.who == event.facts["who"]
    assert ("rollback-failed", "it was slow") == (event.kind, event.facts["reason"])
    assert "lb2 is silent; lb1 has it" == event.facts["why"]


def test_the_run_in_ci_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback by a button leads to the job that made it."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("BUILD_URL", "https://ci.example/job/8")
    world = memory.world(tmp_path)
    home = Split.all_on("blue", None, "back:x")
    with Recording(world, patience=5.0) as recording:
        recording.record(Returned(Split(50, 50, "blue", "deploy:x"), home, True), "it was slow")
    (event,) = world.ledger.events()
    assert ("rolled-back", "https://ci.example/job/8") == (event.kind, event.facts["run"])
