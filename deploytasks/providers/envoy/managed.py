"""Starts, changes and stops the Envoy of one place, from outside its supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ...errors import Unreachable
from ..identity import signal_if_same
from . import binary, listening
from .bootstrap import host_and_port
from .place import Launch, Place, State, make_private, write_whole

Need = Literal["start", "apply"]
"""It does not run, or it runs with another configuration."""


def need(place: Place, launch: Launch) -> Need | None:
    """What is missing until ``launch`` is in force."""
    state = place.read_state()
    if not state.is_serving:
        return "start"
    return None if state.digest == launch.digest else "apply"


def bring_up(place: Place, launch: Launch, listen: str, timeout: float) -> None:
    """Have ``launch`` in force, whatever runs now. Raises ``Unreachable`` when it does not come up."""
    deadline = time.monotonic() + timeout
    make_private(place.folder)
    place.layer.ensure()
    state = place.read_state()
    if state.is_serving and state.digest == launch.digest:
        return
    if _public(place.read_launch()) != _public(launch) or not state.alive:
        _refuse_busy_port(listen)
    if state.alive:
        _check(launch, place.folder / f"draft-{os.getpid()}.json")
    before = place.read_launch()
    place.write_launch(launch)
    if state.is_supervised:
        signal_if_same(state.supervisor, signal.SIGHUP)
    else:
        _spawn(place)
    after = _outcome(place, launch, state, deadline)
    if not _is_in_force(launch, after):
        _fail(place, before, after)


def stop(place: Place, timeout: float) -> None:
    """End supervisor and Envoy, and no process that is not ours. Raises ``Unreachable`` if one survives."""
    deadline = time.monotonic() + timeout
    before = place.read_state()
    if not signal_if_same(before.supervisor, signal.SIGTERM):
        _signal_all(before, signal.SIGTERM)
    if not _until(lambda: not place.read_state().alive, deadline - min(2.0, timeout / 4)):
        _signal_all(place.read_state(), signal.SIGKILL)
        if not _until(lambda: not place.read_state().alive, deadline):
            left = ", ".join(place.read_state().alive)
            raise Unreachable(f"envoy does not end: {left}", do="end these processes yourself")
    place.clean(before)


def _is_in_force(launch: Launch, state: State) -> bool:
    return state.is_serving and state.digest == launch.digest


def _outcome(place: Place, launch: Launch, before: State, deadline: float) -> State:
    """What the supervisor says when it is done with ``launch``, or at the deadline."""
    was_supervised = before.is_supervised
    state = before

    def is_decided() -> bool:
        nonlocal state
        state = place.read_state()
        has_ended = (was_supervised or state != before) and not state.is_supervised
        return _is_in_force(launch, state) or state.refusals > before.refusals or has_ended

    _until(is_decided, deadline)
    return state


def _fail(place: Place, before: Launch | None, state: State) -> None:
    """Leave either the Envoy that served before, or nothing; say which. Raises ``Unreachable``."""
    if state.is_serving and before is not None:
        place.write_launch(before)
        words = state.detail or "it did not come up in time; an earlier change may still be finishing its requests"
        what, left = "envoy did not take its new configuration", "the old one stays in force"
    else:
        stop(place, 10.0)
        words = state.detail or place.last_words()
        what, left = "envoy did not start", "nothing is left running"
    raise Unreachable(f"{what}:\n{words}", state=left, do=f"mend the traffic section; the log is {place.log}")


def _check(launch: Launch, draft: Path) -> None:
    import json

    write_whole(draft, json.dumps(launch.config))
    try:
        binary.check(Path(launch.binary), draft)
    finally:
        draft.unlink(missing_ok=True)


def _spawn(place: Place) -> None:
    """Start the supervisor: a session of its own, none of our files, none of our secrets."""
    package_root = str(Path(__file__).resolve().parents[3])
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with place.supervisor_log.open("ab") as log:
        started = subprocess.run(
            [sys.executable, "-m", "deploytasks.providers.envoy.supervisor", str(place.folder)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=place.folder, start_new_session=True, check=False,
            env={**environment, "PYTHONPATH": package_root, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    if started.returncode:
        raise Unreachable("the balancer's supervisor did not start", do=f"see {place.supervisor_log}")


def _public(launch: Launch | None) -> object:
    """The address that users come to, as the configuration has it."""
    return launch.config["static_resources"]["listeners"][0]["address"] if launch else None


def _refuse_busy_port(listen: str) -> None:
    host, port = host_and_port(listen)
    why = listening.problem(host, port)
    if why:
        raise Unreachable(
            f"envoy cannot listen on {listen}: {why}",
            state="nothing was started",
            do="stop what holds the port, or set traffic.listen to another one",
        )


def _signal_all(state: State, number: int) -> None:
    for known in state.alive:
        signal_if_same(known, number)


def _until(is_so: Callable[[], bool], deadline: float) -> bool:
    """Poll until something is so; whether it became so before ``deadline`` (monotonic)."""
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
    return True
