"""The dead-man's switch of one machine: a small process of its own that outlives the deployer.

It survives the deployer's death, its terminal's end and Ctrl-C: own session, own process group, nobody's child.
It does not survive the machine, nor a container or a job runner that ends everything it started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...durable import make_folder
from ...errors import DeployError, Unreachable, UsageError
from ...ports import Call, Finding, News, Split, Switch
from .. import identity
from .arming import Arming, State, beat_file, read_arming, read_state, write_arming
from .showing import switch

if TYPE_CHECKING:
    from ...settings.watchdog import WatchdogSettings
    from ..site import Site

SEEN_BY_TRAFFIC = ("traffic", "fleet", "aws")
"""The sections that the balancer's provider may look at."""


class Watchdog:
    """A ``Deadman`` on the machine of the deployer. One watchdog per environment."""

    def __init__(self, settings: WatchdogSettings, site: Site) -> None:
        self._grace = settings.grace
        self._site = site
        self._folder = site.folder / "deadman"
        self._armed: str | None = None
        self._beat_failed = ""

    def arm(self, deployment: str, home: Split) -> Call:
        """Start a watchdog, unless one for the same is alive; one for anything else is ended first.

        ``perform`` raises ``UsageError`` when the balancer's settings are not at hand, ``Unreachable`` when the
        watchdog does not start.
        """
        text = f"watchdog: arm for {deployment} ({self._grace:g} s without a beat: {home.weights()})"
        return Call(text, lambda timeout: self._arm(deployment, home, timeout))

    def beat(self) -> None:
        """Touch the beat file, if it was this very deployer that armed: others must not keep a dead one alive."""
        if self._armed is None:
            return
        try:
            os.utime(beat_file(self._folder, self._armed))
            self._beat_failed = ""
        except OSError as error:
            self._beat_failed = str(error)

    def disarm(self) -> Call:
        """End the watchdog and make sure that it is gone. ``perform`` raises ``Unreachable`` when it is not."""
        return Call("watchdog: disarm", self._disarm)

    def state(self) -> Switch:
        """Raises ``Unreachable`` when its files cannot be read."""
        try:
            return switch(self._folder, self._beat_failed)
        except OSError as error:
            raise Unreachable(f"the dead-man's switch: {error}", do=f"look at {self._folder}") from error

    def news(self) -> Sequence[News]:
        """None: what the watchdog does by itself waits in the spool of this machine."""
        return ()

    def diagnose(self) -> Sequence[Finding]:
        """Whether the watchdog is where its files say that it is."""
        try:
            found, order = self.state(), read_arming(self._folder)
        except DeployError as error:
            return [Finding("deadman", "fail", error.what, error.do)]
        if found.fired_at:
            do = "look why the deployer died: `inv history`; then `inv resume`"
        elif order is not None and not found.armed:
            do = f"see {self._folder / 'log'}; the next deployment arms it anew"
        else:
            return [Finding("deadman", "ok", found.detail)]
        return [Finding("deadman", "warn", found.detail, do)]

    # -- arming ----------------------------------------------------------------

    def _arm(self, deployment: str, home: Split, timeout: float) -> None:
        until = time.monotonic() + timeout
        order = self._order(deployment, home)
        _check(order)
        with _translated("cannot be armed", self._folder):
            if self._adopt(order):
                return
            self._end(timeout / 2)
            make_folder(self._folder)
            write_arming(self._folder, order)
            try:
                self._start(order, until)
            except DeployError:
                self._end(1.0)
                raise
        self._armed = order.id
        self.beat()

    def _order(self, deployment: str, home: Split) -> Arming:
        site = self._site
        sections = {
            name: site.sections[name].model_dump(mode="json") for name in SEEN_BY_TRAFFIC if name in site.sections
        }
        return Arming(
            os.urandom(6).hex(), deployment, home, self._grace, site.application, site.environment,
            str(site.root.absolute()), str(site.folder.absolute()), site.who, sections,
        )  # fmt: skip

    def _adopt(self, order: Arming) -> bool:
        """Keep the watchdog that is there, if it is alive and was told the same."""
        there = read_arming(self._folder)
        if there is None or not there.asks_the_same(order) or not self._is_watching(there):
            return False
        self._armed = there.id
        self.beat()
        if self._is_watching(there):
            return True
        self._armed = None  # it fired while we looked
        return False

    def _is_watching(self, order: Arming) -> bool:
        state = read_state(self._folder)
        return state is not None and (state.id, state.phase) == (order.id, "watching") and _is_alive(state)

    def _start(self, order: Arming, until: float) -> None:
        packages = str(Path(__file__).resolve().parents[3])
        paths = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
        with (self._folder / "log").open("ab") as log:
            started = subprocess.run(
                [sys.executable, "-P", "-m", __name__, str(self._folder.absolute())],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, check=False,
                env={**os.environ, "PYTHONPATH": paths}, timeout=max(0.1, until - time.monotonic()),
            )  # fmt: skip
        if started.returncode or not _wait_for(lambda: self._is_watching(order), until):
            raise Unreachable(
                "the watchdog did not start",
                state="no dead-man's switch is armed; traffic was not touched",
                do=f"see {self._folder / 'log'}",
            )

    # -- disarming -------------------------------------------------------------

    def _disarm(self, timeout: float) -> None:
        self._armed = None
        with _translated("cannot be disarmed", self._folder):
            self._end(timeout)

    def _end(self, timeout: float) -> None:
        """No watchdog, and no trace but of one that fired."""
        state = read_state(self._folder)
        (self._folder / "arming.json").unlink(missing_ok=True)
        if state is not None and not _ended(state, timeout):
            raise Unreachable(
                f"the watchdog (process {identity.pid_of(state.process)}) does not end",
                state="it finds no order any more, and will not touch traffic",
                do=f"end it by hand: kill -9 {identity.pid_of(state.process)}",
            )
        for beat in self._folder.glob("beat-*"):
            beat.unlink(missing_ok=True)
        if state is not None and state.phase not in ("fired", "ended"):
            (self._folder / "state.json").unlink(missing_ok=True)


def _check(order: Arming) -> None:
    """A watchdog that could not open the balancer would be none: find out now, from the order itself."""
    if "traffic" not in order.sections:
        raise UsageError("the dead-man's switch needs the settings of `traffic`", do="name it in `need` as well")
    from .homecoming import open_traffic

    open_traffic(order)


def _is_alive(state: State) -> bool:
    return identity.is_alive(state.process)


def _ended(state: State, timeout: float) -> bool:
    """Ask the process to end, then force it; whether it is gone."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        identity.signal_if_same(state.process, signum)
        if _wait_for(lambda: not _is_alive(state), time.monotonic() + timeout / 2):
            return True
    return False


def _wait_for(claim: Callable[[], bool], until: float) -> bool:
    """Whether it became true before ``until`` (monotonic seconds)."""
    while not claim():
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def _translated(what: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreachable(
            f"the dead-man's switch {what}: {error}",
            state="traffic was not touched",
            do=f"make sure that {folder} can be written",
        ) from error
