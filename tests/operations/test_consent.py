"""A protected environment is changed by nobody who has not said so."""

from __future__ import annotations

from pathlib import Path

import memory
import pytest
import stories

from deploytasks.errors import UsageError
from deploytasks.operations import consent
from deploytasks.operations.closing import shut_down
from deploytasks.operations.resuming import resume


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent.view, "is_terminal", lambda: False)


def test_down_asks(tmp_path: Path) -> None:
    """Stopping everything that users are on takes ``--yes`` without a terminal; nothing is stopped."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    with pytest.raises(UsageError, match="protected"):
        shut_down(memory.world(tmp_path, protected=True), preview=False)

    found = memory.world(tmp_path).fleet.installed("blue")
    assert found is not None
    assert found.running


def test_resume_asks(tmp_path: Path) -> None:
    """Going on moves traffic: without consent it stays where it is, and the deployment can still be resumed."""
    stories.deploy(stories.world(tmp_path), "1.0.0")
    stories.killed(tmp_path, "step", step="smoke green", state="done")
    before = stories.split(tmp_path)
    with pytest.raises(UsageError, match="protected"):
        resume(memory.world(tmp_path, protected=True))

    assert before == stories.split(tmp_path)
    assert memory.world(tmp_path).ledger.head().standing.open is not None
