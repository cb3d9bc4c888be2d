"""A stage for pictures: the sample application in a project of its own, with users, deployed in a real terminal (tmux).

Needs `apt-get install tmux`, and a Python that has this repository installed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PORTS = range(30_000, 32_000)
_LOOK = 0.15
"""Seconds between two looks at the terminal."""


class Terminal:
    """A shell in a terminal of so many columns and lines."""

    def __init__(self, folder: Path, width: int, height: int, **variables: str) -> None:
        self._name = f"pictures-{os.getpid()}"
        named = [f"{name}={value}" for name, value in variables.items()]
        size = ("-x", str(width), "-y", str(height))
        shell = ("env", "-u", "CI", "-u", "NO_COLOR", *named, "sh")
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), shlex.join(shell))
        self._tmux("set", "-g", "default-terminal", "tmux-256color")

    def close(self) -> None:
        """End it, with all that runs in it."""
        with suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")

    def type(self, text: str, enter: bool = False) -> None:
        """Press keys."""
        self._tmux("send-keys", "-l", text)
        if enter:
            self._tmux("send-keys", "Enter")

    def press(self, key: str) -> None:
        """One key by its name in tmux: ``Enter``, ``C-z``."""
        self._tmux("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        """Pull at its corner."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self, colors: bool = False) -> str:
        """What it shows, its lines without the blanks at their ends; with escape sequences if asked."""
        return self._tmux("capture-pane", "-p", *(("-e",) if colors else ()))

    def until(self, holds: Callable[[str], object], seconds: float, colors: bool = True) -> str:
        """The first screen of which it holds; raises ``TimeoutError`` with the last one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            plain = self.screen()
            if holds(plain):
                return self.screen(colors)
            time.sleep(_LOOK)
        raise TimeoutError(f"not seen within {seconds:g} s:\n{self.screen()}")

    def _tmux(self, *command: str) -> str:
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TMUX": ""}
        done = subprocess.run(
            ["tmux", "-u", "-L", self._name, *command], check=True, capture_output=True, env=environment, timeout=20
        )
        return done.stdout.decode("utf-8", "replace")


class Project:
    """The sample application as a repository of its own, on free ports."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.port, blue, green = _free_ports(3)
        ignored = shutil.ignore_patterns("__pycache__", "tests", ".deploy", "*.sqlite3")
        shutil.copytree(ROOT / "examples/library", folder / "library", ignore=ignored)
        (folder / "tasks.py").write_text("from deploytasks import namespace\n", encoding="utf-8")
        (folder / ".gitignore").write_text(".deploy/\n__pycache__/\n", encoding="utf-8")
        self._write(blue, green, changes)
        self._git("init", "--quiet", "--initial-branch=main")
        self.release({}, "1.4.0")

    def _write(self, blue: int, green: int, changes: dict[str, Any]) -> None:
        import yaml

        given = yaml.safe_load((ROOT / "invoke.yaml").read_text(encoding="utf-8"))
        own = given["deploy"]["environments"]["development"]
        own["traffic"]["listen"] = f"127.0.0.1:{self.port}"
        own["fleet"]["colors"] = {"blue": f"127.0.0.1:{blue}", "green": f"127.0.0.1:{green}"}
        own |= changes
        given["deploy"] |= {"source": "library", "tests": "true", "environments": {"development": own}}
        (self.folder / "invoke.yaml").write_text(json.dumps(given, indent=1), encoding="utf-8")

    def release(self, faults: dict[str, Any], version: str) -> None:
        """Commit a release with these bugs."""
        (self.folder / "library/faults.json").write_text(json.dumps(faults) + "\n", encoding="utf-8")
        (self.folder / "library/VERSION").write_text(f"{version}\n", encoding="utf-8")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", f"Release {version}")
        self._git("tag", f"v{version}")

    def inv(self, *arguments: str) -> None:
        """Run a task to its end."""
        command = [sys.executable, "-m", "invoke", *arguments, "--env", "development"]
        subprocess.run(command, cwd=self.folder, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=180)

    def _git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)


@contextmanager
def users(port: int, rate: float) -> Iterator[None]:
    """So many requests per second, as long as the body runs."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from load import Load

    load = Load(f"http://127.0.0.1:{port}", rate, gets=("/", "/api/books/"))
    stopping, loop = asyncio.Event(), asyncio.new_event_loop()

    async def run() -> None:
        load.start()
        await stopping.wait()
        await load.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(30)


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_PORTS)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            found.append(port)
    return list(dict.fromkeys(found)) if len(set(found)) == count else _free_ports(count)
