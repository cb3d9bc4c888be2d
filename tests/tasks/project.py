"""A project of one's own, with nothing behind it: to type commands in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import deploytasks

PACKAGE = Path(deploytasks.__file__).parents[1]


class Done(NamedTuple):
    """How a command left, and what it said."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Project:
    """A folder with a task file and one environment, ``production``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        (root / "tasks.py").write_text("from deploytasks import namespace\n")

    def configure(self, **sections: Any) -> None:
        """Write the configuration: an environment with these sections, over others that nobody listens to."""
        environment = {
            "traffic": {"kind": "envoy", "listen": "127.0.0.1:9"},
            "fleet": {"kind": "local", "colors": {"blue": "127.0.0.1:7", "green": "127.0.0.1:13"}, "start": "false"},
            "metrics": {"kind": "envoy"},
            **sections,
        }
        deploy = {"application": "library", "environments": {"production": environment}}
        executor = {"executor_class": "deploytasks.executor.ChainExecutor"}
        (self.root / "invoke.yaml").write_text(json.dumps({"tasks": executor, "deploy": deploy}))

    def inv(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Done:
        """Run ``inv … --env production`` to its end."""
        own = {**os.environ, "PYTHONPATH": str(PACKAGE), "NO_COLOR": "1", "COLUMNS": "200", **(variables or {})}
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *arguments, "--env", "production"],
            cwd=self.root, env=own, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return Done(done.returncode, done.stdout, done.stderr)
