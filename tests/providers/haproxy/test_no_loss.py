"""Nobody notices a shift or a reload: the load of ``benchmarks/load.py``, in small."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deploytasks.ports import Split, other

from .conftest import BLUE, House, until

FILE = Path(__file__).parents[3] / "benchmarks" / "load.py"


@pytest.fixture(scope="module")
def load() -> ModuleType:
    """The load generator."""
    spec = importlib.util.spec_from_file_location("benchmarks_load", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def under_load(load: ModuleType, house: House, work: Callable[[], object]) -> Any:
    """What became of 200 requests per second, kept and new connections, GET and POST, while ``work`` went on."""

    async def run() -> Any:
        running = load.Load(house.traffic.address(), rate=200, timeout=30)
        running.start()
        await asyncio.to_thread(until, lambda: running.tally.answered > 20)
        await asyncio.to_thread(work)
        return await running.stop()

    return asyncio.run(run())


def test_shifts_lose_nothing(house: House, load: ModuleType) -> None:
    """Forty stages back and forth."""
    house.traffic.shift(BLUE).perform(30)

    def deploy_and_roll_back() -> None:
        before = BLUE
        for _ in range(4):
            for color in ("green", "blue"):
                for share in (10, 25, 50, 75, 100):
                    after = Split.partly_on(color, share, other(color), "deploy:x")
                    house.traffic.shift(after, expect=before).perform(30)
                    before = after

    tally = under_load(load, house, deploy_and_roll_back)
    assert (0, tally.sent) == (tally.lost, tally.answered), tally.summary()


def test_a_reload_loses_nothing(house: House, load: ModuleType) -> None:
    """In the middle of a stage: the new process has the same split, the old one finishes what it has begun."""
    stage = Split(50, 50, "blue", "deploy:x")
    house.traffic.shift(stage).perform(30)

    def reload() -> None:
        house.balancer.reload()
        assert stage == house.traffic.read()
        house.traffic.shift(stage._replace(blue=25, green=75), expect=stage).perform(30)

    tally = under_load(load, house, reload)
    assert (0, tally.sent) == (tally.lost, tally.answered), tally.summary()


def test_the_load_notices_a_loss(house: House, load: ModuleType) -> None:
    """A HAProxy that is killed loses requests, and they are counted: the two tests above can fail."""
    house.traffic.shift(BLUE).perform(30)

    def kill() -> None:
        house.balancer.kill()
        house.balancer.start()

    assert under_load(load, house, kill).lost > 0
