"""A real HAProxy, configured with the package's own template."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploytasks.errors import DeployError
from deploytasks.providers.haproxy import api

from .parts import program

TEMPLATES = Path(__file__).parents[2] / "deploytasks" / "templates"
Popen = Callable[..., "subprocess.Popen[bytes]"]


class Balancer:
    """One HAProxy. ``state`` is the folder of its maps, ``log`` its log with a JSON line per request."""

    def __init__(
        self,
        folder: Path,
        sockets: Path,
        colors: Mapping[str, Sequence[str]],
        listen: str,
        *,
        application: str,
        template: str,
        extra: Mapping[str, str],
        popen: Popen,
    ) -> None:
        self.folder = folder
        self.listen = listen
        self.address = f"http://{listen}"
        self.socket = str(sockets / "admin.sock")
        self.state = folder / "state"
        self.config = folder / "haproxy.cfg"
        self.log = folder / "haproxy.log"
        self._colors = dict(colors)
        self._application = application
        self._template = template
        self._extra = dict(extra)
        self._popen = popen
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        """The process that serves now."""
        return self._processes[-1].pid

    # -- the configuration ---------------------------------------------------

    def configure(self, **replaced: str) -> None:
        """Write haproxy.cfg from the template; ``replaced`` maps further pieces of it to others."""
        self.state.mkdir(parents=True, exist_ok=True)
        for name in ("split.map", "maintenance.map"):
            (self.state / name).touch()
        text = (TEMPLATES / self._template).read_text(encoding="utf-8")
        for piece, other in {**self._pieces(), **self._extra, **replaced}.items():
            assert piece in text, f"the template has no {piece!r} any more"
            text = text.replace(piece, other)
        for color in ("blue", "green"):
            text = _with_servers(text, color, self._colors.get(color, ()))
        self.config.write_text(text, encoding="utf-8")

    def _pieces(self) -> dict[str, str]:
        return {
            "/var/lib/haproxy/deploytasks": str(self.state),
            "/run/haproxy/admin.sock user deploy group haproxy mode 660": f"{self.socket} mode 600",
            "log /dev/log local0": "log stdout len 4096 format raw local0 info",
            "bind :80": f"bind {self.listen}",
            "inter 1s fastinter 500ms downinter 500ms": "inter 100ms",
            "library": self._application,
        }

    def check(self) -> str:
        """What ``haproxy -c`` says about the configuration; empty when it is valid."""
        done = subprocess.run(
            [program("haproxy"), "-c", "-f", self.config], capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else done.stderr

    # -- the process ---------------------------------------------------------

    def start(self, *more: str) -> None:
        """Start it, and return when it answers."""
        with self.log.open("ab") as log, (self.folder / "haproxy.err").open("ab") as errors:
            command = [program("haproxy"), "-db", "-f", str(self.config), *more]
            self._processes.append(self._popen(command, stdout=log, stderr=errors, stdin=subprocess.DEVNULL))
        self._until_it_answers()

    def reload(self) -> None:
        """A second process takes over, and the first one finishes what it has begun (``-sf``)."""
        self.start("-x", self.socket, "-sf", str(self.pid))

    def kill(self) -> None:
        """SIGKILL: what was in flight is lost."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    def restart(self) -> None:
        """SIGTERM, and a new process once the old one has gone."""
        self._end(signal.SIGTERM)
        self.start()

    def stop(self) -> None:
        """Leave nothing running."""
        self._end(signal.SIGTERM)

    def wait_for_old(self, seconds: float = 60) -> None:
        """Return when all processes but the newest have ended."""
        for process in self._processes[:-1]:
            process.wait(seconds)

    def ask(self, command: str) -> str:
        """The runtime API."""
        return api.ask(self.socket, f"{command}\n", 30)

    def _end(self, number: int) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(number)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _until_it_answers(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(DeployError):
                if f"Pid: {self.pid}\n" in self.ask("show info"):
                    return
            if self._processes[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"haproxy did not start:\n{(self.folder / 'haproxy.err').read_text()}")
            time.sleep(0.01)


def _with_servers(text: str, color: str, addresses: Sequence[str]) -> str:
    more = re.search(rf"    server {color}1 \S+(.*)\n", text)
    assert more is not None, f"the template has no server {color}1 any more"
    servers = (f"    server {color}{number} {at}{more[1]}\n" for number, at in enumerate(addresses, 1))
    return re.sub(rf"(?:    server {color}\d .*\n)+", "".join(servers), text)


def free_address() -> str:
    """An address on loopback that nobody has now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{trial.getsockname()[1]}"


@contextmanager
def haproxy(
    folder: Path,
    *,
    colors: Mapping[str, Sequence[str]],
    listen: str | None = None,
    application: str = "library",
    template: str = "haproxy.cfg",
    extra: Mapping[str, str] | None = None,
    start: bool = True,
    popen: Popen = subprocess.Popen,
) -> Iterator[Balancer]:
    """A HAProxy in front of both colors (each a list of ``host:port``), from the package's template.

    ``template`` may be ``haproxy-weights.cfg``. ``extra``: pieces of it → what stands in their place. ``popen``
    starts the process (in a namespace).
    """
    program("haproxy")
    folder.mkdir(parents=True, exist_ok=True)
    # A socket's path may have some 100 characters: too few for a test's own folder.
    with TemporaryDirectory(prefix="haproxy-") as sockets:
        balancer = Balancer(
            folder,
            Path(sockets),
            colors,
            listen or free_address(),
            application=application,
            template=template,
            extra=extra or {},
            popen=popen,
        )
        balancer.configure()
        try:
            if start:
                balancer.start()
            yield balancer
        finally:
            balancer.stop()
