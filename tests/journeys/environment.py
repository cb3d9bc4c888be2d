"""One environment of its own: a repository, a real balancer, real servers, real ``inv`` processes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import deploytasks
from deploytasks import web
from deploytasks.errors import DeployError
from deploytasks.ledger import holding
from deploytasks.ports import COLORS, Color, Event, Split, Switch
from deploytasks.providers import identity
from deploytasks.providers.site import Site
from deploytasks.settings import load
from deploytasks.world import World

PACKAGE = Path(deploytasks.__file__).parents[1]
"""What ``inv`` imports as well, wherever these tests are run from."""
LIBRARY = PACKAGE / "examples/library"
NAME = "development"
GRACE = 3.0
"""Seconds until the dead-man's switch fires."""
_PORTS = range(20_000, 30_000)
"""Below those that the system gives to outgoing connections."""

SHORT: dict[str, Any] = {
    "dirty": True,
    "stages": [50, 100],
    "watch": "1s",
    "bake": "0s",
    "poll": "0.5s",
    "baseline": "0.5s",
    "hold": "4s",
    "missing": "5s",
    "after_rollback": "1s",
    "way_back": "24h",
    "min_requests": 10,
    # Two cores that run several of these at once are slow at times; what is slow on purpose says so itself.
    "rollback_when": {"p99_worse": None},
    "smoke": {"checks": [{"name": "health", "path": "/health", "contains": "ok", "within": "10s"}]},
    "warm_up": {"paths": ["/", "/api/books/"], "requests": 4},
    "metrics": {"kind": "envoy"},
    "maintenance": {"kind": "envoy"},
    "messages": {"kind": "console"},
    "deadman": {"kind": "watchdog", "grace": f"{GRACE:g}s"},
    "probe": {"kind": "http", "rps": 40, "paths": ["/", "/api/books/"]},
}
"""The settings of production with short times."""


class Done(NamedTuple):
    """How an ``inv`` process ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self.out + self.err

    @property
    def answer(self) -> Any:
        """Its answer to ``--json``: stdout is one object and nothing else."""
        return json.loads(self.out)


class Running:
    """An ``inv`` process at work."""

    def __init__(self, popen: subprocess.Popen[bytes], output: Path) -> None:
        self.popen = popen
        self.output = output
        self._kept: list[int] = []

    def keep(self, descriptor: int) -> None:
        """Hold a file open until the process has ended."""
        self._kept.append(descriptor)

    def close(self) -> None:
        """Let go of what was held."""
        while self._kept:
            os.close(self._kept.pop())

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.popen.kill()
        self.popen.wait(10)

    def wait(self, timeout: float = 60) -> int:
        """Its exit code."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:g} s:\n{self.said}") from None


class Environment:
    """A project in a folder, and everything that runs for it."""

    name = NAME
    """The environment that is meant where none is said."""
    general: Mapping[str, Any] = {}
    """What holds for all environments of the project."""
    ends: Sequence[Sequence[str]] = (("down",),)
    """What stops everything."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marker = f"JOURNEY={uuid.uuid4().hex}"
        self.port, self.blue, self.green = free_ports(3)
        self._started: list[Running] = []
        self._write_repository()

    # -- the project ---------------------------------------------------------

    def _write_repository(self) -> None:
        self.root.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__", "tests", ".deploy", "*.sqlite3")
        shutil.copytree(LIBRARY, self.root / "library", ignore=ignored)
        (self.root / "tasks.py").write_text("from deploytasks import namespace\n")
        (self.root / ".gitignore").write_text(".deploy/\n__pycache__/\n*.out\n")
        self._add_files()
        self.configure()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit(faults={})

    def _add_files(self) -> None:
        """What else lies in the project."""

    def configure(self, *, tests: str = "true", without: tuple[str, ...] = (), **changes: Any) -> None:
        """Write invoke.yaml: the short settings, with ``changes`` of the environment (mappings are merged)."""
        merged = {**SHORT, **self._places}
        for key, value in changes.items():
            known = merged.get(key)
            merged[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        environment = {key: value for key, value in merged.items() if key not in without}
        environments = self._environments(environment)
        general = {"application": "library", "source": "library", "tests": tests, **self.general}
        deploy = {**general, "environments": environments}
        executor = {"executor_class": "deploytasks.executor.ChainExecutor"}
        (self.root / "invoke.yaml").write_text(json.dumps({"tasks": executor, "deploy": deploy}, indent=1))
        for cached in ("world",):
            self.__dict__.pop(cached, None)

    def _environments(self, own: dict[str, Any]) -> dict[str, Any]:
        """All environments of the project by their names, given the one that is meant."""
        return {self.name: own}

    @property
    def _places(self) -> dict[str, Any]:
        return {
            "traffic": {"kind": "envoy", "listen": f"127.0.0.1:{self.port}", "timeout": "10s", "drain": "2s"},
            "fleet": {
                "kind": "local",
                "colors": {"blue": f"127.0.0.1:{self.blue}", "green": f"127.0.0.1:{self.green}"},
                "start": "{python} -m gunicorn library.wsgi --bind 127.0.0.1:{port}",
                "health": "/health",
                "start_within": "20s",
                "stop_within": "3s",
                "environment": {
                    "LIBRARY_DATABASE": "{shared}/library.sqlite3",
                    "LIBRARY_CACHE": "{shared}/cache",
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
            },
            "database": {
                "kind": "sqlite",
                "path": f".deploy/{self.name}/shared/library.sqlite3",
                "migrate": "{python} manage.py migrate --noinput",
            },
            "alerts": {"kind": "file", "path": f".deploy/{self.name}/alerts.json"},
        }

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout

    def commit(self, faults: Mapping[str, Any] | None = None) -> None:
        """A new release: with these faults, and with a commit of its own."""
        if faults is not None:
            (self.root / "library/faults.json").write_text(json.dumps(faults) + "\n")
        (self.root / "library/change.txt").write_text(uuid.uuid4().hex)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change the library")

    # -- processes -----------------------------------------------------------

    @property
    def variables(self) -> dict[str, str]:
        """Of every process that is started here; children inherit the marker by which they are found."""
        name, _, value = self.marker.partition("=")
        kept = {key: text for key, text in os.environ.items() if not key.startswith(("PYTEST_", "INVOKE_"))}
        kept |= {"PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "COLUMNS": "200"}
        return {**kept, name: value}

    def command(self, *arguments: str) -> list[str]:
        """``inv …``, with the environment where there is a place for it."""
        named = "--env" in arguments or any(one.startswith("--env=") for one in arguments)
        return [sys.executable, "-m", "invoke", *arguments, *(() if named else ("--env", self.name))]

    def inv(self, *arguments: str, timeout: float = 90, **more: Any) -> Done:
        """Run ``inv`` to its end; stdin is empty."""
        done = subprocess.run(
            self.command(*arguments), cwd=self.root, env=self.variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False, **more,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **more: Any) -> Running:
        """Start ``inv`` in a session of its own, and go on."""
        output = self.root.parent / f"{self.root.name}-{len(self._started)}.out"
        with output.open("wb") as file:
            popen = subprocess.Popen(
                self.command(*arguments), cwd=self.root, env=self.variables, start_new_session=True,
                **{"stdin": subprocess.DEVNULL, "stdout": file, "stderr": file, **more},
            )  # fmt: skip
        self._started.append(Running(popen, output))
        return self._started[-1]

    def processes(self) -> dict[int, str]:
        """What runs for this environment: pid to command line. Found by its marker, so nobody else's."""
        return dict(_ours(self.marker, f"{self.root}/"))

    def kill(self, pid: int) -> None:
        """SIGKILL one of our processes, and wait until it is gone."""
        assert pid in self.processes(), f"{pid} is not ours"
        known = identity.identity(pid) or ""
        identity.signal_if_same(known, signal.SIGKILL)
        until(lambda: not identity.is_alive(known), 5)

    def end(self) -> None:
        """Leave nothing running, whatever a test did, and say what ``inv down`` did not stop."""
        for running in self._started:
            if running.popen.poll() is None:
                running.popen.send_signal(signal.SIGCONT)
                running.kill()
            running.close()
        self.configure()
        for command in self.ends:
            self.inv(*command, timeout=60)
        with suppress(AssertionError):
            until(lambda: not self.processes(), 3)
        left = self.processes()
        for pid in left:
            known = identity.identity(pid)
            if known:
                identity.signal_if_same(known, signal.SIGKILL)
        assert not left, f"still running after `inv down`: {left}"

    # -- looking -------------------------------------------------------------

    @cached_property
    def world(self) -> World:
        """The environment's ports, opened here: to look, not to touch."""
        settings = load(json.loads((self.root / "invoke.yaml").read_text())["deploy"], self.name)
        folder = self.root / settings.state / self.name
        return World(settings, Site("library", self.name, self.root, folder, None, "test@here", settings.sections))

    @property
    def url(self) -> str:
        """Where users come in."""
        return f"http://127.0.0.1:{self.port}"

    def split(self) -> Split:
        """What the balancer has in force."""
        return self.world.traffic.read()

    def live(self) -> Color:
        """The color that has all traffic."""
        live = self.split().live
        assert live is not None, self.split()
        return live

    def switch(self) -> Switch:
        """The dead-man's switch."""
        assert self.world.deadman is not None
        return self.world.deadman.state()

    def events(self, kind: str = "") -> list[Event]:
        """The ledger, or the events of one kind."""
        return [event for event in self.world.ledger.events() if kind in ("", event.kind)]

    def at_work_on(self) -> str:
        """The step that a deployer began last and has not ended; empty when there is none."""
        steps = self.events("step")
        return str(steps[-1].facts["step"]) if steps and steps[-1].facts["state"] == "began" else ""

    def until_at(self, running: Running, moment: str) -> None:
        """Return when a deployer has come to a step, by the beginning of its name, or to ``50 %`` on the new color."""
        percent = int(moment.removesuffix(" %")) if moment.endswith(" %") else None

        def is_there() -> bool:
            assert running.popen.poll() is None, running.said
            if percent is None:
                return self.at_work_on().startswith(moment)
            split = self.split()
            return split.verb == "deploy" and percent in (split.blue, split.green) and split.is_mixed

        until(is_there, 40, lambda: running.said)

    def colors_seen(self, requests: int = 20) -> set[str]:
        """Which colors answer users."""
        return {web.fetch(self.url + "/health", timeout=10).headers.get("x-color", "none") for _ in range(requests)}

    def servers(self) -> set[Color]:
        """Which colors have a process."""
        return {color for color in COLORS if (found := self.world.fleet.installed(color)) and found.running}

    def assert_at_rest(self, live: Color, *, running: set[Color] | None = None) -> None:
        """One color has everything and is healthy; nothing is open, armed or held; the chain verifies."""
        split = self.split()
        assert split.live == live, split
        assert split.verb != "deploy", split
        assert self.colors_seen() == {live}
        assert self.world.fleet.health(live).healthy
        assert not self.switch().armed, self.switch()
        assert holding(self.world.store, self.world.scope) is None
        self.world.spool.drain(self.world.ledger)
        assert self.world.ledger.head().standing.open is None
        found = self.world.ledger.verify(None)
        assert found.ok, found
        if running is not None:
            assert self.servers() == running
        self.assert_no_strays()

    def assert_no_strays(self) -> None:
        """Nothing runs but the balancer with its supervisor, and the servers of the colors."""

        def strays() -> dict[int, str]:
            known = ("envoy", "gunicorn")
            return {pid: line for pid, line in self.processes().items() if not any(name in line for name in known)}

        until(lambda: not strays(), 5, strays)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_PORTS)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            found.append(port)
    return found


def until(is_so: Callable[[], object], seconds: float, show: Callable[[], object] = lambda: "") -> None:
    """Poll until something is so; fail, with what ``show`` gives, when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(DeployError, OSError):
            if is_so():
                return
        assert time.monotonic() < deadline, f"it did not become so within {seconds:g} s: {show()}"
        time.sleep(0.03)


def _ours(marker: str, folder: str) -> Iterator[tuple[int, str]]:
    """By a variable that children inherit; the balancer, which starts with a clean slate, by its folder."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            is_ours = folder in line or marker.encode() in (entry / "environ").read_bytes().split(b"\0")
            if is_ours and identity.identity(int(entry.name)):
                yield int(entry.name), line
