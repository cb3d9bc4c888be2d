"""The process that tells what another one could not wait for: ``python -m deploytasks deliver``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import DeployError
from ..settings import load
from ..world import World
from .opening import site_of
from .telling import ready, shown

LONGEST = 120.0
"""Seconds that it lives."""
_PAUSE = 1.0


def deliver(given: Mapping[str, Any], patience: float = LONGEST) -> int:
    """Record what waits in the spool, then tell everybody what waits, trying again for so many seconds: 0, or 7 when
    something waits still. ``given``: the plain ``deploy:`` section, and the environment's name."""
    until = time.monotonic() + patience
    world = _opened(given)
    _drain(world, until)
    from ..outbox.courier import Courier

    waiting = Courier(lambda: ready(world)).finish(max(1.0, until - time.monotonic()), insist=True)
    _say(
        f"waits: {'; '.join(shown(name, each) for name, each in waiting.items())}" if waiting else "everybody was told"
    )
    return 7 if waiting else 0


def _opened(given: Mapping[str, Any]) -> World:
    from invoke import Config, Context

    config = given["deploy"]
    settings = load(config, given["environment"], ("store",))
    return World(settings, site_of(Context(Config(overrides={"deploy": config})), settings, 2.0))


def _drain(world: World, until: float) -> None:
    """Into the ledger, as soon as that answers."""
    while True:
        try:
            world.spool.drain(world.ledger)
            return
        except (DeployError, OSError) as error:
            if time.monotonic() + _PAUSE >= until:
                return
            _say(f"the ledger is silent: {getattr(error, 'what', error)}")
        time.sleep(_PAUSE)


def _say(text: str) -> None:
    from .. import redaction, view

    view.say(redaction.clean(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}"))
