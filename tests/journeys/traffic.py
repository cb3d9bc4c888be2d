"""Users of an environment: a steady load, in a thread, from a ``with`` to its end."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from journeys.environment import PACKAGE, Environment

from deploytasks import web

RATE = 100.0
"""Requests per second: two cores serve this beside everything else. ``benchmarks/switch.py`` asks for 200."""


def _benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", PACKAGE / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look for themselves there
    spec.loader.exec_module(module)
    return module


_LOAD: Any = _benchmark("load").Load


@contextmanager
def users(environment: Environment, rate: float = RATE) -> Iterator[Any]:
    """The load runs while the body does; its tally is complete afterwards."""
    load = _LOAD(environment.url, rate, gets=("/", "/api/books/"))
    loop = asyncio.new_event_loop()

    async def run(stopping: asyncio.Event) -> None:
        load.start()
        await stopping.wait()
        await load.stop()

    stopping = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(stopping)), name="users")
    thread.start()
    try:
        yield load.tally
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(60)
        loop.close()


def applied_twice(environment: Environment) -> int:
    """How many POSTs were applied more than once, as the application itself knows."""
    answer = web.fetch(f"{environment.url}/api/loans/duplicates/", timeout=10)
    assert answer.status == 200
    return int(json.loads(answer.body)["duplicates"])


def assert_nothing_lost(tally: Any, environment: Environment) -> None:
    """Every request had an answer, none from the balancer itself, and no POST was applied twice."""
    assert tally.sent > 50, tally.summary()
    assert tally.lost == 0, tally.summary()
    assert set(tally.statuses) <= {"GET 200", "POST 201"}, tally.summary()
    assert applied_twice(environment) == 0
