"""What `inv --list` costs with all our tasks, beside a bare Invoke with an empty task file.

The package is installed from its wheel into a virtual environment of its own, so that it is compiled, as it
is for whoever uses it. Rounds are interleaved and their order alternates: the machine's noise hits all.
Prints the medians of two ratios and leaves with 1 when the first is above the bar. The second one has the whole
commented invoke.yaml that `init` writes: its 100 lines cost what Invoke's own YAML parser takes for them.

    python benchmarks/startup.py [--pairs 21] [--quick] [--python PATH/TO/INSTALLED/PYTHON]
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
    parser.add_argument("--quick", action="store_true", help="7 rounds")
    parser.add_argument("--python", type=Path, help="the Python of an environment that has deploytasks installed")
    asked = parser.parse_args()
    pairs = 7 if asked.quick else asked.pairs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = (asked.python or installed(folder)).absolute()
        bare, tasks, whole = measured(python, folders(folder, python), pairs)
    print(f"inv --list, medians of {pairs} interleaved rounds; bare Invoke {statistics.median(bare):.1f} ms")
    for name, bar, took in (("all tasks", f"bar {BAR:.2f}", tasks), ("and a full invoke.yaml", "", whole)):
        print(f"  {name:24} {statistics.median(took):.1f} ms   ratio {ratio(took, bare):.3f}   {bar}")
    return int(ratio(tasks, bare) > BAR)


def ratio(ours: list[float], bare: list[float]) -> float:
    """The median of the ratios within a round: what slows a whole round down is not in it."""
    return statistics.median(one / other for one, other in zip(ours, bare, strict=True))


def installed(folder: Path, extras: str = "") -> Path:
    """The Python of a new environment with our wheel in it, and what ``extras`` of it need."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=ROOT)
    (wheel,) = (folder / "dist").iterdir()
    package = f"{wheel}[{extras}]" if extras else str(wheel)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package, cwd=folder)
    return python


def folders(folder: Path, python: Path) -> list[Path]:
    """Three projects: with an empty task file, with our tasks, and with our tasks and the whole configuration."""
    bare, tasks, whole = found = [folder / name for name in ("bare", "tasks", "whole")]
    for project in found:
        project.mkdir()
    (bare / "tasks.py").touch()
    for project in (tasks, whole):
        run(str(python), "-m", "deploytasks", "init", cwd=project)
    (tasks / "invoke.yaml").unlink()
    return found


def measured(python: Path, projects: list[Path], pairs: int) -> list[list[float]]:
    """Milliseconds per project and round; one round beforehand warms the disk's cache."""
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
