"""A fleet of several hosts in memory: each is a fleet of ``memory`` with a state of its own, and can fail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import memory

from deploytasks.errors import Unreachable
from deploytasks.ports import COLORS, Call, Calls, Color, Finding, Health, Installed, Release
from deploytasks.providers.hosts.agreeing import agreed, silent, sliced, together
from deploytasks.providers.hosts.serving import State
from deploytasks.world import World

NAMES = ("h1", "h2", "h3", "h4")


class Crowd:
    """``ports.Fleet``. What hosts are like stands in the world's state: ``down`` are silent, ``broken_start`` and so on
    cannot do that."""

    def __init__(self, folder: Path, names: Sequence[str] = NAMES, batch: int = 4) -> None:
        self._folder = folder
        self._names = tuple(names)
        self._all = self._names
        self._batch = batch

    def host(self, name: str) -> memory.FakeFleet:
        """One of them."""
        return memory.FakeFleet(self.state(name))

    def state(self, name: str) -> memory.State:
        """What is on it; its log has a line for each write."""
        return memory.State(self._folder / f"{name}.json")

    def _is(self, kind: str, name: str) -> bool:
        return name in memory.state_of(self._folder).read()["world"].get(kind, ())

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        return self._names

    def only(self, hosts: Collection[str]) -> Crowd:
        fewer = Crowd(self._folder, [name for name in self._names if name in hosts], self._batch)
        fewer._all = self._all
        return fewer

    def _ask(self, name: str) -> memory.FakeFleet:
        if self._is("down", name):
            raise Unreachable(f"{name}: no route to host")
        return self.host(name)

    def _state(self, name: str, color: Color) -> State:
        found = self._ask(name).color(color) or {}
        return State(found.get("release") or "", found.get("digest") or "", found.get("running") or "", "", "")

    def colors(self) -> Mapping[Color, Installed | None]:
        return {color: self.installed(color) for color in COLORS}

    def installed(self, color: Color) -> Installed | None:
        errors: dict[str, Exception] = {}
        states = {}
        for name in self._names:
            try:
                states[name] = self._state(name, color)
            except Unreachable as error:
                errors[name] = error
        if errors:
            raise silent(errors, len(self._all))
        return agreed(states)

    def _calls(self, make: Callable[[memory.FakeFleet], Calls], verb: str) -> Calls:
        def perform(name: str, timeout: float) -> None:
            if self._is(f"broken_{verb}", name):
                raise Unreachable(f"{name}: the disk is full")
            for batch in make(self._ask(name)):
                for call in batch:
                    call.perform(timeout)

        texts = {name: make(self.host(name))[0][0].text for name in self._names}
        calls = [Call(f"{name}: {texts[name]}", partial(perform, name), name) for name in self._names]
        return sliced(calls, self._batch) if calls else ()

    def install(self, release: Release, color: Color) -> Calls:
        def make(fleet: memory.FakeFleet) -> Calls:
            (call,) = fleet.install(release, color)[0]
            there = fleet.color(color) or {}
            done = Call(call.text, lambda timeout: None)
            return [[done if there.get("release") == release.name else call]]

        return self._calls(make, "install")

    def switch(self, color: Color, release: str | None) -> Calls:
        return self._calls(lambda fleet: fleet.switch(color, release), "switch")

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        def make(fleet: memory.FakeFleet) -> Calls:
            (call,) = fleet.start(color)[0]
            there = fleet.color(color) or {}
            done = Call(call.text, lambda timeout: None)
            return [[done if there and there.get("running") == there.get("release") else call]]

        return self._calls(make, "start")

    def stop(self, color: Color) -> Calls:
        return self._calls(lambda fleet: fleet.stop(color), "stop")

    def run(self, color: Color, command: str, what: str) -> Call:
        return self._ask(self._names[0]).run(color, command, what)

    def prune(self, keep: int, spare: Sequence[str] = ()) -> Calls:
        return ()

    def health(self, color: Color) -> Health:
        found = {}
        for name in self._names:
            try:
                found[name] = self._ask(name).health(color)
            except Unreachable as error:
                found[name] = Health(False, error.what)
        return together(found)

    def address(self, color: Color) -> str:
        return f"memory://{self._names[0]}/{color}"

    def diagnose(self) -> Sequence[Finding]:
        return ()


def world(
    folder: Path, *, kind: type[World] = memory.TestWorld, max_failures: int = 0, batch: int = 4, **changes: Any
) -> World:
    """A world in memory whose fleet has four hosts."""
    hosts = {
        "kind": "ssh",
        "hosts": list(NAMES),
        "ports": {"blue": 1, "green": 2},
        "start": "true",
        "max_failures": max_failures,
    }
    made = memory.world(folder, kind=kind, fleet=hosts, **changes)
    made._ports.sections["fleet"] = Crowd(folder, batch=batch)  # type: ignore[attr-defined]  # the ports of memory
    return made
