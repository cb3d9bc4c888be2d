"""What the tests of AWS's services share."""

from __future__ import annotations

import os

import pytest
from lab.aws.standing import logged_in


@pytest.fixture(autouse=True)
def _logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    logged_in(monkeypatch)


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes die here, not machines: what was written is there. The store's own tests keep its fsync."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
