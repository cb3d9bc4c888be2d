"""Ports for tests that live in one JSON file: a process can be killed, and the next one finds them as they were."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import (
    COLORS,
    Alert,
    Backup,
    Call,
    Calls,
    Color,
    Digest,
    Event,
    Finding,
    Health,
    Installed,
    Json,
    News,
    NoData,
    Release,
    Scratch,
    Split,
    Switch,
    Totals,
)
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.site import Site
from deploytasks.providers.sources import Sources
from deploytasks.settings import Settings, load
from deploytasks.settings.base import Value
from deploytasks.settings.directory import DirectorySettings
from deploytasks.settings.several import Several, named
from deploytasks.world import World

BEGINNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


_BLANK: dict[str, Any] = {
    "elapsed": 0.0,
    "split": [0, 0, None, None],
    "colors": {},
    "releases": {},
    "backups": [],
    "migrated": [],
    "traffic": {},
    "armed": None,
    "log": [],
    "world": {"rate": 100.0, "errors": {}, "sick": {}, "alerts": [], "silent": False, "busy": None, "levels": {}},
}
_known: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}
"""Per file: which version of it was read or written last, and what is in it."""


class State:
    """A small JSON document, on disk with every change. Time alone passes in memory, until somebody flushes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        if not file.exists():
            self.write(json.loads(json.dumps(_BLANK)))

    def read(self) -> dict[str, Any]:
        """The document itself; another process may have changed it."""
        version = self._version()
        if self.file not in _known or _known[self.file][0] != version:
            _known[self.file] = (version, json.loads(self.file.read_text()))
        return _known[self.file][1]

    def _version(self) -> tuple[int, int, int]:
        """The inode alone is used again for the next file."""
        found = self.file.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size

    def write(self, data: dict[str, Any]) -> None:
        aside = self.file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(data))
        aside.replace(self.file)
        _known[self.file] = (self._version(), data)

    def flush(self) -> None:
        """To be called before a death: time that has passed has passed."""
        self.write(self.read())

    def change(self, **values: Any) -> None:
        self.write({**self.read(), **values})

    def set(self, **world: Any) -> None:
        """Change the world: its ``rate``, ``errors``, ``sick``, ``alerts``, ``silent``, ``busy`` and ``levels``."""
        data = self.read()
        self.write({**data, "world": {**data["world"], **world}})

    def log(self, line: str) -> None:
        data = self.read()
        self.write({**data, "log": [*data["log"], line]})


class VirtualClock:
    """Time that passes only when somebody sleeps; it goes on where a killed process left it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.elapsed())

    def elapsed(self) -> float:
        return float(self._state.read()["elapsed"])

    def sleep(self, seconds: float) -> None:
        data = self._state.read()
        _serve(data, seconds)
        data["elapsed"] += max(seconds, 0.001)


def _serve(data: dict[str, Any], seconds: float) -> None:
    """Requests that users send meanwhile, counted per color."""
    split = Split(*data["split"])
    for color in COLORS:
        found = data["traffic"].setdefault(color, {"requests": 0.0, "errors": 0.0})
        new = data["world"]["rate"] * seconds * split.share(color) / 100
        found["requests"] += new
        found["errors"] += new * data["world"]["errors"].get(color, 0.0)
        for name, of in data["world"].get("sources", {}).items():
            found[name] = found.get(name, 0.0) + new * of.get("errors", {}).get(color, 0.0)


class FakeTraffic:
    def __init__(self, state: State) -> None:
        self._state = state

    def prepare(self) -> Calls:
        return ()

    def read(self) -> Split:
        if self._state.read()["world"].get("balancer_down"):
            raise Unreachable("the balancer does not answer")
        return Split(*self._state.read()["split"])

    def at_rest(self) -> Split:
        return self.read()

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        def perform(timeout: float) -> None:
            now = self.read()
            if expect is not None and now != expect:
                raise SplitMoved(f"the split is {now}, expected {expect}")
            if self._state.read()["world"].get("balancer_refuses"):
                raise Unreachable("the balancer refused the write")
            self._state.change(split=list(to))
            self._state.log(f"split {to.blue}/{to.green} {to.writer}")

        return Call(f"shift to {to.weights()} by {to.writer}", perform)

    def address(self) -> str:
        return "memory://public"

    def shut_down(self) -> Calls:
        return ()

    def diagnose(self) -> Sequence[Finding]:
        return [Finding("traffic", "ok", "in memory")]


class FakeFleet:
    def __init__(self, state: State) -> None:
        self._state = state

    def color(self, color: Color) -> dict[str, Any] | None:
        """What is known of a color."""
        found: dict[str, Any] | None = self._state.read()["colors"].get(color)
        return found

    def _put(self, color: Color, value: dict[str, Any] | None, line: str) -> None:
        data = self._state.read()
        self._state.write({**data, "colors": {**data["colors"], color: value}, "log": [*data["log"], line]})

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        return ("memory",)

    def only(self, hosts: Collection[str]) -> FakeFleet:
        return self

    def colors(self) -> Mapping[Color, Installed | None]:
        return {color: self.installed(color) for color in COLORS}

    def installed(self, color: Color) -> Installed | None:
        found = self.color(color)
        if not found or not found.get("release"):
            return None
        running = found["running"] == found["release"]
        down = () if running else ("memory",)
        return Installed(found["release"], found["digest"], found["version"], running, bool(found["running"]), down)

    def install(self, release: Release, color: Color) -> Calls:
        def perform(timeout: float) -> None:
            if self._state.read()["world"].get("install_fails"):
                raise Unreachable("the disk is full")
            known = {**self._state.read().get("releases", {}), release.name: [release.version, release.digest]}
            self._state.change(releases=known)
            self._link(color, release.name)

        return [[Call(f"install {release.name} on {color}", perform)]]

    def _link(self, color: Color, name: str | None) -> None:
        found = self.color(color) or {"running": None}
        version, digest = self._state.read().get("releases", {}).get(name, [None, None])
        self._put(color, {**found, "release": name, "version": version, "digest": digest}, f"{color} -> {name}")

    def switch(self, color: Color, release: str | None) -> Calls:
        return [[Call(f"switch {color} to {release}", lambda timeout: self._link(color, release))]]

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        def perform(timeout: float) -> None:
            found = self.color(color)
            assert found is not None
            self._put(color, {**found, "running": found["release"]}, f"start {color} {found['release']}")
            if self._state.read()["world"].get("start_fails"):
                self._put(color, {**found, "running": None}, f"died {color}")
                raise Unreachable(f"{color} did not become healthy")

        return [[Call(f"start {color}", perform)]]

    def stop(self, color: Color) -> Calls:
        def perform(timeout: float) -> None:
            found = self.color(color)
            if found:
                self._put(color, {**found, "running": None}, f"stop {color}")

        return [[Call(f"stop {color}", perform)]]

    def run(self, color: Color, command: str, what: str) -> Call:
        def perform(timeout: float) -> None:
            self._state.change(migrated=[*self._state.read()["migrated"], command])
            if self._state.read()["world"].get("migration_fails"):
                raise Unreachable("the migration failed")

        return Call(f"{what}: {command} on {color}", perform)

    def prune(self, keep: int, spare: Sequence[str] = ()) -> Calls:
        return ()

    def health(self, color: Color) -> Health:
        found = self.color(color)
        if not found or not found.get("running"):
            return Health(False, "does not run")
        sick = self._state.read()["world"]["sick"].get(color)
        return Health(False, sick) if sick else Health(True, "200")

    def address(self, color: Color) -> str:
        return f"memory://{color}"

    def diagnose(self) -> Sequence[Finding]:
        return [Finding("fleet", "ok", "in memory")]


class FakeDatabase:
    def __init__(self, state: State) -> None:
        self._state = state

    def back_up(self, name: str, tags: Mapping[str, str]) -> Call:
        def perform(timeout: float) -> None:
            data = self._state.read()
            if name not in data["backups"]:
                self._state.write({**data, "backups": [name, *data["backups"]]})

        return Call(f"back up as {name}", perform)

    def backups(self) -> Sequence[Backup]:
        return [Backup(name, BEGINNING, 1, "d") for name in self._state.read()["backups"]]

    def prune(self, keep: int) -> Calls:
        return ()

    def discard(self, names: Sequence[str]) -> Calls:
        def perform(timeout: float) -> None:
            data = self._state.read()
            self._state.write({**data, "backups": [name for name in data["backups"] if name not in names]})

        return [[Call(f"delete {', '.join(names)}", perform)]]

    def restore(self, name: str, mark: str = "") -> Calls:
        return [[Call(f"restore {name}", lambda timeout: self._state.log(f"restored {name}"))]]

    def restored(self, mark: str) -> Mapping[str, Json]:
        return {"kept": f"before-{mark}", "lost": []}

    def scratch(self, name: str, mark: str, folder: str) -> Scratch:
        def log(what: str) -> Call:
            return Call(f"{what} a copy of {name}", lambda timeout: self._state.log(f"scratch {what}"))

        there: list[str] = self._state.read()["world"].get("in_the_copy", [])
        nowhere = {"path": f"{folder}/nowhere"}
        return Scratch(log("make"), log("drop"), {"path": f"{folder}/copy"}, nowhere, {}, lambda: list(there))

    def applied(self) -> Sequence[str]:
        found: list[str] = self._state.read()["world"].get("applied", [])
        return found

    def run(self, command: str, what: str) -> Call:
        return Call(f"here: {what}: {command}", lambda timeout: self._state.log(f"here {command}"))

    def busy(self) -> str | None:
        found: str | None = self._state.read()["world"]["busy"]
        return found

    def diagnose(self) -> Sequence[Finding]:
        return ()


class FakeMetrics:
    """One source of what users met. Another one beside it has a ``name``; what that one says is set in the world's
    ``sources``: by its name, whether it is ``silent``, and its ``errors`` by color."""

    lag = 0.0

    def __init__(self, state: State, name: str = "") -> None:
        self._state = state
        self._name = name

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        data = self._state.read()
        own = data["world"].get("sources", {}).get(self._name, {})
        if data["world"]["silent"] or own.get("silent"):
            return NoData(f"{self._name or 'the metrics'} are silent")
        counts: dict[Color, dict[str, float]] = {color: data["traffic"].get(color, {}) for color in COLORS}
        return {
            color: Totals(int(found.get("requests", 0)), int(found.get(self._name or "errors", 0)), {})
            for color, found in counts.items()
        }

    def levels(self) -> Mapping[str, float] | NoData:
        found: dict[str, float] | None = self._state.read()["world"]["levels"]
        return NoData("the levels are silent") if found is None else found

    def diagnose(self) -> Sequence[Finding]:
        return ()


class FakeAlerts:
    def __init__(self, state: State) -> None:
        self._state = state

    def firing(self) -> Sequence[Alert] | NoData:
        return [
            Alert(name, "critical", datetime.fromisoformat(since) if since else VirtualClock(self._state).now())
            for name, since in _since(self._state.read()["world"]["alerts"])
        ]

    def diagnose(self) -> Sequence[Finding]:
        return ()


def _since(alerts: Sequence[str] | Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Names that fire since now, or names and since when."""
    return list(alerts.items()) if isinstance(alerts, Mapping) else [(name, "") for name in alerts]


class FakeDeadman:
    def __init__(self, state: State) -> None:
        self._state = state

    def arm(self, deployment: str, home: Split) -> Call:
        return Call(f"arm for {deployment}", lambda timeout: self._state.change(armed=deployment))

    def beat(self) -> None:
        pass

    def disarm(self) -> Call:
        return Call("disarm", lambda timeout: self._state.change(armed=None))

    def state(self) -> Switch:
        armed = self._state.read()["armed"]
        return Switch(armed is not None, None, f"armed for {armed}" if armed else "off")

    def news(self) -> Sequence[News]:
        return ()

    def diagnose(self) -> Sequence[Finding]:
        return ()


class FakePorts:
    """Every section, in memory; the store on disk, for it is what survives."""

    def __init__(self, state: State, store: Any, metrics: Value | None = None) -> None:
        self.sections: dict[str, Any] = {
            "traffic": FakeTraffic(state),
            "fleet": FakeFleet(state),
            "database": FakeDatabase(state),
            "metrics": _metrics(state, metrics),
            "alerts": FakeAlerts(state),
            "deadman": FakeDeadman(state),
            "store": store,
        }

    def open(self, section: str) -> Any:
        return self.sections.get(section)


def _metrics(state: State, of: Value | None) -> Any:
    """One source; or several, of which the first one is the world's own."""
    if not isinstance(of, Several):
        return FakeMetrics(state)
    others = named(of.parts)[1:]
    ports = [FakeMetrics(state), *(FakeMetrics(state, name) for name in others)]
    return Sources(list(zip(of.parts, ports, strict=True)))


class DatabaseSettings(Value):
    """What plans look at."""

    migrate: str = "migrate"
    reverse: str | None = None
    keep: int = 14


class Teller:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)


def settings(**changes: Any) -> Settings:
    """The defaults of DESIGN, over providers whose settings nobody looks at."""
    environment = {
        "warm_up": {"requests": 0},
        "traffic": {"kind": "envoy"},
        "fleet": {
            "kind": "local",
            "colors": {"blue": "127.0.0.1:1", "green": "127.0.0.1:2"},
            "start": "true",
        },
        "metrics": {"kind": "envoy"},
        "alerts": {"kind": "file", "path": "alerts.json"},
        "deadman": {"kind": "watchdog", "grace": "10s"},
        "store": {"kind": "directory", "shared": True},
        **changes,
    }
    loaded = load({"application": "library", "environments": {"test": environment}}, "test")
    # The lease outlives every rollout here: no renewal has to wait for a real thread of a busy machine.
    return replace(loaded, lease=1e9, sections={**loaded.sections, "database": DatabaseSettings()})


class TestWorld(World):
    """A world in memory. Smoke checks of ``memory://`` addresses pass."""

    __test__ = False


def world(folder: Path, *, kind: type[World] = TestWorld, store: Any = None, **changes: Any) -> World:
    """A world whose ports, clock and ledger live in ``folder``."""
    state = State(folder / "state.json")
    chosen = settings(**changes)
    site = Site("library", "test", folder, folder / "state", None, "ann@desk", chosen.sections)
    store = store or DirectoryStore(DirectorySettings(kind="directory", path=str(folder / "ledger")), site)
    ports = FakePorts(state, store, chosen.sections["metrics"])
    return kind(chosen, site, ports=ports, clock=VirtualClock(state), listeners=(Teller(),))


def release(version: str = "1.0.0", digest: Digest | None = None) -> Release:
    """A release whose digest follows from its version."""
    return Release(version, f"c{version}", digest or (version.replace(".", "") * 32)[:64], f"/artifacts/{version}")


def state_of(folder: Path) -> State:
    """The world's own state, to look at and to change."""
    return State(folder / "state.json")
