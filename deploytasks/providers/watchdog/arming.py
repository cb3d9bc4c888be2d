"""What deployer and watchdog tell each other, as files in one folder.

``arming.json``  the deployer's order; the watchdog ends when it is gone or names another arming
``beat-<id>``    touched by the deployer; the watchdog looks whether that changed, never at the time it shows
``state.json``   what the watchdog does or did
``log``          what it printed, for people

Secrets are in none of them: settings name environment variables, and the watchdog inherits those.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ...durable import written_aside
from ...ports import Split

LIFETIME = 24 * 3600.0
"""Seconds after which a watchdog ends, whatever happens."""
PATIENCE = 600.0
"""Seconds for which a watchdog tries to take traffic home while the balancer does not answer."""


class Arming(NamedTuple):
    """One order to watch over one deployment."""

    id: str
    """Random; tells this order from the one before."""
    deployment: str
    home: Split
    """What is written when the beat stops."""
    grace: float
    """Seconds."""
    application: str
    environment: str
    root: str
    folder: str
    """The state folder of the environment."""
    who: str
    sections: Mapping[str, Mapping[str, Any]]
    """The settings with which the balancer is opened: ``traffic`` and what it may look at."""
    lifetime: float = LIFETIME
    patience: float = PATIENCE

    def asks_the_same(self, other: Arming) -> bool:
        """Whether a watchdog for this would do what one for the other would."""
        return self._replace(id="", who="") == other._replace(id="", who="")


class State(NamedTuple):
    """What the watchdog of one arming does or did.

    ``watching``; ``firing``: it tries to take traffic home; ``fired``: it did; ``ended``: it had no reason to,
    or could not. ``process`` is its identity, ``at`` when this state began (ISO, UTC), ``why`` one line for people.
    """

    id: str
    process: str
    phase: Literal["watching", "firing", "fired", "ended"]
    at: str
    why: str = ""


def read_arming(folder: Path) -> Arming | None:
    """The order in force; ``None`` without one, or when it cannot be understood."""
    found = _read(folder / "arming.json")
    try:
        return None if found is None else Arming(**{**found, "home": Split(*found["home"])})
    except (TypeError, KeyError):
        return None


def write_arming(folder: Path, arming: Arming) -> None:
    """Give an order. Raises ``OSError``."""
    beat_file(folder, arming.id).touch()
    _write(folder / "arming.json", arming._asdict())


def read_state(folder: Path) -> State | None:
    """What the watchdog says of itself; ``None`` when it never said anything that can be understood."""
    found = _read(folder / "state.json")
    try:
        return None if found is None else State(**found)
    except TypeError:
        return None


def write_state(folder: Path, state: State) -> None:
    """Raises ``OSError``."""
    _write(folder / "state.json", state._asdict())


def beat_file(folder: Path, arming_id: str) -> Path:
    """The file that is touched. One for each arming: a deployer that was replaced beats for nobody."""
    return folder / f"beat-{arming_id}"


def uptime() -> float:
    """Seconds on a clock that goes on while the machine sleeps and that nobody can set.

    ``CLOCK_BOOTTIME``, see clock_gettime(2). Where there is none (macOS), the monotonic clock, which may stand
    still during sleep: the switch then fires later, never earlier.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(file: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, default=list)
    with written_aside(file.parent, text.encode(), mode=0o600) as aside:
        aside.replace(file)
