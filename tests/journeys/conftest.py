"""Environments with real processes: one of a worker's own that is handed on while it is well, and fresh ones."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journeys.environment import Environment

FULL = bool(os.environ.get("JOURNEYS_FULL"))
"""Whether everything runs, however long it takes. By default the most telling part."""


def pytest_configure(config: pytest.Config) -> None:
    """Say what our marker means."""
    config.addinivalue_line("markers", "full: takes long; runs with JOURNEYS_FULL=1 (`inv dev.bench` sets it)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is long."""
    if not FULL:
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="long: JOURNEYS_FULL=1 runs it"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let fixtures know how their test went."""
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = report.passed
    return report


_PASSED = pytest.StashKey[bool]()


class Pool:
    """At most one environment with a release live, handed from test to test while it is in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = itertools.count()
        self._waiting: Environment | None = None

    def take(self) -> Environment:
        """One with a release live, everything at rest, and the usual settings."""
        if self._waiting is not None:
            taken, self._waiting = self._waiting, None
            return taken
        made = self.new()
        try:
            done = made.inv("deploy")
            assert done.code == 0, done.said
        except BaseException:
            made.end()
            raise
        return made

    def new(self) -> Environment:
        """One in which nothing was done yet."""
        return Environment(self._folder / f"e{next(self._count)}")

    def give_back(self, environment: Environment, *, passed: bool) -> None:
        """Keep it for the next test if it is as it should be; else end it."""
        if passed:
            try:
                environment.configure()
                environment.assert_at_rest(environment.live())
            except AssertionError:
                passed = False
        if passed and self._waiting is None:
            self._waiting = environment
        else:
            environment.end()

    def end(self) -> None:
        """End what waits."""
        if self._waiting is not None:
            self._waiting.end()


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """This worker's environments."""
    made = Pool(tmp_path_factory.mktemp("j"))
    yield made
    made.end()


@pytest.fixture
def live(pool: Pool, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """An environment with a release live and at rest, and a new commit; which color is live is not said."""
    environment = pool.take()
    environment.commit(faults={})
    yield environment
    pool.give_back(environment, passed=request.node.stash.get(_PASSED, False))


@pytest.fixture
def settled(live: Environment) -> Environment:
    """Live, with the way back open and both colors running."""
    if live.split().way_back is None or len(live.servers()) < 2:
        done = live.inv("deploy")
        assert done.code == 0, done.said
    return live


@pytest.fixture
def fresh(pool: Pool) -> Iterator[Environment]:
    """An environment in which nothing was done yet."""
    environment = pool.new()
    yield environment
    environment.end()


@pytest.fixture
def environments(pool: Pool) -> Iterator[Callable[[], Environment]]:
    """Makes fresh environments."""
    made: list[Environment] = []

    def make() -> Environment:
        made.append(pool.new())
        return made[-1]

    yield make
    for each in made:
        each.end()
