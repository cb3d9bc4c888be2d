"""``python -m deploytasks init``: the two files that a repository needs."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"

TAKEN_BY: dict[str, tuple[str, ...]] = {
    "tasks.py": ("tasks.py", "tasks"),
    "invoke.yaml": ("invoke.yaml", "invoke.yml", "invoke.json", "invoke.py"),
}
"""File that we write → names under which Invoke would find another one."""

TO_ADD: dict[str, str] = {
    "tasks.py": "add to it:  from deploytasks import namespace",
    "invoke.yaml": "add to it what this prints:  python -m deploytasks init --print",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["complete"]:  # by a shell, at each Tab: nothing else may take its time
        from .completion import main as complete

        return complete(given[1:])
    parser = argparse.ArgumentParser(prog="deploytasks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="write tasks.py and a commented invoke.yaml; never overwrites")
    init.add_argument("--folder", type=Path, default=Path(), help="the repository (default: here)")
    init.add_argument("--print", action="store_true", help="print the invoke.yaml instead of writing anything")
    explain = commands.add_parser("keys", help="explain every key of a part of the configuration: keys traffic.envoy")
    explain.add_argument("part", nargs="?", help="which part; without it all of them are listed")
    commands.add_parser("deliver", help=argparse.SUPPRESS)  # what a rollback hands on; its configuration is on stdin
    completing = commands.add_parser("completion", help="print what a shell needs to complete inv's words at Tab")
    completing.add_argument("shell", choices=("bash", "zsh", "fish"))
    asked = parser.parse_args(given)
    others: dict[str, Callable[[], int]] = {
        "completion": lambda: _completion(asked.shell),
        "deliver": _deliver,
        "keys": lambda: _keys(asked.part),
    }
    if asked.command in others:
        return others[asked.command]()
    if asked.print:
        print(_content("invoke.yaml", asked.folder), end="")
        return 0
    try:
        return _init(asked.folder)
    except OSError as error:
        print(f"nothing more was written: {error}", file=sys.stderr)
        return 2


def _completion(shell: str) -> int:
    from .completion import script

    print(script(shell), end="")
    return 0


def _keys(part: str | None) -> int:
    """Explain a part of the configuration, or list them all: 0, or 2 when there is no such part."""
    from .settings.explained import explained, index

    try:
        print(explained(part) if part else index())
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    return 0


def _deliver() -> int:
    """Tell what waits: 0, or 7 when something waits still."""
    import json

    given = json.load(sys.stdin)
    _give_way(int(given.get("after", 0)))
    from . import outcries, redaction
    from .errors import DeployError
    from .operations.delivering import deliver

    outcries.cleaned()
    try:
        return deliver(given)
    except DeployError as error:
        print(redaction.clean(str(error)), file=sys.stderr)
        return error.exit_code


GIVE_WAY = 2.0
"""Seconds, at most."""


def _give_way(parent: int) -> None:
    """Take no time from whoever goes back: wait until that has ended, and be behind everybody else."""
    import os
    import time

    os.nice(10)
    until = time.monotonic() + GIVE_WAY
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.02)


def _init(folder: Path) -> int:
    """Write what is missing: 0 when anything was, 2 when all was there."""
    written = [name for name in TAKEN_BY if _write(name, folder)]
    if not written:
        print("nothing was written: this repository has its files already", file=sys.stderr)
        return 2
    print("next: add .deploy/ to .gitignore, set `start` in invoke.yaml, then `inv validate --env development`")
    return 0


def _write(name: str, folder: Path) -> bool:
    taken = next((other for other in TAKEN_BY[name] if _exists(folder / other)), None)
    if taken is not None:
        print(f"kept  {folder / taken}: {TO_ADD[name]}")
        return False
    with (folder / name).open("x", encoding="utf-8") as file:
        file.write(_content(name, folder))
    print(f"wrote {folder / name}")
    return True


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _content(name: str, folder: Path) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").replace("APPLICATION", _application(folder), 1)


def _application(folder: Path) -> str:
    """The folder's name as an application may be called."""
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_")
    return words[:63] or "application"


if __name__ == "__main__":
    sys.exit(main())
