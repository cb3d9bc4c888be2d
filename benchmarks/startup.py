"""What `inv --list` costs with all our tasks, beside a bare Invoke with an empty task file.

The package is installed from its wheel into a virtual environment of its own, so that it is compiled, as it
is for whoever uses it. Pairs are interleaved and their order alternates: the machine's noise hits both.
Prints one line and leaves with 1 when the ratio of the medians is above the bar.

    python benchmarks/startup.py [--pairs 21] [--python PATH/TO/INSTALLED/PYTHON]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAR = 1.10


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--python", type=Path, help="the Python of an environment that has deploytasks installed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = asked.python or installed(folder)
        bare, ours = folders(folder, python)
        milliseconds = measured(python, [bare, ours], asked.pairs)
    middle = [statistics.median(series) for series in milliseconds]
    ratio = middle[1] / middle[0]
    print(
        f"inv --list: bare {middle[0]:.1f} ms, deploytasks {middle[1]:.1f} ms, "
        f"ratio {ratio:.3f} (bar {BAR:.2f}, median of {asked.pairs} interleaved pairs)"
    )
    return int(ratio > BAR)


def installed(folder: Path) -> Path:
    """The Python of a new environment with our wheel in it."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=ROOT)
    (wheel,) = (folder / "dist").iterdir()
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel), cwd=folder)
    return python


def folders(folder: Path, python: Path) -> tuple[Path, Path]:
    """Two projects: one with an empty task file, one as ``init`` writes it."""
    bare, ours = folder / "bare", folder / "ours"
    bare.mkdir()
    ours.mkdir()
    (bare / "tasks.py").touch()
    run(str(python), "-m", "deploytasks", "init", cwd=ours)
    return bare, ours


def measured(python: Path, projects: list[Path], pairs: int) -> list[list[float]]:
    """Milliseconds of each run, per project; one round beforehand warms the disk's cache."""
    series: list[list[float]] = [[] for _ in projects]
    for at in range(pairs + 1):
        order = range(len(projects)) if at % 2 else reversed(range(len(projects)))
        for which in order:
            took = once(python, projects[which])
            if at:
                series[which].append(took)
    return series


def once(python: Path, project: Path) -> float:
    """Milliseconds of one `inv --list`, start to end of the process."""
    command = [str(python), "-m", "invoke", "--list"]
    began = time.perf_counter()
    subprocess.run(command, cwd=project, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - began)


def run(*command: str, cwd: Path) -> None:
    """Run quietly; raises with the output when it fails."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} left with {done.returncode}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
