"""A store in a folder, in PostgreSQL or in S3, a clock that only moves when told, and herds of real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab import stores

import deploytasks
from deploytasks.ledger import Ledger
from deploytasks.ports import Store
from deploytasks.providers.directory import DirectoryStore

SCOPE = "library/production"
ROOT = Path(deploytasks.__file__).parents[1]
ON_ALL = ("test_chain", "test_lease")
"""Modules whose tests hold for every kind of store."""

folder_only = pytest.mark.parametrize("store", ["directory"], indirect=True)
"""For a test that is about files."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules on all kinds of stores."""
    is_told = any("store" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if metafunc.module.__name__.rpartition(".")[2] in ON_ALL and "store" in metafunc.fixturenames and not is_told:
        metafunc.parametrize("store", stores.KINDS, indirect=True)


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
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    kind = getattr(request, "param", "directory")
    with stores.on(kind, lambda: request.getfixturevalue("ledgers"), monkeypatch.setenv):
        yield stores.opened(tmp_path)


@pytest.fixture
def hand(request: pytest.FixtureRequest, store: Store) -> stores.Hand:
    """Somebody who writes to the store past the ledger."""
    return stores.Hand(store, lambda: request.getfixturevalue("ledgers"))


@pytest.fixture
def ledger(store: Store, clock: FakeClock) -> Ledger:
    return Ledger(store, SCOPE, "ann@host", clock.now)


@pytest.fixture
def herd(tmp_path: Path, store: Store) -> Callable[..., Any]:
    """Run a role of ``herd.py`` in processes of its own, on the same store, and return what it reports."""

    def run(role: str, *arguments: object) -> Any:
        command = [sys.executable, str(Path(__file__).parent / "herd.py"), role, str(tmp_path), *map(str, arguments)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=surroundings(),
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def crowd(store: Store) -> int:
    """How many processes race: each needs a connection of its own, where the store is a server."""
    return 50 if isinstance(store, DirectoryStore) else 12


def surroundings() -> dict[str, str]:
    """The environment of another process that uses the test's store."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
