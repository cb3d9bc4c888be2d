"""What people see of a watchdog: its files in words."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from ...ports import Switch
from .. import identity
from .arming import Arming, State, beat_file, read_arming, read_state


def switch(folder: Path, trouble: str = "") -> Switch:
    """The state of the switch. ``trouble``: what keeps our own beats from arriving. Raises ``OSError``."""
    order, state = read_arming(folder), read_state(folder)
    if state is not None and state.phase in ("fired", "ended") and (order is None or order.id == state.id):
        fired_at = datetime.fromisoformat(state.at) if state.phase == "fired" else None
        return Switch(armed=False, fired_at=fired_at, detail=f"{state.phase} at {state.at}: {state.why}")
    if order is None:
        return Switch(armed=False, fired_at=None, detail="not armed")
    if state is None or state.id != order.id or not identity.is_alive(state.process):
        return Switch(armed=False, fired_at=None, detail=f"armed for {order.deployment}, but its process is gone")
    return Switch(armed=True, fired_at=None, detail=_watching(folder, order, state, trouble))


def _watching(folder: Path, order: Arming, state: State, trouble: str) -> str:
    if state.phase == "firing":
        return f"{order.deployment}: {state.why}"
    silence = f"last beat {_seconds_since_beat(folder, order):.1f} s ago"
    failing = f" (beats fail: {trouble})" if trouble else ""
    ahead = f"after {order.grace:g} s without one traffic goes home: {order.home.weights()}"
    return f"watches over {order.deployment}: {silence}{failing}; {ahead}"


def _seconds_since_beat(folder: Path, order: Arming) -> float:
    """By the wall clock, for people; the watchdog itself does not judge by it."""
    try:
        return max(0.0, time.time() - beat_file(folder, order.id).stat().st_mtime)
    except FileNotFoundError:
        return float("inf")
