"""A world in memory for every test here; its smoke checks pass unless the world says otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.smoke import Result
from deploytasks.steps import smoke


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes die here, not machines: what was written is there. The store's own tests keep its fsync."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(autouse=True)
def smoke_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Smoke checks ask the world in memory instead of a socket."""

    def run_checks(base: str, checks: Any) -> Sequence[Result]:
        failing = memory.state_of(tmp_path).read()["world"].get("smoke_fails")
        return [Result("health", not failing, str(failing or "200"), 0.0)]

    monkeypatch.setattr(smoke, "run_checks", run_checks)
