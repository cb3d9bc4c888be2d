"""Nobody notices a switch: the load of ``benchmarks/switch.py``, in small."""

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
from deploytasks.providers.identity import is_alive, signal_if_same

from .conftest import House, until

FILE = Path(__file__).parents[3] / "benchmarks" / "load.py"
BLUE = Split.all_on("blue", None, "settled:x")


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


def _under_load(load: ModuleType, house: House, work: Callable[[], object]) -> Any:
    async def run() -> Any:
        running = load.Load(house.traffic.address(), rate=200, timeout=10)
        running.start()
        await asyncio.to_thread(until, lambda: running.tally.answered > 20)
        await asyncio.to_thread(work)
        return await running.stop()

    return asyncio.run(run())


def test_shifts_lose_nothing(house: House, load: ModuleType) -> None:
    """Ten stages back and forth under 200 requests per second."""
    house.start(BLUE)

    def deploy_and_roll_back() -> None:
        before = BLUE
        for color in ("green", "blue"):
            for share in (10, 25, 50, 75, 100):
                after = Split.partly_on(color, share, other(color), "deploy:x")
                house.traffic.shift(after, expect=before).perform(10)
                before = after

    tally = _under_load(load, house, deploy_and_roll_back)
    assert (0, tally.sent) == (tally.lost, tally.answered), tally.summary()


def test_a_change_of_configuration_loses_nothing(house: House, load: ModuleType) -> None:
    """A hot restart, until the old process has ended."""
    house.start(BLUE)
    before = house.place.read_state().envoy
    house.wish["upstream_idle"] = "20s"

    def reconfigure() -> None:
        house.start()
        until(lambda: not is_alive(before))

    tally = _under_load(load, house, reconfigure)
    assert (0, tally.sent) == (tally.lost, tally.answered), tally.summary()


def test_the_load_notices_a_loss(house: House, load: ModuleType) -> None:
    """An Envoy that is killed loses requests, and they are counted: the two tests above can fail."""
    house.start(BLUE)
    before = house.place.read_state().envoy

    def kill() -> None:
        signal_if_same(before, 9)
        until(lambda: house.place.read_state().is_serving and house.place.read_state().envoy != before)

    assert _under_load(load, house, kill).lost > 0


def test_the_load_notices_what_the_balancer_answers(house: House, load: ModuleType) -> None:
    """A 503 that no application made is a loss."""
    house.start()
    tally = _under_load(load, house, lambda: None)
    assert (0, tally.sent) == (tally.sent - tally.by_balancer, tally.lost)
