"""People who sign in an environment in memory: their keys are made by ``ssh-keygen``, their file is committed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import memory

from deploytasks.world import World
from lab import keys

if TYPE_CHECKING:
    import pytest

PEOPLE = ("ann", "ben", "cay")


class House:
    """A repository with an allowed-signers file, and the worlds of those who work on it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder
        self._rings = folder.parent / f"{folder.name}-keys"
        self.keys = {name: keys.make(self._rings, name) for name in PEOPLE}
        self._patch = monkeypatch
        for name, value in {**keys.GIT, "HOME": str(folder.parent / "nobody")}.items():
            monkeypatch.setenv(name, value)
        for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        self.commit = self.allow(*PEOPLE)

    def second_key(self) -> str:
        """Another key, of whomever; its public half."""
        self.keys["second"] = keys.make(self._rings, "second")
        return keys.public(self.keys["second"])

    def line(self, name: str, options: str = "") -> str:
        """How somebody stands in the file."""
        return f"{name}@example.org {options} {keys.public(self.keys[name])}\n"

    def allow(self, *names: str, more: str = "") -> str:
        """Commit a file that has these people."""
        return keys.commit(self.root, {"allowed_signers": "".join(map(self.line, names)) + more, ".gitignore": "*\n"})

    def world(
        self, who: str = "ann", environment: str = "test", *, kind: type[World] = memory.TestWorld, **changes: Any
    ) -> World:
        """The protected environment, with somebody at the keyboard."""
        settings = {"protected": True, "signers": {"key": str(self.keys[who])}, **changes}
        world = memory.world(self.root, kind=kind, **settings)
        world.site = world.site._replace(who=f"{who}@desk", environment=environment)
        world.settings = replace(world.settings, name=environment)
        return world
