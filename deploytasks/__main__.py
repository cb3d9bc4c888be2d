"""``python -m deploytasks``: what is done once, or by a machine. Everything else is a task of ``inv``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_TEMPLATES = ("embedded", "servers", "aws-alb", "aws-ecs")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["complete"]:  # by a shell, at each Tab: nothing else may take its time
        from .completion import main as complete

        return complete(given[1:])
    parser = argparse.ArgumentParser(prog="deploytasks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _arguments_of_init(commands.add_parser("init", help="write tasks.py and a commented invoke.yaml; never overwrites"))
    explain = commands.add_parser("keys", help="explain every key of a part of the configuration: keys traffic.envoy")
    explain.add_argument("part", nargs="?", help="which part; without it all of them are listed")
    commands.add_parser("deliver", help=argparse.SUPPRESS)  # what a rollback hands on; its configuration is on stdin
    commands.add_parser("schema", help="print the JSON Schema of invoke.yaml, for editors")
    completing = commands.add_parser("completion", help="print what a shell needs to complete inv's words at Tab")
    completing.add_argument("shell", choices=("bash", "zsh", "fish"))
    asked = parser.parse_args(given)
    others: dict[str, Callable[[], int]] = {
        "completion": lambda: _completion(asked.shell),
        "deliver": _deliver,
        "schema": _schema,
        "keys": lambda: _keys(asked.part),
    }
    if asked.command in others:
        return others[asked.command]()
    return _init(asked)


def _arguments_of_init(init: argparse.ArgumentParser) -> None:
    init.add_argument("--folder", type=Path, default=Path(), help="the repository (default: here)")
    init.add_argument("--template", choices=_TEMPLATES, help="what it will run on (default: embedded, on this machine)")
    init.add_argument(
        "--listen", metavar="HOST:PORT", help="where users come in here (default: the first free from 8080)"
    )
    init.add_argument("--ci", action="store_true", help="write the workflows for GitHub or GitLab, too")
    init.add_argument("--yes", action="store_true", help="ask nothing: what was found is right")
    init.add_argument("--print", action="store_true", help="print the invoke.yaml instead of writing anything")


def _init(asked: argparse.Namespace) -> int:
    from .adopting import command

    if asked.print:
        return command.show(asked.folder, asked.template, asked.listen)
    questions = not (asked.yes or asked.template) and sys.stdin.isatty() and sys.stdout.isatty()
    return command.init(asked.folder, asked.template, asked.listen, ci=asked.ci, questions=questions)


def _completion(shell: str) -> int:
    from .completion import script

    print(script(shell), end="")
    return 0


def _schema() -> int:
    import json

    from .settings.schema import schema

    print(json.dumps(schema(), indent=1, ensure_ascii=False))
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


if __name__ == "__main__":
    sys.exit(main())
