"""Keeps a managed Envoy running: ``python -m deploytasks.providers.envoy.supervisor FOLDER``.

It starts what ``launch.json`` in the folder says and writes what became of it to ``state.json``. When Envoy
dies, it starts it again. SIGHUP brings a changed ``launch.json`` in force by Envoy's hot restart: a second
Envoy takes over the listening socket, the first one finishes what it has begun. SIGTERM stops everything.
A supervisor that finds an Envoy of a dead predecessor takes it over in the same way.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from ...errors import Unreachable
from ..identity import identity, is_alive, signal_if_same
from .admin import Admin
from .place import Launch, Place, State, make_private, write_whole

START_WITHIN = 30.0
"""Seconds until Envoy must be ready."""
STOP_WITHIN = 5.0
"""Seconds from SIGTERM to SIGKILL."""
_LONGEST_PAUSE = 5.0
_LOG_LIMIT = 5_000_000
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # what shm_open(3) uses on Linux; only removed from


class Signals:
    """What the outside world asked for, and a sleep that it can cut short."""

    def __init__(self) -> None:
        self.stop = False
        self.reload = False
        self._wake, writer = os.pipe()
        for end in (self._wake, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._note)

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, ``seconds`` at most."""
        select.select([self._wake], [], [], seconds)
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
        self.state = State(supervisor=identity(os.getpid()) or "")
        self.running: Launch | None = None
        self._children: list[subprocess.Popen[bytes]] = []

    # -- the story -----------------------------------------------------------

    def run(self) -> int:
        """Until it is told to stop; the exit status."""
        before = self.place.read_state()
        launch = self.place.read_launch()
        if launch is None:
            return 0
        self._tell(phase="starting", envoy=before.envoy, epoch=before.epoch, base_id=before.base_id)
        if not (self._take_over(launch) if is_alive(before.envoy) else self._start(launch)):
            return self._give_up()
        while not self.signals.stop and self.place.launch_file.exists():
            self._look()
            self.signals.wait(0.2 if self.state.elders or self.signals.reload else 1.0)
        self._stop_all()
        self._tell(phase="stopped", envoy="", elders=(), detail="")
        return 0

    def _look(self) -> None:
        """One look around: bury the dead, revive what should live, bring changes in force."""
        self._children = [child for child in self._children if child.poll() is None]
        elders = tuple(known for known in self.state.elders if is_alive(known))
        if elders != self.state.elders:
            self._tell(elders=elders)
        if not is_alive(self.state.envoy):
            self._revive()
        elif self.signals.reload and not elders:  # a third process would cut the oldest one's requests off
            self.signals.reload = False
            launch = self.place.read_launch()
            if launch is not None and launch.digest != self.state.digest:
                self._apply(launch)

    # -- starting ------------------------------------------------------------

    def _start(self, launch: Launch) -> bool:
        """A first process, with nothing before it; whether it came up."""
        self._clean()
        _rotate(self.place.log)
        child = self._spawn(launch, ["--use-dynamic-base-id", "--base-id-path", str(self._base_id_file)], epoch=0)
        return self._settle(launch, child, epoch=0)

    def _take_over(self, launch: Launch) -> bool:
        """A further process that takes over from the one before; whether it came up."""
        elder, epoch = self.state.envoy, self.state.epoch + 1
        child = self._spawn(launch, ["--base-id", str(self.state.base_id)], epoch)
        if not self._settle(launch, child, epoch):
            return False
        self._tell(elders=(*self.state.elders, elder) if is_alive(elder) else self.state.elders)
        return True

    def _apply(self, launch: Launch) -> None:
        """Bring a changed launch in force. One that does not come up is refused, and the old one goes on."""
        self._say(f"applying {launch.digest}")
        if self._take_over(launch):
            return
        self._tell(refusals=self.state.refusals + 1, detail=self.place.last_words())
        if self.signals.stop or self._answers(self.state.epoch):
            return
        # The old process has closed its admin interface for the new one, and would never open it again.
        self._say("the old process is mute now: starting the last good configuration from scratch")
        self._revive()

    def _revive(self) -> None:
        """Start the last good launch again, with growing pauses, until it runs or we are told to stop."""
        pause = 0.1
        while not self.signals.stop and self.place.launch_file.exists():
            launch = self.place.read_launch() if self.signals.reload or not self.running else self.running
            self.signals.reload = False
            self._say("envoy is gone: starting it again")
            self._tell(phase="starting")
            self._stop_all()
            if launch is None or self._start(launch):
                return
            self.signals.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _spawn(self, launch: Launch, base: list[str], epoch: int) -> subprocess.Popen[bytes]:
        make_private(Path(launch.sockets))
        config = self.place.config_file(launch)
        write_whole(config, json.dumps(launch.config, indent=1))
        command = [
            launch.binary, "-c", str(config), "--log-level", "error", "--concurrency", "1",
            "--restart-epoch", str(epoch), *base, "--socket-path", str(Path(launch.sockets) / "hot"),
            "--drain-strategy", "immediate", "--drain-time-s", str(max(1, int(launch.drain) - 1)),
            "--parent-shutdown-time-s", str(max(2, int(launch.drain))),
        ]  # fmt: skip
        with self.place.log.open("ab") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._children.append(child)
        return child

    def _settle(self, launch: Launch, child: subprocess.Popen[bytes], epoch: int) -> bool:
        """Wait until a process serves, then make it the current one. One that does not is ended."""
        deadline = time.monotonic() + START_WITHIN
        while child.poll() is None and not self.signals.stop and time.monotonic() < deadline:
            if self._answers(epoch, launch.sockets):
                base_id = int(self._base_id_file.read_text()) if epoch == 0 else self.state.base_id
                known = identity(child.pid) or ""
                self.running = launch
                facts = {"envoy": known, "epoch": epoch, "base_id": base_id, "digest": launch.digest, "detail": ""}
                self._tell(phase="running", **facts)
                self._forget_old_configs(launch)
                return True
            self.signals.wait(0.02)
        child.kill()
        child.wait()
        return False

    def _answers(self, epoch: int, sockets: str = "") -> bool:
        """Whether the process of this epoch is ready to serve."""
        folder = sockets or (self.running.sockets if self.running else str(self.place.sockets))
        try:
            return Admin(f"unix:{folder}/admin.sock", do="").epoch(timeout=0.5) == epoch
        except Unreachable:
            return False

    # -- stopping ------------------------------------------------------------

    def _give_up(self) -> int:
        """The very first start failed: leave nothing running, and say why."""
        words = self.place.last_words()
        self._stop_all()
        asked = self.signals.stop
        self._tell(phase="stopped" if asked else "failed", envoy="", elders=(), detail=words)
        return 0 if asked else 1

    def _stop_all(self) -> None:
        """End every Envoy of this place."""
        known = [each for each in (self.state.envoy, *self.state.elders) if each]
        known += [each for each in (identity(child.pid) for child in self._children) if each and each not in known]
        for number, patience in ((signal.SIGTERM, STOP_WITHIN), (signal.SIGKILL, STOP_WITHIN)):
            for each in known:
                signal_if_same(each, number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline and any(is_alive(each) for each in known):
                self.signals.wait(0.02)
        for child in self._children:
            child.poll()
        self._clean()

    def _clean(self) -> None:
        """Remove what Envoy leaves behind: sockets, and the shared memory of its hot restart."""
        for path in self.place.sockets.glob("hot_*"):
            path.unlink(missing_ok=True)
        (self.place.sockets / "admin.sock").unlink(missing_ok=True)
        self._base_id_file.unlink(missing_ok=True)
        if self.state.base_id:
            # Envoy multiplies the base id by ten, see hot_restart_impl.cc.
            with suppress(OSError):
                (_SHARED_MEMORY / f"envoy_shared_memory_{self.state.base_id * 10}").unlink()
        if self.place.sockets != self.place.folder:
            with suppress(OSError):
                self.place.sockets.rmdir()

    # -- notes ---------------------------------------------------------------

    @property
    def _base_id_file(self) -> Path:
        return self.place.folder / "base-id"

    def _forget_old_configs(self, launch: Launch) -> None:
        keep = self.place.config_file(launch)
        for path in self.place.folder.glob("bootstrap-*.json"):
            if path != keep:
                path.unlink(missing_ok=True)

    def _tell(self, **news: Any) -> None:
        self.state = self.state._replace(**news)
        with suppress(OSError):  # a full disk must not end the balancer
            self.place.write_state(self.state)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
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
