"""Bugs to order: a release of this application carries them in its own ``faults.json``.

Committed as ``{}``: no faults. Change it, deploy, and see the release go home by itself. ``/health`` is spared
by ``errors`` and ``latency``, so that each fault shows alone:

    {"errors": 0.5}                              this fraction of requests is answered 500
    {"errors": {"share": 0.5, "after": 8}}       the same, from 8 s after the start on: smoke checks do not see it
    {"latency": 0.3}                             every request takes 0.3 s longer
    {"latency": {"seconds": 2.5, "share": 0.2}}  a fifth of them takes 2.5 s longer
    {"health": "failing"}                        /health answers 503
    {"health": {"after": 20}}                    /health answers 503 from 20 s after the start on
    {"slow_start": 45}                           it takes 45 s until it listens
    {"crash_after": 30}                          the process is gone after 30 s
    {"migration": "broken"}                      `manage.py migrate` fails
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import NamedTuple

KEYS = ("errors", "latency", "health", "slow_start", "crash_after", "migration")

HALT = 3
"""The exit code of a worker upon which gunicorn gives up instead of starting another one."""


class FaultsError(ValueError):
    """``faults.json`` is wrong; the text names every mistake."""


class Faults(NamedTuple):
    """The faults of this release; all off by default."""

    errors: float = 0.0
    """Fraction of requests, 0–1."""
    errors_after: float = 0.0
    """Seconds since the start."""
    latency: float = 0.0
    """Seconds."""
    latency_share: float = 1.0
    """Fraction of requests that get it, 0–1."""
    unhealthy_after: float | None = None
    """Seconds since the start; ``None``: never."""
    slow_start: float = 0.0
    """Seconds."""
    crash_after: float | None = None
    """Seconds since the start; ``None``: never."""
    broken_migration: bool = False

    @property
    def touch_requests(self) -> bool:
        return bool(self.errors or self.latency)


def faults_file() -> Path:
    """The release's own. ``LIBRARY_FAULTS`` names another: the tests do, for these are bugs that tests do not see."""
    return Path(os.environ.get("LIBRARY_FAULTS") or Path(__file__).resolve().parent.parent / "faults.json")


def read_faults(path: Path) -> Faults:
    """The faults that a file asks for; none when there is no file. Raises ``FaultsError``."""
    try:
        given = json.loads(path.read_text())
    except FileNotFoundError:
        return Faults()
    except ValueError as error:
        raise FaultsError(f"{path.name}: not JSON: {error}") from None
    return parse_faults(given)


def parse_faults(given: object) -> Faults:
    """The faults in a decoded ``faults.json``. Raises ``FaultsError`` with all mistakes."""
    if not isinstance(given, dict):
        raise FaultsError('faults.json: an object such as {} or {"errors": 0.5} is needed')
    mistakes = [f"{key}: unknown; there are {', '.join(KEYS)}" for key in given if key not in KEYS]
    faults = Faults()
    for key in KEYS:
        if key in given:
            try:
                faults = faults._replace(**_PARSERS[key](given[key]))
            except ValueError as error:
                mistakes.append(f"{key}: {error}, not {json.dumps(given[key])}")
    if mistakes:
        raise FaultsError("faults.json: " + "; ".join(mistakes))
    return faults


def start_countdown(faults: Faults) -> threading.Timer | None:
    """Begin to count down to the crash, if one is asked for."""
    if faults.crash_after is None:
        return None
    timer = threading.Timer(faults.crash_after, os._exit, (HALT,))
    timer.daemon = True
    timer.start()
    return timer


def _number(given: object, most: float | None = None) -> float:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or given < 0 or (most is not None and given > most):
        raise ValueError(f"a number from 0 to {most:g} is needed" if most is not None else "seconds are needed")
    return float(given)


def _parse_errors(given: object) -> dict:
    if not isinstance(given, dict):
        return {"errors": _number(given, most=1)}
    if set(given) != {"share", "after"}:
        raise ValueError('a share, or {"share": 0.5, "after": 8} are needed')
    return {"errors": _number(given["share"], most=1), "errors_after": _number(given["after"])}


def _parse_latency(given: object) -> dict:
    if not isinstance(given, dict):
        return {"latency": _number(given)}
    if set(given) != {"seconds", "share"}:
        raise ValueError('seconds, or {"seconds": 2.5, "share": 0.2} are needed')
    return {"latency": _number(given["seconds"]), "latency_share": _number(given["share"], most=1)}


def _parse_health(given: object) -> dict:
    if given == "failing":
        return {"unhealthy_after": 0.0}
    if isinstance(given, dict) and set(given) == {"after"}:
        return {"unhealthy_after": _number(given["after"])}
    raise ValueError('"failing" or {"after": 20} is needed')


def _parse_slow_start(given: object) -> dict:
    return {"slow_start": _number(given)}


def _parse_crash_after(given: object) -> dict:
    return {"crash_after": _number(given)}


def _parse_migration(given: object) -> dict:
    if given != "broken":
        raise ValueError('"broken" is needed')
    return {"broken_migration": True}


_PARSERS = {
    "errors": _parse_errors,
    "latency": _parse_latency,
    "health": _parse_health,
    "slow_start": _parse_slow_start,
    "crash_after": _parse_crash_after,
    "migration": _parse_migration,
}
