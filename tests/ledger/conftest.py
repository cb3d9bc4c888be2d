"""A store in a folder, a clock that only moves when told, and herds of real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import deploytasks
from deploytasks.ledger import Ledger
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.site import Site
from deploytasks.settings.directory import DirectorySettings

SCOPE = "library/production"
ROOT = Path(deploytasks.__file__).parents[1]


class FakeClock:
    """Moves when slept; ``meanwhile`` is what others do during each sleep."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 10, 15, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.meanwhile()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    site = Site("library", "production", tmp_path, tmp_path / ".deploy", None, "ann@host")
    return DirectoryStore(DirectorySettings(path="store"), site)


@pytest.fixture
def ledger(store: DirectoryStore, clock: FakeClock) -> Ledger:
    return Ledger(store, SCOPE, "ann@host", clock.now)


@pytest.fixture
def herd(tmp_path: Path) -> Callable[..., Any]:
    """Run a role of ``herd.py`` in processes of its own, on the same store, and return what it reports."""

    def run(role: str, *arguments: object) -> Any:
        command = [sys.executable, str(Path(__file__).parent / "herd.py"), role, str(tmp_path), *map(str, arguments)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
