"""How long `inv rollback` takes, and how little of it depends on anything but the balancer.

The sample application is deployed twice, in an environment of its own, with our package installed from its wheel.
Then, in turn: a floor (`python -c "import invoke, requests"` and one question to Envoy's admin socket) and a rollback.
Then, in turn: a rollback, and rollbacks with something broken: the ledger is no folder, the store hangs, nobody takes
messages, the database is gone, all of it at once. A rollback counts when traffic was on the one color before it and is
on the other after it.

    python benchmarks/rollback.py [--pairs 21] [--quick] [--python PATH/TO/INSTALLED/PYTHON]

Times are of whole processes: target health, read-back and the smoke test afterwards are in them. Leaves with 1 when
the median ratio of rollback to floor is above 1.5, or that of a broken one to a whole one above 1.1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from startup import installed, run  # noqa: E402  # beside this file

from deploytasks import web  # noqa: E402
from deploytasks.errors import Unreachable  # noqa: E402
from deploytasks.ports import COLORS, Split  # noqa: E402
from deploytasks.providers.envoy import Traffic  # noqa: E402
from deploytasks.providers.site import Site  # noqa: E402
from deploytasks.settings.envoy import TrafficSettings  # noqa: E402

ROOT = Path(__file__).parents[1]
BAR = 1.5
BAR_BROKEN = 1.1
ROLLBACK = ("rollback", "--env", "development", "--reason", "benchmark", "--no-watch")

FLOOR = """
import invoke, requests
import http.client, socket, sys

class Admin(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(sys.argv[1])

admin = Admin("localhost")
admin.request("GET", "/runtime?format=json")
assert b"entries" in admin.getresponse().read()
"""

CONFIGURATION = """
tasks: {{executor_class: deploytasks.executor.ChainExecutor}}
deploy:
  application: library
  source: library
  environments:
    development:
      stages: [100]
      watch: 1s
      bake: 0s
      poll: 1s
      baseline: 0s
      min_requests: 1
      smoke:
        checks:
          - {{name: health, path: /health, contains: ok}}
          - {{name: page, path: /}}
          - {{name: API root, path: /api/}}
          - {{name: books, path: /api/books/, contains: title}}
      traffic: {{kind: envoy, listen: "127.0.0.1:{0}"}}
      fleet:
        kind: local
        colors: {{blue: "127.0.0.1:{1}", green: "127.0.0.1:{2}"}}
        start: "exec {{python}} -m gunicorn library.wsgi --bind 127.0.0.1:{{port}}"
        health: /health
        environment: {{LIBRARY_DATABASE: "{{shared}}/library.sqlite3", LIBRARY_CACHE: "{{shared}}/cache"}}
      database:
        kind: sqlite
        path: .deploy/development/shared/library.sqlite3
        migrate: "{{python}} manage.py migrate --noinput"
      metrics: {{kind: envoy}}
      messages: {{kind: console}}
      probe: {{kind: http, rps: 20, paths: [/]}}
"""


class Environment:
    """The sample application behind a balancer, in a folder and on ports of its own."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.state = folder / ".deploy" / "development"
        self._python = str(python)
        self._ports = free_ports(3)
        listen = TrafficSettings(listen=f"127.0.0.1:{self._ports[0]}")
        self._traffic = Traffic(listen, Site("library", "development", folder, self.state, None, "benchmark", {}))

    def bring_up(self) -> None:
        """Deploy twice: then both colors run, and one is the way back of the other."""
        shutil.copytree(ROOT / "examples" / "library", self.folder / "library")
        (self.folder / "tasks.py").write_text("from deploytasks import namespace\n")
        (self.folder / "invoke.yaml").write_text(CONFIGURATION.format(*self._ports))
        (self.folder / ".gitignore").write_text(".deploy/\n__pycache__/\n")
        me = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
        for command in (("init", "-q"), ("add", "."), (*me, "commit", "-q", "-m", "Deploy this")):
            run("git", *command, cwd=self.folder)
        for more in ((), ("--redeploy",)):
            run(*self._inv("deploy", "--env", "development", *more), cwd=self.folder)

    def tear_down(self) -> None:
        """Stop what runs."""
        run(*self._inv("down", "--env", "development"), cwd=self.folder)

    def _inv(self, *arguments: str) -> tuple[str, ...]:
        return (self._python, "-m", "invoke", *arguments)

    def floor(self) -> float:
        """Seconds of a process that imports the heavy modules and asks the balancer once."""
        admin = self._traffic._runtime._place.admin  # noqa: SLF001  # what only we need is no part of the port
        return timed((self._python, "-c", FLOOR, str(admin)), self.folder)

    def split(self) -> Split:
        """Where traffic goes."""
        return self._traffic.read()

    def rollback(self, home: Split, output: str = os.devnull) -> float:
        """Seconds of a rollback that moved all traffic away from where ``home`` has it. ``output``: for its words."""
        self._traffic.shift(home).perform(10.0)
        with open(output, "w") as stream:  # noqa: PTH123  # a device
            took = timed(self._inv(*ROLLBACK), self.folder, stream)
        found = self.split()
        if found.live != home.way_back:
            raise SystemExit(f"traffic was at {home.weights()}, and is at {found.weights()} after a rollback")
        shutil.rmtree(self.state / "spool", ignore_errors=True)  # the next one must not record what this one could not
        return took

    # -- what breaks ---------------------------------------------------------

    @contextmanager
    def unreadable_ledger(self) -> Iterator[None]:
        """A file where the folder was."""
        with set_aside(self.state / "store") as store:
            store.write_text("no folder\n")
            yield

    @contextmanager
    def hanging_store(self) -> Iterator[None]:
        """The head of the ledger is a pipe that nobody writes to: whoever reads it waits for ever."""
        (head,) = (self.state / "store").rglob("head.json")
        with set_aside(head):
            os.mkfifo(head)
            yield

    @contextmanager
    def no_database(self) -> Iterator[None]:
        """A folder where the database was; both colors have noticed, and are not healthy any more."""
        with set_aside(self.state / "shared" / "library.sqlite3") as database:
            database.mkdir()
            self._renew(503)
            yield
        self._renew(200)

    def _renew(self, status: int) -> None:
        """New workers, without open connections to the database; wait until ``/health`` answers with this status."""
        for color in COLORS:
            pid = int((self.state / "run" / f"{color}.pid").read_text().partition(":")[0])
            os.kill(pid, signal.SIGHUP)
        for port in self._ports[1:]:
            await_status(f"http://127.0.0.1:{port}/health", status)
            for path in ("/", "/api/", "/api/books/"):
                web.fetch(f"http://127.0.0.1:{port}{path}")  # their first answer is their slowest


@contextmanager
def set_aside(path: Path) -> Iterator[Path]:
    """Have something else at a path for a while; what the body put there is deleted, and the old comes back."""
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    try:
        yield path
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        aside.rename(path)


def await_status(url: str, status: int, times: int = 5) -> None:
    """Wait until a page answers with a status so many times in a row."""
    until, seen = time.monotonic() + 30, 0
    while seen < times:
        try:
            seen = seen + 1 if web.fetch(url).status == status else 0
        except Unreachable:
            seen = 0
        if time.monotonic() > until:
            raise SystemExit(f"{url} does not answer with {status}")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def timed(command: tuple[str, ...], folder: Path, output: object = subprocess.DEVNULL) -> float:
    """Seconds of a process, from its start to its end."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    return time.perf_counter() - began


Measure = Callable[[], float]


def measures(environment: Environment) -> tuple[Measure, Measure, dict[str, Measure]]:
    """What is measured: the floor, a whole rollback, and by what is broken, those without it."""
    home = environment.split()
    if home.live is None or home.way_back is None:
        raise SystemExit(f"after two deployments there is no way back: {home}")

    def broken(*faults: Callable[[], object], output: str = os.devnull) -> Measure:
        def measure() -> float:
            with ExitStack() as stack:
                for fault in faults:
                    stack.enter_context(fault())  # type: ignore[arg-type]
                return environment.rollback(home, output)

        return measure

    return (
        environment.floor,
        broken(),
        {
            "ledger unreadable": broken(environment.unreadable_ledger),
            "store hangs": broken(environment.hanging_store),
            "messages fail": broken(output="/dev/full"),
            "database gone": broken(environment.no_database),
            "all at once": broken(environment.hanging_store, environment.no_database, output="/dev/full"),
        },
    )


def measured(chosen: dict[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Seconds by name, in rounds whose order alternates; a first one warms the caches."""
    times: dict[str, list[float]] = {name: [] for name in chosen}
    for at in range(rounds + 1):
        for name in chosen if at % 2 else reversed(chosen):
            took = chosen[name]()
            if at:
                times[name].append(took)
    return times


def report(times: dict[str, list[float]], bar: float) -> bool:
    """Print medians, and their ratios to the first; whether all are within the bar.

    A ratio is the median of those within a round: what slows a whole round down is not in it.
    """
    first, *others = times
    print(f"{first} {ms(times[first])}, median of {len(times[first])} interleaved rounds")
    within = True
    for name in others:
        ratio = median(one / other for one, other in zip(times[name], times[first], strict=True))
        print(f"  {name:20} {ms(times[name])}   ratio {ratio:.3f}   bar {bar:.1f}")
        within &= ratio <= bar
    return within


def ms(times: list[float]) -> str:
    """A median for people."""
    return f"{1000 * median(times):6.1f} ms"


def main() -> int:
    """Deploy, measure, print, judge, take down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--quick", action="store_true", help="7 rounds")
    parser.add_argument(
        "--python", type=Path, help="the Python of an environment that has deploytasks[local] installed"
    )
    asked = parser.parse_args()
    rounds = 7 if asked.quick else asked.pairs
    with tempfile.TemporaryDirectory(prefix="back") as name:
        folder = Path(name).resolve()
        python = (asked.python or installed(folder, "local")).absolute()
        environment = Environment(folder / "site", python)
        try:
            environment.bring_up()
            floor, whole, broken = measures(environment)
            within = report(measured({"floor": floor, "rollback": whole}, rounds), BAR)
            within &= report(measured({"rollback": whole, **broken}, rounds), BAR_BROKEN)
        finally:
            environment.tear_down()
    print("met" if within else "missed")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
