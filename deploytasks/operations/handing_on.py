"""Have somebody else tell what waits: a small process of our own, which nobody waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import plain

if TYPE_CHECKING:
    from ..world import World

LOG = "outbox.log"
"""In the state folder: what it said."""
_LARGEST = 1 << 20
"""Bytes of a log, after which a new one is begun."""


def hand_over(world: World) -> None:
    """Start ``python -m deploytasks deliver`` in a session of its own. Best effort: what it does not tell, others do.

    The configuration goes to its standard input, secrets only where they are: in the environment that it inherits. It
    gives way to this process, for some two seconds.
    """
    if world.site.context is None:
        return
    deploy = plain(world.site.context.config.get("deploy", {}))
    given = {"environment": world.site.environment, "deploy": deploy, "after": os.getpid()}
    with suppress(OSError, ValueError):
        folder = world.site.folder
        folder.mkdir(parents=True, exist_ok=True)
        _start(folder, world.site.root, json.dumps(given).encode())


def _start(folder: Path, root: Path, given: bytes) -> None:
    packages = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    log = folder / LOG
    mode = "wb" if log.exists() and log.stat().st_size > _LARGEST else "ab"
    aside = folder / f"outbox.{os.getpid()}"
    with os.fdopen(os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as words, log.open(mode) as said:
        aside.unlink()  # nobody but the process that has it open reads it
        words.write(given)
        words.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "deploytasks", "deliver"],
            cwd=root, stdin=words, stdout=said, stderr=said, start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        process.returncode = 0  # it lives on; nobody here waits for it, and nobody should be warned of that
