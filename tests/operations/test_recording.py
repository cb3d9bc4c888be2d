"""What a rollback leaves in the ledger, however it went."""

from __future__ import annotations

from pathlib import Path

import memory

from deploytasks.errors import WayBackFailed
from deploytasks.operations.recording import Recording


def test_a_way_back_that_could_not_complete_is_recorded(tmp_path: Path) -> None:
    """One balancer may have taken it: whoever reads the history sees who tried, why, and where it stopped."""
    world = memory.world(tmp_path)
    with Recording(world, patience=5.0) as recording:
        recording.failed(WayBackFailed("lb2 is silent", state="lb1 has it"), "it was slow")
    (event,) = world.ledger.events()
    assert ("note", world.site.who) == (event.kind, event.facts["who"])
    assert ("rollback-failed", "it was slow") == (event.kind, event.facts["reason"])
    assert "lb2 is silent; lb1 has it" == event.facts["why"]
