"""Nothing here is about power cuts."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes die here, not machines: what was written is there."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
