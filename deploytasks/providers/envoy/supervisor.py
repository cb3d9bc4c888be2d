"""Keeps a managed Envoy running: ``python -m deploytasks.providers.envoy.supervisor FOLDER``.

It starts what ``launch.json`` in the folder says and writes what became of it to ``state.json``. When Envoy
dies, it starts it again. SIGHUP brings a changed ``launch.json`` in force by Envoy's hot restart: a second
Envoy takes over the listening socket, the first one finishes what it has begun. SIGTERM stops everything.
A supervisor that finds a serving Envoy of a dead predecessor goes on with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from ... import redaction
from ...errors import Unreachable
from ..identity import hold, identity, is_alive, pid_of, signal_if_same
from . import orphan
from .admin import Admin
from .place import Launch, Place, make_private, write_whole

START_WITHIN = 30.0
"""Seconds until Envoy must be ready."""
STOP_WITHIN = 5.0
"""Seconds from SIGTERM to SIGKILL."""
_LONGEST_PAUSE = 5.0
_LOG_LIMIT = 5_000_000


class Signals:
    """What the outside world asked for, and a sleep that it can cut short."""

    def __init__(self) -> None:
        self.stop = False
        self.reload = False
        self._wake, writer = os.pipe()
        for end in (self._wake, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def wait(self, seconds: float, handle: int | None = None) -> None:
        """Sleep until a signal comes or ``handle`` turns readable, ``seconds`` at most."""
        select.select([self._wake] if handle is None else [self._wake, handle], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.stop = self.stop or number in (signal.SIGTERM, signal.SIGINT)
        self.reload = self.reload or number == signal.SIGHUP


class Supervisor:
    """One Envoy (or two, during a hot restart) and the state that tells of it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.signals = Signals()
        self.state = place.read_state()._replace(supervisor=identity(os.getpid()) or "")
        self.running: Launch | None = None

    # -- the story -----------------------------------------------------------

    def run(self) -> int:
        """Until it is told to stop; the exit status."""
        launch = self.place.read_launch()
        if launch is None:
            return 0
        if not (self._adopt(launch) or self._begin(launch)):
            return self._give_up()
        while not self.signals.stop and self.place.launch_file.exists():
            self._look()
            self._sleep(0.2 if self.state.others or self.signals.reload else 1.0)
        self._stop_all()
        self._tell(phase="stopped", detail="")
        return 0

    def _look(self) -> None:
        """One look around: forget the dead, revive what should live, bring changes in force."""
        others = tuple(known for known in self.state.others if is_alive(known))
        if others != self.state.others:
            self._tell(others=others)
        if not is_alive(self.state.envoy):
            self._revive()
        elif self.signals.reload and not others:  # a third process would cut the oldest one's requests off
            self.signals.reload = False
            launch = self.place.read_launch()
            if launch is not None and launch.digest != self.state.digest:
                self._apply(launch)

    def _sleep(self, seconds: float) -> None:
        """Until a signal comes or Envoy ends, ``seconds`` at most."""
        handle = hold(pid_of(self.state.envoy))
        try:
            self.signals.wait(seconds, handle)
        finally:
            if handle is not None:
                os.close(handle)

    # -- starting ------------------------------------------------------------

    def _adopt(self, launch: Launch) -> bool:
        """Go on with the Envoy that a dead supervisor left, if it serves; whether it does."""
        if not is_alive(self.state.envoy) or not self._answers(self.state.epoch):
            return False
        self._say("taking over an envoy whose supervisor has died")
        self.running = launch if launch.digest == self.state.digest else None
        self.signals.reload = self.signals.reload or self.running is None
        self._tell(phase="running")
        return True

    def _begin(self, launch: Launch) -> bool:
        """A first process, with nothing beside it; whether it came up."""
        self._tell(phase="starting")
        self._stop_all()
        _rotate(self.place.log)
        fresh = self._spawn(launch, ["--use-dynamic-base-id", "--base-id-path", str(self.place.base_id_file)], epoch=0)
        return self._settle(launch, fresh, epoch=0)

    def _apply(self, launch: Launch) -> None:
        """Bring a changed launch in force by a hot restart. One that does not come up is refused."""
        self._say(f"applying {launch.digest}")
        epoch = self.state.epoch + 1
        fresh = self._spawn(launch, ["--base-id", str(self.state.base_id)], epoch)
        if self._settle(launch, fresh, epoch):
            return
        words = self.place.last_words()
        if not self.signals.stop and not self._answers(self.state.epoch):
            # The old process has closed its admin interface for the new one, and would never open it again.
            self._say("the old process is mute now: starting the last good configuration from scratch")
            self._revive()
        self._tell(refusals=self.state.refusals + 1, detail=words)

    def _revive(self) -> None:
        """Start the last good launch from scratch, with growing pauses, until it runs or we are told to stop."""
        pause = 0.1
        while not self.signals.stop and self.place.launch_file.exists():
            launch = self.place.read_launch() if self.signals.reload or not self.running else self.running
            self.signals.reload = False
            self._say("envoy is gone: starting it again")
            if launch is None or self._begin(launch):
                return
            self.signals.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _spawn(self, launch: Launch, base: list[str], epoch: int) -> str:
        """Start a process; its identity, noted before anything else so that it is never forgotten."""
        make_private(Path(launch.sockets))
        config = self.place.config_file(launch)
        write_whole(config, json.dumps(launch.config, indent=1))
        command = [
            launch.binary, "-c", str(config), "--log-level", "error", "--concurrency", "1",
            "--restart-epoch", str(epoch), *base, "--socket-path", str(Path(launch.sockets) / "hot"),
            "--drain-strategy", "immediate", "--drain-time-s", str(max(1, int(launch.drain) - 1)),
            "--parent-shutdown-time-s", str(max(2, int(launch.drain))),
        ]  # fmt: skip
        fresh = orphan.start(command, self.place.log)
        self._tell(others=(*self.state.others, fresh))
        return fresh

    def _settle(self, launch: Launch, fresh: str, epoch: int) -> bool:
        """Wait until a process serves, then make it the current one. One that does not is ended."""
        deadline = time.monotonic() + START_WITHIN
        while is_alive(fresh) and not self.signals.stop and time.monotonic() < deadline:
            if self._answers(epoch, launch.sockets):
                self._make_current(launch, fresh, epoch)
                return True
            self.signals.wait(0.02)
        signal_if_same(fresh, signal.SIGKILL)
        return False

    def _make_current(self, launch: Launch, fresh: str, epoch: int) -> None:
        before = (self.state.envoy, *self.state.others)
        others = tuple(known for known in before if known != fresh and is_alive(known))
        base_id = int(self.place.base_id_file.read_text()) if epoch == 0 else self.state.base_id
        self.running = launch
        facts = {"others": others, "epoch": epoch, "base_id": base_id, "digest": launch.digest, "detail": ""}
        self._tell(phase="running", envoy=fresh, **facts)
        for path in self.place.folder.glob("bootstrap-*.json"):
            if path != self.place.config_file(launch):
                path.unlink(missing_ok=True)

    def _answers(self, epoch: int, sockets: str = "") -> bool:
        """Whether the process of this epoch is ready to serve."""
        try:
            return Admin(f"unix:{sockets or self.place.sockets}/admin.sock", do="").epoch(timeout=0.5) == epoch
        except Unreachable:
            return False

    # -- stopping ------------------------------------------------------------

    def _give_up(self) -> int:
        """The very first start failed: leave nothing running, and say why."""
        words = self.place.last_words()
        self._stop_all()
        self._tell(phase="stopped" if self.signals.stop else "failed", detail=words)
        return 0 if self.signals.stop else 1

    def _stop_all(self) -> None:
        """End every Envoy of this place."""
        known = [each for each in (self.state.envoy, *self.state.others) if each]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for each in known:
                signal_if_same(each, number)
            deadline = time.monotonic() + STOP_WITHIN
            while time.monotonic() < deadline and any(is_alive(each) for each in known):
                self.signals.wait(0.02)
        self.place.clean(self.state)
        self._tell(envoy="", others=(), base_id=0)

    # -- notes ---------------------------------------------------------------

    def _tell(self, **news: Any) -> None:
        self.state = self.state._replace(**news)
        with suppress(OSError):  # a full disk must not end the balancer
            self.place.write_state(self.state)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {redaction.clean(text)}\n")
        sys.stderr.flush()


def _rotate(log: Path) -> None:
    with suppress(OSError):
        if log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))


def main(folder: str) -> int:
    """Detach from whoever started us, and supervise; quietly nothing when someone does already."""
    if os.fork():
        os._exit(0)  # orphaned at once: no zombie is left to a deployer that lives on
    place = Place(Path(folder))
    with (place.folder / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        return Supervisor(place).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
