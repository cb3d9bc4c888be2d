"""Hosts for tests that need several: folders of this machine, each of which plays one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deploytasks.errors import Unreachable
from deploytasks.providers.hosts.localhost import LocalHost


class Room(LocalHost):
    """This machine, playing a host whose root is a folder of its own. It keeps what it was asked to run."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(None, name)
        self._root = root
        self.is_cut_off = False
        self.asked: list[str] = []

    @property
    def root(self) -> Path:
        """Where its files are."""
        return self._root / self.name

    def follow(self, command: str, line: Callable[[str], None]) -> int:
        return super().follow(command.replace(str(self._root), str(self.root)), line)

    def run(self, command: str, timeout: float, given: str | None = None) -> str:
        self.asked.append(command)
        if self.is_cut_off:
            raise Unreachable(f"{self.name}: no route")
        return super().run(command.replace(str(self._root), str(self.root)), timeout, given)
